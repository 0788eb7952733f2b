// What the scheduler saw when it decided: nodes and pods at the revisions of its views, and the bindings that it
// expected beside them. Read from commits.
import { nodes } from "../../../api/core/nodes.ts";
import { isTerminal } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Node, Pod } from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, type Key, keyOf } from "../../../api/meta.ts";
import type { Occupied } from "../../unit/scheduler/reference.ts";
import type { Committed, Rule, SchedulingDecision } from "../judge.ts";

/** A pod that the scheduler expected on a node, beside those that its view showed there. */
interface Expected {
  readonly pod: Pod;
  readonly nodeName: string;
}
/** Every node and the pods on it. */
export type State = readonly Occupied[];
/** A decision, and what it was made on. */
export interface SeenDecision {
  readonly decision: SchedulingDecision;
  /** The pod, as it was. */
  readonly pod: Pod;
  /** Each state of the cluster that the scheduler may have decided on; none when that is not known. */
  readonly states: readonly State[];
}
export interface SchedulerViews {
  /** Remember commits; come before the rules that read the views. */
  readonly rules: readonly Rule[];
  /** The pods that the view showed when this was decided. */
  podsAt(decision: SchedulingDecision): readonly Pod[];
  /** Pods for which room on this node was kept beyond doubt when this was decided: nominated and not decided since. */
  expectedOn(nodeName: string, position: number, decisions: Committed["decisions"]): readonly Pod[];
  /** The last decision that meets the condition. `withNominated` adds pods that were nominated to a node. */
  find(
    committed: Committed,
    condition: (decision: SchedulingDecision) => boolean,
    options?: { readonly withNominated?: true },
  ): SeenDecision | undefined;
}

/** Within which a binding arrives that was decided, or never does. Milliseconds. */
const bindingMs = 120_000;
/** Beyond so many pods of which it is not known where the scheduler saw them, nothing is judged. */
const mostUncertain = 4;

interface Version<T> {
  readonly revision: number;
  /** Undefined when it was gone. */
  readonly object: T | undefined;
}
/** An object at some revision, and its last version. */
interface Seen<T> {
  readonly object: T;
  readonly latest: T | undefined;
}

/** All ways in which some of the pods are there and others are not. */
const subsets = ([first, ...others]: readonly Expected[]): readonly (readonly Expected[])[] =>
  first === undefined ? [[]] : subsets(others).flatMap((set) => [set, [first, ...set]]);
export const priorityOf = ({ spec }: Pod): number => spec.priority ?? 0;

/** Objects by revision. */
function history<T extends ApiObject>(kind: ResourceDefinition<T>) {
  const versions = new Map<string, Version<T>[]>();
  /** Objects that are forgotten later, the first to be so first. */
  const gone: { readonly uid: string; readonly at: number }[] = [];
  const rule: Rule<T> = {
    name: "",
    kind,
    broken(after, before, { revision, at }) {
      const { uid } = (after ?? before)!.metadata;
      const known = versions.get(uid) ?? [];
      versions.set(uid, known);
      known.push({ revision, object: after });
      if (!after) gone.push({ uid, at });
      while (gone.length > 0 && at - gone[0]!.at > bindingMs) versions.delete(gone.shift()!.uid);
      return undefined;
    },
  };
  return {
    rule,
    /** Since which revision it holds of the object without a break, until this one. */
    holdsSince(uid: string, until: number, holds: (object: T) => boolean): number | undefined {
      const before = (versions.get(uid) ?? []).filter(({ revision }) => revision <= until);
      const broken = before.findLastIndex(({ object }) => object === undefined || !holds(object));
      return before[broken + 1]?.revision;
    },
    /** Those that existed at a revision. */
    at: (revision: number): readonly Seen<T>[] =>
      [...versions.values()].flatMap((all) => {
        const object = all.findLast((version) => version.revision <= revision)?.object;
        return object ? [{ object, latest: all.at(-1)!.object }] : [];
      }),
  };
}

/** The decisions before one, whose bindings may still arrive. */
function recentBefore(position: number, all: Committed["decisions"]): Committed["decisions"] {
  const { at } = all[position]!;
  return all.slice(all.findLastIndex((decision) => at - decision.at >= bindingMs) + 1, position);
}

/**
 * Bindings that were decided before and that the view did not show: such a pod was on its node for certain if it was
 * bound there later by that same decision.
 */
function assumedAt(position: number, all: Committed["decisions"], present: readonly Seen<Pod>[]) {
  const { key } = all[position]!;
  const before = new Map(recentBefore(position, all).map((decision) => [decision.key, decision]));
  const later = new Set(all.slice(position + 1).map((decision) => decision.key));
  const [certain, uncertain]: [Expected[], Expected[]] = [[], []];
  for (const { object: pod, latest } of present) {
    const nodeName = before.get(keyOf(pod))?.binds;
    if (pod.spec.nodeName !== undefined || nodeName === undefined || keyOf(pod) === key) continue;
    const isBoundByIt = latest?.spec.nodeName === nodeName && !later.has(keyOf(pod));
    (isBoundByIt ? certain : uncertain).push({ pod, nodeName });
  }
  return { certain, uncertain };
}

