// The pods a replica set creates, deletes, adopts and releases, and its status. Pure.
import { withCondition, withoutCondition } from "../../api/conditions.ts";
import { byDeletionOrder } from "../../api/core/pod/deletion-order.ts";
import { isActive, isReady, untilAvailable } from "../../api/core/pod/status.ts";
import type { Pod, ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from "../../api/generated/types.ts";
import { childName } from "../../api/hash.ts";
import { pods } from "../../api/core/pods.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { replicationControllers } from "../../api/core/replicationcontrollers.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { ownedBy, type Draft, type Instant } from "../../api/meta.ts";
import { type Action, failedCreate, recordEvent, statusTo } from "../../machinery/action.ts";
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
/** Of surplus pods, those of a low deletion cost go first, then those on a node with many of them. */
function surplusOf(live: readonly Pod[], count: number): readonly Pod[] {
  const perNode = new Map<string | undefined, number>();
  for (const p of live) perNode.set(p.spec.nodeName, (perNode.get(p.spec.nodeName) ?? 0) + 1);
  return byDeletionOrder(live, (p) => [cost(p), -perNode.get(p.spec.nodeName)!]).slice(0, count);
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
function availability(live: readonly Pod[], minReadySeconds: number, now: Instant): Availability {
  const waits = live.map((p) => untilAvailable(p, minReadySeconds, now));
  const next = Math.min(...waits.filter((ms) => ms > 0));
  return { available: waits.filter((ms) => ms === 0).length, ...(Number.isFinite(next) ? { waitMs: next } : {}) };
}

const failure = "ReplicaFailure";
/** The conditions without that of a failure, unless there are pods to create: then the next attempt decides. */
function conditionsOf({ status }: ReplicaSet, missing: number): ReplicaSetStatus["conditions"] {
  const kept = missing > 0 ? status?.conditions : withoutCondition(status?.conditions, failure);
  return kept?.length ? kept : undefined;
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
  const surplus = isDeleted || live.length <= desired ? [] : surplusOf(live, live.length - desired);
  const names = isDeleted ? [] : newNames(observed, Math.max(0, desired - live.length));
  const { available, waitMs } = availability(live, set.spec.minReadySeconds ?? 0, now);
  const status = { ...statusOf(set, live, terminating, available), conditions: conditionsOf(set, names.length) };
  const refused = (message: string): readonly Action[] => {
    const condition = { type: failure, status: "True", reason: "FailedCreate", message };
    const conditions = withCondition<ReplicaSetCondition>(status.conditions, condition, now);
    return [...failedCreate(set)(message), ...statusTo(owner.kind, set, { ...status, conditions })];
  };
  return {
    actions: [
      ...claims,
      ...names.map((name) => ({ do: "create", resource: pods, draft: podFor(set, name), refused }) as const),
      ...surplus.map((object) => ({ do: "delete", resource: pods, object }) as const),
      ...names.map((name) => recordEvent(set, "Normal", "SuccessfulCreate", `Created pod: ${name}`)),
      ...surplus.map((p) => recordEvent(set, "Normal", "SuccessfulDelete", `Deleted pod: ${p.metadata.name}`)),
      ...statusTo(owner.kind, set, status),
    ],
    because: [`${desired} desired, ${live.length} active, ${terminating} terminating`],
    ...(waitMs === undefined ? {} : { requeueAfter: waitMs }),
  };
}
