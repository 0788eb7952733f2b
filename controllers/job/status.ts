// The status of a job, and which pods it counts. A pod's end is written into the status before its finalizer is
// removed, and its uid leaves the status after that: after any interruption the end counts once. Source:
// KEP-2307.
import { withCondition } from "../../api/conditions.ts";
import type { Job, JobCondition, JobStatus, Pod } from "../../api/generated/types.ts";
import { isReady } from "../../api/core/pod/status.ts";
import { timestamp, type Instant } from "../../api/meta.ts";
import { formatIndexes, hasIndex, parseIndexes, sizeOf, withIndexes } from "./indexes.ts";
import { conditionThat, isSuspended, knownOutcome, type Outcome } from "./conditions.ts";
import { indexOf, isCountable, isFailed, isIndexed, isSucceeded, isTracked } from "./pods.ts";
import { meaningOf } from "./policies.ts";
import type { Tally } from "./tally.ts";

/** Uids in a status at most: they must stay below 20 KB. */
const mostUncounted = 500;

/** The decision about a job in this reconcile. */
export interface Decided {
  readonly outcome: Outcome | undefined;
  /** Active pods, ready pods and pods being deleted, once the decision is carried out. */
  readonly active: number;
  readonly ready: number;
  readonly terminating: number;
}

/** The pods of a decision that deletes some of the active ones and creates more. */
export function afterwards({ active, terminating }: Tally, deleted: readonly Pod[], created: number) {
  return {
    active: active.length - deleted.length + created,
    ready: active.filter(isReady).length - deleted.filter(isReady).length,
    terminating: terminating.length + deleted.length,
  };
}

/** The pods whose finalizer can go once the status counts them. */
function endedPods({ job, pods, lastFailed }: Tally, outcome: Outcome | undefined): readonly Pod[] {
  const isDelayed = (pod: Pod): boolean => lastFailed.get(indexOf(pod) ?? -1)?.metadata.uid === pod.metadata.uid;
  const isOver = job.metadata.deletionTimestamp !== undefined || outcome !== undefined;
  return pods.filter(
    (pod) => isTracked(pod) && (isOver || isSucceeded(pod) || (isFailed(pod, job) && !isDelayed(pod))),
  );
}

type Counts = Required<Pick<JobStatus, "uncountedTerminatedPods" | "succeeded" | "failed">>;
interface Counted {
  readonly counts: Counts;
  readonly newIndexes: readonly number[];
  /** Ended pods that the status counts, or that need no counting. */
  readonly accounted: readonly Pod[];
}
const untrackedIn = (uids: readonly string[], tracked: ReadonlySet<string>): number =>
  uids.filter((uid) => !tracked.has(uid)).length;

/** Once a job has failed, pods that were running count as failed; once it has succeeded, those it deletes do not. */
function hasFailed(job: Job, pod: Pod, outcome: Outcome | undefined): boolean {
  if (outcome?.type === "FailureTarget") return true;
  const isDeletedBySuccess = knownOutcome(job) !== undefined && pod.metadata.deletionTimestamp !== undefined;
  return !isDeletedBySuccess && isFailed(pod, job);
}

/** Where the status notes the end of a pod: under its index, as a uid, or nowhere. */
function noteOf({ job }: Tally, pod: Pod, outcome: Outcome | undefined): "index" | "succeeded" | "failed" | "none" {
  if (!isCountable(pod, job)) return "none";
  if (isSucceeded(pod)) return isIndexed(job) ? "index" : "succeeded";
  return hasFailed(job, pod, outcome) && meaningOf(job, pod).counts ? "failed" : "none";
}

/** Uids that are not tracked any more move into the counters; uids of ended pods come in. */
function count(tally: Tally, outcome: Outcome | undefined): Counted {
  const { job, pods } = tally;
  const { status = {}, spec } = job;
  const tracked = new Set(pods.filter(isTracked).map((pod) => pod.metadata.uid));
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const uids = {
    succeeded: new Set(succeeded.filter((uid) => tracked.has(uid))),
    failed: new Set(failed.filter((uid) => tracked.has(uid))),
  };
  const before = parseIndexes(status.completedIndexes, spec.completions ?? 0);
  const newIndexes: number[] = [];
  const accounted: Pod[] = [];
  for (const pod of endedPods(tally, outcome)) {
    const { uid } = pod.metadata;
    const note = noteOf(tally, pod, outcome);
    const isNoted =
      note === "index" ? hasIndex(before, indexOf(pod)!) : uids.succeeded.has(uid) || uids.failed.has(uid);
    if (note !== "none" && !isNoted) {
      if (uids.succeeded.size + uids.failed.size + newIndexes.length >= mostUncounted) continue;
      if (note === "index") newIndexes.push(indexOf(pod)!);
      else uids[note].add(uid);
    }
    accounted.push(pod);
  }
  const lists = Object.entries(uids).filter(([, list]) => list.size > 0);
  const counts = {
    uncountedTerminatedPods: Object.fromEntries(lists.map(([end, list]) => [end, [...list]])),
    succeeded: (status.succeeded ?? 0) + untrackedIn(succeeded, tracked),
    failed: (status.failed ?? 0) + untrackedIn(failed, tracked),
  };
  return { counts, newIndexes, accounted };
}

