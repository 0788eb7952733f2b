// The pods a replica set creates, deletes, adopts and releases, and its status. Pure.
import { conditionOf, isActive, isReady, restarts } from "../../api/core/pod/status.ts";
import type { Pod, ReplicaSet, ReplicaSetStatus } from "../../api/generated/types.ts";
import { childName } from "../../api/hash.ts";
import { pods } from "../../api/core/pods.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { replicationControllers } from "../../api/core/replicationcontrollers.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { instantOf, ownedBy, type Draft, type Instant } from "../../api/meta.ts";
import { recordEvent, statusTo } from "../../machinery/action.ts";
import { claim } from "../../machinery/selector-index.ts";
import type { Decision } from "../../machinery/controller.ts";

export interface Observed {
  /** Or a ReplicationController in the form of a set. */
  readonly set: ReplicaSet;
  /** Pods it controls, and uncontrolled ones that its selector picks. */
  readonly pods: readonly Pod[];
  /** Whether a pod of that name exists, of whatever owner. */
  readonly isTaken: (name: string) => boolean;
  /** Deletions seen of its pods: a replacement gets a new name, a retry of the same decision the same name. */
  readonly deletions: number;
}

const cost = (p: Pod): number =>
  Number(p.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? 0) || 0;
const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const readySince = (p: Pod): number => {
  const since = isReady(p) ? conditionOf(p.status?.conditions, "Ready")?.lastTransitionTime : undefined;
  return since === undefined ? Number.POSITIVE_INFINITY : instantOf(since);
};
const created = (p: Pod): number => instantOf(p.metadata.creationTimestamp);

/**
 * The order in which surplus pods are deleted: not scheduled, not running, not ready, of low deletion cost, on nodes
 * with many of them, recently ready, often restarted, young, then by name.
 */
function byDeletionOrder(live: readonly Pod[]): readonly Pod[] {
  const perNode = new Map<string | undefined, number>();
  for (const p of live) perNode.set(p.spec.nodeName, (perNode.get(p.spec.nodeName) ?? 0) + 1);
  const keys = (p: Pod): readonly number[] => [
    p.spec.nodeName === undefined ? 0 : 1,
    phaseRank[p.status?.phase ?? "Pending"] ?? 0,
    isReady(p) ? 1 : 0,
    cost(p),
    -perNode.get(p.spec.nodeName)!,
    isReady(p) ? -readySince(p) : 0,
    -restarts(p),
    -created(p),
  ];
  return live
    .map((pod) => ({ pod, keys: keys(pod) }))
    .toSorted((a, b) => {
      const i = a.keys.findIndex((k, n) => k !== b.keys[n]);
      return i >= 0 ? a.keys[i]! - b.keys[i]! : a.pod.metadata.name < b.pod.metadata.name ? -1 : 1;
    })
    .map(({ pod }) => pod);
}

function podFor(set: ReplicaSet, name: string): Draft<Pod> {
  const { metadata, spec } = set.spec.template!;
  return {
    kind: "Pod",
    metadata: { ...metadata, name, namespace: set.metadata.namespace, ownerReferences: [ownedBy(set)] },
    spec: spec!,
  };
}

function newNames({ set, isTaken, deletions }: Observed, count: number): readonly string[] {
  const names: string[] = [];
  for (let slot = 0; names.length < count; slot++) {
    const name = childName(set.metadata, slot, deletions);
    if (!isTaken(name)) names.push(name);
  }
  return names;
}

interface Availability {
  readonly available: number;
  /** Until the next ready pod has been so for long enough. */
  readonly waitMs?: number;
}
function availability(ready: readonly Pod[], minReadySeconds: number, now: Instant): Availability {
  const left = ready.map((p) => readySince(p) + minReadySeconds * 1000 - now).filter((ms) => ms > 0);
  if (minReadySeconds === 0) return { available: ready.length };
  return { available: ready.length - left.length, ...(left.length > 0 ? { waitMs: Math.min(...left) } : {}) };
}

function statusOf(set: ReplicaSet, live: readonly Pod[], terminating: number, available: number): ReplicaSetStatus {
  const template = set.spec.template?.metadata?.labels ?? {};
  const labelled = live.filter((p) => Object.entries(template).every(([k, v]) => p.metadata.labels?.[k] === v));
  const ready = live.filter(isReady);
  return {
    ...set.status,
    replicas: live.length,
    fullyLabeledReplicas: labelled.length || undefined,
    readyReplicas: ready.length || undefined,
    availableReplicas: available || undefined,
    terminatingReplicas: terminating,
    observedGeneration: set.metadata.generation,
  };
}

const resourceOf = ({ kind }: ReplicaSet): ResourceDefinition =>
  kind === replicaSets.kind ? replicaSets : replicationControllers;

export function decide(observed: Observed, now: Instant): Decision {
  const { set } = observed;
  const owner = { kind: resourceOf(set), object: set, selector: set.spec.selector };
  const { owned, actions: claims } = claim(owner, pods, observed.pods, isActive);
  const live = owned.filter(isActive);
  const terminating = owned.filter((p) => p.metadata.deletionTimestamp !== undefined).length;
  const desired = set.spec.replicas ?? 1;
  const isDeleted = set.metadata.deletionTimestamp !== undefined;
  const surplus = isDeleted || live.length <= desired ? [] : byDeletionOrder(live).slice(0, live.length - desired);
  const names = isDeleted ? [] : newNames(observed, Math.max(0, desired - live.length));
  const { available, waitMs } = availability(live.filter(isReady), set.spec.minReadySeconds ?? 0, now);
  const status = statusOf(set, live, terminating, available);
  return {
    actions: [
      ...claims,
      ...names.map((name) => ({ do: "create", resource: pods, draft: podFor(set, name) }) as const),
      ...surplus.map((object) => ({ do: "delete", resource: pods, object }) as const),
      ...names.map((name) => recordEvent(set, "Normal", "SuccessfulCreate", `Created pod: ${name}`)),
      ...surplus.map((p) => recordEvent(set, "Normal", "SuccessfulDelete", `Deleted pod: ${p.metadata.name}`)),
      ...statusTo(owner.kind, set, status),
    ],
    because: [`${desired} desired, ${live.length} active, ${terminating} terminating`],
    ...(waitMs === undefined ? {} : { requeueAfter: waitMs }),
  };
}
