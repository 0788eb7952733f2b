// Sits at the one place every commit passes through and checks, at each one, what must always be true.
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, controllerOf, type Key, type Revision, revision } from "../../api/meta.ts";
import { objectOf, prefixOf } from "../../apiserver/registry/codec.ts";
import type { DecisionRecord } from "../../api/explanation/decisions.ts";
import type { LateVerb } from "./network.ts";
import { isWrite, type Storage, type Write } from "../../apiserver/storage/storage.ts";

export interface Violation {
  /** Milliseconds since the beginning of the life. */
  readonly at: number;
  readonly rule: string;
  readonly what: string;
}

/** One commit: what stands there from now on, or null when nothing does. */
export interface Fact {
  readonly at: number;
  readonly revision: number;
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** What the scheduler decided about a pod. */
export interface SchedulingDecision {
  readonly at: number;
  readonly key: Key;
  /** Where its views of pods and nodes were. */
  readonly revision: number;
  readonly nodesRevision: number;
  /** The node that it binds the pod to. */
  readonly binds?: string;
  readonly preempts?: { readonly nodeName: string; readonly victims: readonly string[] };
  /** For all pods of a group. */
  readonly preemptsFor?: { readonly group: string; readonly victims: readonly string[] };
}

/** Every object of the judged kinds, as committed. */
export interface Committed {
  all<T extends ApiObject>(kind: ResourceDefinition<T>): readonly T[];
  withUid<T extends ApiObject>(kind: ResourceDefinition<T>, uid: string | undefined): T | undefined;
  /** Objects of a kind that the owner controls. */
  ownedBy<T extends ApiObject>(kind: ResourceDefinition<T>, uid: string): readonly T[];
  /** Requests about pods and jobs, in the last minute, that arrived after their sender had given up: as many are explained. */
  late(verb: LateVerb): number;
  readonly at: number;
  /** Of the last commit. */
  readonly revision: number;
  /** Those of the scheduler, in order. */
  readonly decisions: readonly SchedulingDecision[];
  /** Since when a controller manager leads, which knows nothing of what the one before it did. */
  readonly leadingSince: number;
}

/** What must be true of every change of an object. A rule with a memory is made anew for every life. */
export interface Rule<T extends ApiObject = any> {
  /** Empty for what only remembers, for the rules after it. */
  readonly name: string;
  readonly kind: ResourceDefinition<T>;
  /** What is wrong with a change, if anything. */
  readonly broken: (after: T | undefined, before: T | undefined, committed: Committed) => string | undefined;
}

export interface Judge {
  readonly storage: Storage;
  readonly committed: Committed;
  readonly violations: readonly Violation[];
  readonly commits: number;
  readonly accuse: (rule: string, what: string) => void;
  /** A request about a pod arrived after its sender had given up. */
  late(verb: LateVerb): void;
  /** A controller manager began to lead. */
  leads(): void;
  /** The scheduler decided about a pod. */
  scheduled(decision: Recorded, nodesRevision: number): void;
  /** From now on every commit is reported to be wrong of which this says so. */
  quiet(wrong: (fact: Fact) => string | undefined): void;
}

interface Hooks {
  readonly now: () => number;
  /** Called for every commit, in order, so that two runs can be compared byte for byte. */
  readonly fact: (fact: Fact) => void;
  readonly violation: (violation: Violation) => void;
}

interface Late {
  readonly verb: LateVerb;
  readonly at: number;
}
type Recorded = Omit<DecisionRecord, "count">;

/** The action of a decision, as it is recorded. */
function scheduledBy(
  { key, revision: seen, actions: [action = ""] }: Recorded,
  nodesRevision: number,
  at: number,
): SchedulingDecision {
  const [, binds] = /^bind to (.+)$/.exec(action) ?? [];
  const [, victims, nodeName] = /^preempt (.+) on (.+)$/.exec(action) ?? [];
  const preempts = victims && nodeName && { nodeName, victims: victims.split(", ") };
  const [, groupVictims, group] = /^preempt (.+) for (.+)$/.exec(action) ?? [];
  const preemptsFor = groupVictims && group && { group, victims: groupVictims.split(", ") };
  return {
    ...{ at, key, revision: seen, nodesRevision },
    ...(binds && { binds }),
    ...(preempts && { preempts }),
    ...(preemptsFor && { preemptsFor }),
  };
}

type Kept = Map<ResourceDefinition, Map<string, ApiObject>>;
/** What of the judge's state changes. */
interface Moment {
  leadingSince: number;
  revision: number;
}
type JudgeState = Pick<Committed, "decisions"> & { readonly late: readonly Late[]; readonly moment: Moment };
function committedOf(kept: Kept, now: () => number, { late, decisions, moment }: JudgeState): Committed {
  const all = <T extends ApiObject>(kind: ResourceDefinition<T>): readonly T[] =>
    [...(kept.get(kind as unknown as ResourceDefinition)?.values() ?? [])] as unknown as readonly T[];
  return {
    all,
    withUid: (kind, uid) => all(kind).find((o) => o.metadata.uid === uid),
    ownedBy: (kind, uid) => all(kind).filter((o) => controllerOf(o)?.uid === uid),
    late: (verb) => late.filter((request) => request.verb === verb && now() - request.at < 60_000).length,
    get at() {
      return now();
    },
    decisions,
    get leadingSince() {
      return moment.leadingSince;
    },
    get revision() {
      return moment.revision;
    },
  };
}

/** A storage whose commits are judged. `kinds` are kept beside those of the rules. */
export function judged(
  inner: Storage,
  rules: readonly Rule[],
  kinds: readonly ResourceDefinition<any>[],
  hooks: Hooks,
) {
  const kept: Kept = new Map([...kinds, ...rules.map((rule) => rule.kind)].map((kind) => [kind, new Map()]));
  const prefixes = [...kept.keys()].map((kind) => [prefixOf(kind), kind] as const);
  const violations: Violation[] = [];
  const late: Late[] = [];
  let commits = 0;
  const decisions: SchedulingDecision[] = [];
  const moment: Moment = { leadingSince: 0, revision: 0 };
  let hotLoop: (fact: Fact) => string | undefined = () => undefined;
  const committed = committedOf(kept, hooks.now, { late, decisions, moment });
  const accuse = (rule: string, what: string): void => {
    const violation = { at: hooks.now(), rule, what };
    violations.push(violation);
    hooks.violation(violation);
  };
  const judge = ({ key, value }: Write, revision: Revision): void => {
    const kind = prefixes.find(([prefix]) => key.startsWith(prefix))?.[1];
    moment.revision = revision;
    if (kind === undefined) return;
    const objects = kept.get(kind)!;
    const before = objects.get(key);
    // What every reader of the log is given for these bytes.
    const after = value === null ? undefined : objectOf({ key, value, created: revision, modified: revision });
    if (after) objects.set(key, after);
    else objects.delete(key);
    for (const rule of rules) {
      const what = rule.kind === kind ? rule.broken(after, before, committed) : undefined;
      if (what !== undefined) accuse(rule.name, what);
    }
  };
  const result: Judge = {
    ...{ violations, committed, accuse },
    get commits() {
      return commits;
    },
    late: (verb) => void late.push({ verb, at: hooks.now() }),
    leads() {
      moment.leadingSince = hooks.now();
    },
    scheduled: (decision, nodesRevision) => void decisions.push(scheduledBy(decision, nodesRevision, hooks.now())),
    quiet(wrong) {
      hotLoop = wrong;
    },
    storage: {
      ...inner,
      async commit(...parts) {
        const result = await inner.commit(...parts);
        if (!result.ok) return result;
        for (const [i, write] of parts.filter(isWrite).entries()) {
          commits++;
          const at = revision(result.revision + i);
          const fact = { at: hooks.now(), revision: at, key: write.key, value: write.value };
          hooks.fact(fact);
          judge(write, at);
          const what = hotLoop(fact);
          if (what !== undefined) accuse("hot loop", what);
        }
        return result;
      },
    },
  };
  return result;
}