/** The counters of an indexed job are its indexes. */
function indexesOf({ job, failedIndexes }: Tally, newIndexes: readonly number[]): Partial<JobStatus> {
  if (!isIndexed(job)) return {};
  const before = parseIndexes(job.status?.completedIndexes, job.spec.completions ?? 0);
  const succeeded = withIndexes(before, newIndexes);
  return {
    succeeded: sizeOf(succeeded),
    completedIndexes: formatIndexes(succeeded) || undefined,
    failedIndexes: failedIndexes && formatIndexes(failedIndexes),
  };
}

function withJobCondition(
  all: readonly JobCondition[],
  condition: Pick<JobCondition, "type" | "reason" | "message">,
  now: Instant,
  status = "True",
): readonly JobCondition[] {
  const changed = withCondition<JobCondition>(all, { ...condition, status }, now);
  if (changed === all) return all;
  return changed.map((c) => (c.type === condition.type ? { ...c, lastProbeTime: timestamp(now) } : c));
}

/** Suspended is set once a job was suspended, and False after it is resumed. */
function suspension(job: Job, all: readonly JobCondition[], now: Instant): readonly JobCondition[] {
  if (isSuspended(job))
    return withJobCondition(all, { type: "Suspended", reason: "JobSuspended", message: "Job suspended" }, now);
  return all.some((c) => c.type === "Suspended")
    ? withJobCondition(all, { type: "Suspended", reason: "JobResumed", message: "Job resumed" }, now, "False")
    : all;
}

/** The final condition follows the outcome when every pod is gone and counted. */
function conditionsOf(tally: Tally, { outcome, active, terminating }: Decided, counts: Counts, now: Instant) {
  const { job, pods } = tally;
  const all = job.status?.conditions ?? [];
  if (outcome === undefined) return job.metadata.deletionTimestamp === undefined ? suspension(job, all, now) : all;
  if (conditionThat(job, outcome.type) === undefined) return withJobCondition(all, outcome, now);
  const isOpen = active + terminating > 0 || Object.keys(counts.uncountedTerminatedPods).length > 0;
  if (isOpen || pods.some(isTracked)) return all;
  return withJobCondition(all, { ...outcome, type: outcome.type === "FailureTarget" ? "Failed" : "Complete" }, now);
}

/** The time the job started: none while it is suspended, and a new one when it is resumed. */
function startOf(job: Job, conditions: readonly JobCondition[], now: Instant): string | undefined {
  const before = job.status?.startTime;
  const isChanged =
    conditions.find((c) => c.type === "Suspended") !== job.status?.conditions?.find((c) => c.type === "Suspended");
  if (isSuspended(job)) return isChanged ? undefined : before;
  return isChanged ? timestamp(now) : (before ?? timestamp(now));
}

/** The status once a decision is carried out, and the pods that are counted in it. */
export interface Accounted {
  readonly status: JobStatus;
  readonly accounted: readonly Pod[];
}

/** Zero counts are left out of a status, except those of ready and terminating. */
export function account(tally: Tally, decided: Decided, now: Instant): Accounted {
  const { job } = tally;
  const { counts, newIndexes, accounted } = count(tally, decided.outcome);
  const conditions = conditionsOf(tally, decided, counts, now);
  const isNowComplete = conditions.some((c) => c.type === "Complete") && job.status?.completionTime === undefined;
  const { succeeded, failed, ...indexes } = { ...counts, ...indexesOf(tally, newIndexes) };
  const status: JobStatus = {
    ...job.status,
    ...indexes,
    succeeded: succeeded || undefined,
    failed: failed || undefined,
    startTime: startOf(job, conditions, now),
    active: decided.active || undefined,
    ready: decided.ready,
    terminating: decided.terminating,
    conditions: conditions.length > 0 ? conditions : undefined,
    ...(isNowComplete && { completionTime: timestamp(now) }),
  };
  return { status, accounted };
}
