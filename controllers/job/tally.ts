// The totals of a job and its pods, with the ends that are not counted yet. Pure.
import type { Job, Pod } from "../../api/generated/types.ts";
import { isActive } from "../../api/core/pod/status.ts";
import { hasIndex, type Indexes, parseIndexes, sizeOf, withIndexes } from "./indexes.ts";
import {
  allIndexFailures,
  endedAt,
  hasLimitPerIndex,
  indexFailures,
  indexesOf,
  indexOf,
  isCountable,
  isFailed,
  isIndexed,
  isSucceeded,
  isTerminating,
  isTracked,
} from "./pods.ts";
import { knownOutcome } from "./conditions.ts";
import { meaningOf } from "./policies.ts";

export interface Tally {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly active: readonly Pod[];
  readonly terminating: readonly Pod[];
  /** Totals, with the ends that the status does not count yet. */
  readonly succeeded: number;
  readonly failed: number;
  /** Of an indexed job. */
  readonly succeededIndexes: Indexes;
  /** Of a job with a limit per index. */
  readonly failedIndexes: Indexes | undefined;
  /**
   * The last failed pod of each index that is to be run again. It keeps its finalizer until the next pod of the index
   * exists, because it carries the number of failures.
   */
  readonly lastFailed: ReadonlyMap<number, Pod>;
}

/** Succeeded indexes: those of the status, and those of pods that are not counted yet. */
function succeededIndexesOf(job: Job, countable: readonly Pod[]): Indexes {
  if (!isIndexed(job)) return [];
  const before = parseIndexes(job.status?.completedIndexes, job.spec.completions ?? 0);
  return withIndexes(before, indexesOf(countable.filter(isSucceeded)));
}

/** An index has failed when its failures exceed the limit, or the pod failure policy fails it at once. */
function failsIndex(job: Job, pod: Pod): boolean {
  const { counts, action } = meaningOf(job, pod);
  return action === "FailIndex" || (counts && indexFailures(pod) >= (job.spec.backoffLimitPerIndex ?? 0));
}

function failedIndexesOf(job: Job, countable: readonly Pod[]): Indexes | undefined {
  if (!isIndexed(job) || !hasLimitPerIndex(job)) return undefined;
  const before = parseIndexes(job.status?.failedIndexes, job.spec.completions ?? 0);
  // The pods of a decided job are deleted, which is no failure of their indexes.
  if (knownOutcome(job)) return before;
  return withIndexes(before, indexesOf(countable.filter((pod) => isFailed(pod, job) && failsIndex(job, pod))));
}

function lastFailedOf(failed: readonly Pod[], decided: Indexes): ReadonlyMap<number, Pod> {
  const last = new Map<number, Pod>();
  for (const pod of failed) {
    const index = indexOf(pod);
    if (index === undefined || hasIndex(decided, index)) continue;
    const before = last.get(index);
    const isLater =
      before === undefined || (allIndexFailures(before) <= allIndexFailures(pod) && endedAt(before) <= endedAt(pod));
    if (isLater) last.set(index, pod);
  }
  return last;
}

/** Adds up a job and the pods it controls. */
export function tally(job: Job, pods: readonly Pod[]): Tally {
  const { succeeded = 0, failed = 0, uncountedTerminatedPods: uncounted = {} } = job.status ?? {};
  const isUncounted = (end: "succeeded" | "failed", pod: Pod): boolean =>
    uncounted[end]?.includes(pod.metadata.uid) === true;
  const countable = pods.filter((pod) => isTracked(pod) && isCountable(pod, job));
  const newSucceeded = countable.filter((pod) => isSucceeded(pod) && !isUncounted("succeeded", pod));
  const failedPods = countable.filter((pod) => isFailed(pod, job));
  const newFailed = failedPods.filter((pod) => !isUncounted("failed", pod) && meaningOf(job, pod).counts);
  const active = pods.filter(isActive);
  const succeededIndexes = succeededIndexesOf(job, countable);
  const failedIndexes = failedIndexesOf(job, countable);
  const decided = withIndexes([...succeededIndexes, ...(failedIndexes ?? [])], indexesOf(active));
  return {
    ...{ job, pods, active, succeededIndexes, failedIndexes },
    terminating: pods.filter(isTerminating),
    succeeded: isIndexed(job)
      ? sizeOf(succeededIndexes)
      : succeeded + newSucceeded.length + (uncounted.succeeded?.length ?? 0),
    failed: failed + newFailed.length + (uncounted.failed?.length ?? 0),
    lastFailed: hasLimitPerIndex(job) ? lastFailedOf(failedPods, decided) : new Map<number, Pod>(),
  };
}
