// Which pods a job that is not decided creates and deletes. Pure.
import type { Job, Pod } from "../../api/generated/types.ts";
import { pods as podKind } from "../../api/core/pods.ts";
import { byDeletionOrder } from "../../api/core/pod/deletion-order.ts";
import type { Draft, Instant } from "../../api/meta.ts";
import type { Action } from "../../machinery/action.ts";
import { waitAfter, waitOfIndex } from "./backoff.ts";
import { missingIndexes, union, withIndexes } from "./indexes.ts";
import { nameOfIndex, type Names, newNames, podOf, podOfIndex } from "./new-pod.ts";
import { isSuspended } from "./conditions.ts";
import {
  hasLimitPerIndex,
  indexesOf,
  indexOf,
  isCountable,
  isIndexed,
  isTracked,
  replacesFailedOnly,
  trackingFinalizer,
} from "./pods.ts";
import type { Tally } from "./tally.ts";

/** Pods created or deleted in one decision at most. */
const most = 500;

/** Pods to create, and active pods that the job no longer needs. At most one of both lists has pods. */
export interface Changes {
  readonly created: readonly Draft<Pod>[];
  readonly surplus: readonly Pod[];
  /** Milliseconds until the back-off allows more. */
  readonly waitMs?: number;
}

/** Removes the tracking finalizer of exactly this version of a pod. */
export function untrack(object: Pod): Action {
  const { uid, resourceVersion, finalizers = [] } = object.metadata;
  const left = finalizers.filter((f) => f !== trackingFinalizer);
  const patch = { metadata: { uid, resourceVersion, finalizers: left.length > 0 ? left : null } };
  return { do: "patch", resource: podKind, object, patch: { type: "merge", patch } };
}

/** Pods without a valid index, and all but one of each index. */
function repeated(job: Job, active: readonly Pod[]): readonly Pod[] {
  if (!isIndexed(job)) return [];
  const byIndex = Map.groupBy(active, (pod) => (isCountable(pod, job) ? indexOf(pod) : undefined));
  return [...byIndex].flatMap(([index, same]) =>
    index === undefined ? same : byDeletionOrder(same).slice(0, same.length - 1),
  );
}

/** How many pods are to be active. */
function desiredOf({ job, active, succeeded }: Tally): number {
  if (isSuspended(job)) return 0;
  const { parallelism = 1, completions } = job.spec;
  // Without a number of completions, the first success lets the others run to their end and starts none.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(parallelism, completions - succeeded));
}

function surplusOf({ job, active }: Tally, desired: number): readonly Pod[] {
  // A pod that is not tracked any more was chosen before, and its end would not count.
  const chosen = new Set([...active.filter((pod) => !isTracked(pod)), ...repeated(job, active)]);
  const rest = active.filter((pod) => !chosen.has(pod));
  return [...chosen, ...byDeletionOrder(rest).slice(0, Math.max(0, active.length - desired - chosen.size))];
}

function createIndexed(tally: Tally, names: Names, count: number, now: Instant): Changes {
  const { job, active, terminating, succeededIndexes, failedIndexes = [], lastFailed } = tally;
  const busy = [...indexesOf(active), ...(replacesFailedOnly(job) ? indexesOf(terminating) : [])];
  const pending = withIndexes(union(succeededIndexes, failedIndexes), busy);
  const indexes = missingIndexes(pending, job.spec.completions ?? 0, count).map((index) => {
    const failed = lastFailed.get(index);
    return { index, failed, waitMs: failed && hasLimitPerIndex(job) ? waitOfIndex(failed, now) : 0 };
  });
  const waits = indexes.map(({ waitMs }) => waitMs).filter((ms) => ms > 0);
  return {
    created: indexes
      .filter(({ waitMs }) => waitMs === 0)
      .map(({ index, failed }) => podOfIndex(job, nameOfIndex(names, index), index, failed)),
    surplus: [],
    ...(waits.length > 0 && { waitMs: Math.min(...waits) }),
  };
}

/**
 * The pods to create and delete. What is surplus goes before anything is created. `deletedAt`: when pods ended that
 * others deleted.
 */
export function manage(tally: Tally, names: Names, deletedAt: readonly Instant[], now: Instant): Changes {
  const { job, active, terminating, pods } = tally;
  const desired = desiredOf(tally);
  const surplus = surplusOf(tally, desired).slice(0, most);
  if (surplus.length > 0) return { created: [], surplus };
  const occupied = active.length + (replacesFailedOnly(job) ? terminating.length : 0);
  const count = Math.min(most, Math.max(0, desired - occupied));
  if (count === 0) return { created: [], surplus };
  const waitMs = hasLimitPerIndex(job)
    ? 0
    : waitAfter(
        pods.filter((pod) => isCountable(pod, job)),
        deletedAt,
        now,
      );
  if (waitMs > 0) return { created: [], surplus, waitMs };
  if (isIndexed(job)) return createIndexed(tally, names, count, now);
  return { created: newNames(names, count).map((name) => podOf(job, name)), surplus };
}
