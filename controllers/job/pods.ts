// Facts about one pod of a job: its completion index, whether it is counted already, and whether and when it ended.
import type { ContainerStatus, Job, Pod } from "../../api/generated/types.ts";
import { conditionOf, isTerminal } from "../../api/core/pod/status.ts";
import { type Instant, instantOf } from "../../api/meta.ts";

/** Keeps a pod until its job has counted it, so that no end is lost and none is counted twice. Source: KEP-2307. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const indexAnnotation = "batch.kubernetes.io/job-completion-index";
/** Failures of earlier pods of the same index. */
export const failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count";
/** Of those, the ones that the pod failure policy ignores. */
export const ignoredCountAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count";

export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(trackingFinalizer) === true;
export const isSucceeded = (pod: Pod): boolean => pod.status?.phase === "Succeeded";
/** Being deleted, and not ended yet. */
export const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined && !isTerminal(pod);

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === "Indexed";
export const hasLimitPerIndex = ({ spec }: Job): boolean => spec.backoffLimitPerIndex !== undefined;
/** A pod is replaced only once it has ended, and not while it is being deleted. Source: KEP-3939. */
export const replacesFailedOnly = ({ spec }: Job): boolean =>
  spec.podReplacementPolicy === "Failed" || spec.podFailurePolicy !== undefined;

/** Deleted pods are failures as well: a pod of a lost node never reaches the phase Failed. */
export function isFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === "Failed") return true;
  return !replacesFailedOnly(job) && isTerminating(pod);
}

/** The completion index; undefined where there is none. */
export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexAnnotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Whether the end of a pod counts: in an indexed job only pods of its indexes do. */
export function isCountable(pod: Pod, job: Job): boolean {
  if (!isIndexed(job)) return true;
  const index = indexOf(pod);
  return index !== undefined && index < (job.spec.completions ?? 0);
}

/** The indexes of pods, those without one left out. */
export const indexesOf = (pods: readonly Pod[]): readonly number[] =>
  pods.map(indexOf).filter((index) => index !== undefined);

const countIn = (pod: Pod, annotation: string): number => {
  const count = Number(pod.metadata.annotations?.[annotation] ?? 0);
  return Number.isInteger(count) && count >= 0 && count < 2 ** 31 ? count : 0;
};
export const indexFailures = (pod: Pod): number => countIn(pod, failureCountAnnotation);
export const ignoredIndexFailures = (pod: Pod): number => countIn(pod, ignoredCountAnnotation);
/** Failures of earlier pods of the index, with those that are ignored: the back-off counts all. */
export const allIndexFailures = (pod: Pod): number => indexFailures(pod) + ignoredIndexFailures(pod);

/** The latest end of the containers, or undefined when one has not ended. */
function latestEnd(containers: readonly ContainerStatus[]): Instant | undefined {
  const ends = containers.map((c) => c.state?.terminated?.finishedAt);
  if (ends.length === 0 || ends.some((end) => end === undefined)) return undefined;
  return ends.map((end) => instantOf(end!)).toSorted((a, b) => b - a)[0];
}

/** When a pod ended: the end of its containers, else when it was last ready, else when it was deleted. */
export function endedAt({ metadata, spec, status }: Pod): Instant {
  const sidecars = (spec.initContainers ?? []).filter((c) => c.restartPolicy === "Always").map((c) => c.name);
  const sidecarStatuses = (status?.initContainerStatuses ?? []).filter((s) => sidecars.includes(s.name));
  const end = latestEnd([...(status?.containerStatuses ?? []), ...sidecarStatuses]);
  if (end !== undefined) return end;
  const ready = conditionOf(status?.conditions, "Ready");
  if (ready?.status === "False" && ready.lastTransitionTime) return instantOf(ready.lastTransitionTime);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = metadata;
  if (deletionTimestamp === undefined) return instantOf(creationTimestamp);
  return (instantOf(deletionTimestamp) - deletionGracePeriodSeconds * 1000) as Instant;
}