/** Pods that may have been expected on a node: nominated in the view, or by a decision that it did not show. */
function nominatedAt(
  position: number,
  all: Committed["decisions"],
  present: readonly Seen<Pod>[],
): readonly Expected[] {
  const { key } = all[position]!;
  const recent = recentBefore(position, all);
  return present.flatMap(({ object: pod }) => {
    if (pod.spec.nodeName !== undefined || keyOf(pod) === key) return [];
    const decided = recent.flatMap(({ key, preempts }) => (preempts && key === keyOf(pod) ? [preempts.nodeName] : []));
    const { nominatedNodeName } = pod.status ?? {};
    return [...new Set([...decided, ...(nominatedNodeName ? [nominatedNodeName] : [])])].map((nodeName) => ({
      pod,
      nodeName,
    }));
  });
}

/** Whether the last decision about the pod was to preempt for it, and nothing was decided since that changes this. */
function isExpectedSince(
  shown: number | undefined,
  key: Key,
  nodeName: string,
  decisions: Committed["decisions"],
): boolean {
  const last = decisions.findLastIndex((decision) => decision.key === key);
  const decision = decisions[last];
  if (!decision || shown === undefined || decision.revision >= shown) return false;
  if (decision.preempts?.nodeName !== nodeName && !decision.preemptsFor) return false;
  // Who preempts takes the room from less important ones.
  return decisions
    .slice(last + 1)
    .every(({ at, preempts, preemptsFor }) => at === decision.at || !(preempts ?? preemptsFor));
}

/** The state of the cluster with pods where they were bound, and others where they were expected. */
function stateOf(
  nodesSeen: readonly Seen<Node>[],
  podsSeen: readonly Seen<Pod>[],
  expected: readonly Expected[],
): State {
  const bound = podsSeen.flatMap(({ object: pod }) =>
    pod.spec.nodeName === undefined || isTerminal(pod) ? [] : [{ pod, nodeName: pod.spec.nodeName }],
  );
  const byNode = Map.groupBy([...bound, ...expected], ({ nodeName }) => nodeName);
  return nodesSeen.map(({ object: node }) => ({
    ...{ node, pods: byNode.get(node.metadata.name)?.map(({ pod }) => pod) ?? [] },
  }));
}

/** Of one life. */
export function schedulerViews(): SchedulerViews {
  const [podHistory, nodeHistory] = [history(pods), history(nodes)];
  const seenBy = (
    position: number,
    decisions: Committed["decisions"],
    withNominated = false,
  ): SeenDecision | undefined => {
    const decision = decisions[position]!;
    const present = podHistory.at(decision.revision);
    const pod = present.find(({ object }) => keyOf(object) === decision.key)?.object;
    if (!pod) return undefined;
    const { certain, uncertain } = assumedAt(position, decisions, present);
    const nominated = withNominated ? nominatedAt(position, decisions, present) : [];
    const isEqual = (other: Expected): boolean => priorityOf(other.pod) >= priorityOf(pod);
    const open = [...uncertain, ...nominated.filter(isEqual)];
    const nodesSeen = nodeHistory.at(decision.nodesRevision);
    const states = (open.length <= mostUncertain ? subsets(open) : []).map((some) =>
      stateOf(nodesSeen, present, [...certain, ...some]),
    );
    return { decision, pod, states };
  };
  /** Several rules read the same decision at one commit. */
  let last:
    | { readonly revision: number; readonly position: number; readonly seen: SeenDecision | undefined }
    | undefined;
  return {
    rules: [podHistory.rule, nodeHistory.rule],
    expectedOn(nodeName, position, decisions) {
      const { revision, key } = decisions[position]!;
      return podHistory.at(revision).flatMap(({ object: pod }) => {
        const { metadata, spec, status } = pod;
        if (status?.nominatedNodeName !== nodeName || spec.nodeName !== undefined || keyOf(pod) === key) return [];
        if (metadata.deletionTimestamp !== undefined) return [];
        const shown = podHistory.holdsSince(
          metadata.uid,
          revision,
          (version) => version.status?.nominatedNodeName === nodeName,
        );
        return isExpectedSince(shown, keyOf(pod), nodeName, decisions.slice(0, position)) ? [pod] : [];
      });
    },
    podsAt: ({ revision }) => podHistory.at(revision).map(({ object }) => object),
    find({ decisions, revision }, condition, { withNominated } = {}) {
      const position = decisions.findLastIndex(condition);
      if (position < 0) return undefined;
      if (last?.revision !== revision || last.position !== position)
        last = { revision, position, seen: seenBy(position, decisions, withNominated) };
      return last.seen;
    },
  };
}
