// The counts and revisions in the status of a stateful set. Pure.
import { isReady, untilAvailable } from "../../api/core/pod/status.ts";
import type { ControllerRevision, Pod, StatefulSet, StatefulSetStatus } from "../../api/generated/types.ts";
import type { ApiObject, Instant } from "../../api/meta.ts";
import { desiredReplicas, revisionOf } from "./identity.ts";

export const isTerminating = ({ metadata }: ApiObject): boolean => metadata.deletionTimestamp !== undefined;
export const isRunningAndReady = (pod: Pod): boolean => pod.status?.phase === "Running" && isReady(pod);

/** Milliseconds until a running pod is available; infinite while it is not running and ready. */
export const waitOf = ({ spec }: StatefulSet, pod: Pod, now: Instant): number =>
  isRunningAndReady(pod) ? untilAvailable(pod, spec.minReadySeconds ?? 0, now) : Number.POSITIVE_INFINITY;

export interface Revisions {
  /** What pods below the partition are made from, and all pods before a rolling update. */
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
}

/** Kubernetes leaves zero counts out, except some. */
const orAbsent = (n: number): number | undefined => (n > 0 ? n : undefined);

/** A rolling update is complete when every pod is updated and ready: its revision becomes the current one. */
export function statusOf(
  set: StatefulSet,
  pods: readonly Pod[],
  { current, update }: Revisions,
  now: Instant,
): StatefulSetStatus {
  const ready = pods.filter(isRunningAndReady);
  const madeFrom = ({ metadata: { name } }: ControllerRevision): number =>
    pods.filter((pod) => !isTerminating(pod) && revisionOf(pod) === name).length;
  const [updated, desired] = [madeFrom(update), desiredReplicas(set)];
  const isComplete =
    set.spec.updateStrategy?.type === "RollingUpdate" &&
    [updated, ready.length, pods.length].every((count) => count === desired);
  return {
    ...set.status,
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    readyReplicas: orAbsent(ready.length),
    availableReplicas: ready.filter((pod) => waitOf(set, pod, now) === 0).length,
    currentReplicas: orAbsent(isComplete ? updated : madeFrom(current)),
    updatedReplicas: orAbsent(updated),
    currentRevision: (isComplete ? update : current).metadata.name,
    updateRevision: update.metadata.name,
  };
}
