// Sits at the one place every fact passes through and checks, at each commit, what must always be true.
import type { Deployment, Node, Pod, ReplicaSet } from "../../api/generated/types.ts";
import { controllerOf, type ApiObject, type Revision } from "../../api/meta.ts";
import { isActive, isTerminal, podRequests } from "../../api/core/pod/status.ts";
import { milliOf } from "../../api/quantity.ts";
import { boundsOf } from "../../controllers/deployment/rollout.ts";
import { objectOf } from "../../apiserver/registry/codec.ts";
import type { Storage, Write } from "../../apiserver/storage/storage.ts";

export interface Violation {
  readonly at: number;
  readonly rule: "bound twice" | "node over-committed" | "too many pods" | "rollout out of bounds" | "two leaders";
  readonly what: string;
}

/** One commit: what stands there from now on, or null when nothing does. */
export interface Fact {
  readonly at: number;
  readonly revision: number;
  readonly key: string;
  readonly value: Uint8Array | null;
}

export interface Judge {
  readonly storage: Storage;
  readonly violations: readonly Violation[];
  readonly commits: number;
  /** A pod's creation arrived after its sender had given up: for a minute, one pod too many is explained. */
  excuse(): void;
  /** A controller manager began to lead beside another. */
  secondLeader(what: string): void;
  pods(): readonly Pod[];
  deployments(): readonly Deployment[];
}

type Judged = "pods" | "replicasets" | "deployments" | "nodes";
const kindOf = (key: string): Judged | undefined =>
  /\/(pods|replicasets|deployments|nodes)\//.exec(key)?.[1] as Judged | undefined;

interface Kept {
  readonly pods: Map<string, Pod>;
  readonly replicasets: Map<string, ReplicaSet>;
  readonly deployments: Map<string, Deployment>;
  readonly nodes: Map<string, Node>;
  /** What a set wanted just before: a decision made on it may still be on its way. */
  readonly wantedBefore: Map<string, number>;
}
type Accuse = (rule: Violation["rule"], what: string) => void;

const owned = <T extends ApiObject>(all: Map<string, T>, uid: string): readonly T[] =>
  [...all.values()].filter((o) => controllerOf(o)?.uid === uid);
const byUid = <T extends ApiObject>(all: Map<string, T>, uid: string | undefined): T | undefined =>
  [...all.values()].find((o) => o.metadata.uid === uid);

function judgeNode(name: string, { nodes, pods }: Kept, accuse: Accuse): void {
  const room = milliOf([...nodes.values()].find((n) => n.metadata.name === name)?.status?.allocatable?.["cpu"]);
  const holders = [...pods.values()].filter((p) => p.spec.nodeName === name && !isTerminal(p));
  const used = holders.reduce((sum, p) => sum + (podRequests(p.spec)["cpu"] ?? 0), 0);
  if (room > 0 && used > room) accuse("node over-committed", `${name}: ${used}m of ${room}m`);
}

/** Only the birth of a pod can make too many; that the wanted number falls below what runs is no fault. */
function judgeBirth(pod: Pod, kept: Kept, excuses: number, accuse: Accuse): void {
  const set = byUid(kept.replicasets, controllerOf(pod)?.uid);
  if (!set) return;
  const wanted = Math.max(set.spec.replicas ?? 0, kept.wantedBefore.get(set.metadata.uid) ?? 0);
  const excess = owned(kept.pods, set.metadata.uid).filter(isActive).length - wanted;
  if (excess > excuses) accuse("too many pods", `${set.metadata.name}: ${excess} above ${wanted}`);
}

function judgePod(pod: Pod | undefined, before: Pod | undefined, kept: Kept, excuses: number, accuse: Accuse): void {
  const [from, to] = [before?.spec.nodeName, pod?.spec.nodeName];
  if (pod && from !== undefined && from !== to) accuse("bound twice", pod.metadata.name);
  if (pod && !before) judgeBirth(pod, kept, excuses, accuse);
  if (to !== undefined && from === undefined) judgeNode(to, kept, accuse);
}

function judgeSet(set: ReplicaSet | undefined, before: ReplicaSet | undefined, kept: Kept, accuse: Accuse): void {
  if (before) kept.wantedBefore.set(before.metadata.uid, before.spec.replicas ?? 0);
  const deployment = set && byUid(kept.deployments, controllerOf(set)?.uid);
  if (!set || !deployment || set.spec.replicas === before?.spec.replicas) return;
  const grew = (set.spec.replicas ?? 0) > (before?.spec.replicas ?? 0);
  const total = owned(kept.replicasets, deployment.metadata.uid).reduce((sum, s) => sum + (s.spec.replicas ?? 0), 0);
  const { desired, surge, unavailable } = boundsOf(deployment);
  const bounds = `${deployment.metadata.name}: ${total} of ${desired} (+${surge} -${unavailable})`;
  if (grew ? total > desired + surge : total < desired - unavailable) accuse("rollout out of bounds", bounds);
}

/** `seen` is told of every commit, in order, so that two runs can be compared byte for byte. */
export function judged(inner: Storage, now: () => number, seen: (fact: Fact) => void): Judge {
  const kept: Kept = {
    pods: new Map(),
    replicasets: new Map(),
    deployments: new Map(),
    nodes: new Map(),
    wantedBefore: new Map(),
  };
  const violations: Violation[] = [];
  let commits = 0;
  const excuses: number[] = [];
  const excused = (): number => excuses.filter((at) => now() - at < 60_000).length;
  const accuse: Accuse = (rule, what) => void violations.push({ at: now(), rule, what });
  const judge = ({ key, value }: Write, revision: Revision): void => {
    const kind = kindOf(key);
    if (kind === undefined) return;
    const all = kept[kind] as Map<string, ApiObject>;
    const before = all.get(key);
    // What every reader of the log is given for these bytes.
    const after = value === null ? undefined : objectOf({ key, value, created: revision, modified: revision });
    if (after) all.set(key, after);
    else all.delete(key);
    if (kind === "pods") judgePod(after as Pod | undefined, before as Pod | undefined, kept, excused(), accuse);
    if (kind === "replicasets")
      judgeSet(after as ReplicaSet | undefined, before as ReplicaSet | undefined, kept, accuse);
  };
  return {
    violations,
    get commits() {
      return commits;
    },
    secondLeader: (what) => accuse("two leaders", what),
    excuse: () => void excuses.push(now()),
    pods: () => [...kept.pods.values()],
    deployments: () => [...kept.deployments.values()],
    storage: {
      ...inner,
      async commit(write) {
        const result = await inner.commit(write);
        if (!result.ok) return result;
        commits++;
        seen({ at: now(), revision: result.revision, key: write.key, value: write.value });
        judge(write, result.revision);
        return result;
      },
    },
  };
}
