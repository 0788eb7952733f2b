// Whether a job is decided: because it was decided before, by a failure, or by its success policy. Pure.
import type { Job, Pod } from "../../api/generated/types.ts";
import { type Instant, instantOf } from "../../api/meta.ts";
import { knownOutcome, type Outcome } from "./conditions.ts";
import { sizeOf } from "./indexes.ts";
import { isIndexed } from "./pods.ts";
import { jobFailure, successBy } from "./policies.ts";
import type { Tally } from "./tally.ts";

const failure = (reason: string, message: string): Outcome => ({ type: "FailureTarget", reason, message });
export const completed: Outcome = {
  type: "SuccessCriteriaMet",
  reason: "CompletionsReached",
  message: "Reached expected number of succeeded pods",
};

/** With restarts in place, these count towards the back-off limit. */
function exceedsRestarts({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec?.restartPolicy !== "OnFailure") return false;
  const restarts = pods
    .filter(({ status }) => status?.phase === "Running" || status?.phase === "Pending")
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, c) => sum + c.restartCount, 0);
  return restarts > 0 && restarts >= (spec.backoffLimit ?? 6);
}

/** Milliseconds until the job has been active for too long; undefined without a limit. */
export function deadlineIn({ spec, status }: Job, now: Instant): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || spec.suspend === true) return undefined;
  const started = status?.startTime === undefined ? now : instantOf(status.startTime);
  return started + spec.activeDeadlineSeconds * 1000 - now;
}

function failedByIndexes({ job, failedIndexes, succeededIndexes }: Tally): Outcome | undefined {
  if (failedIndexes === undefined) return undefined;
  const { maxFailedIndexes = Number.POSITIVE_INFINITY, completions = 0 } = job.spec;
  const failed = sizeOf(failedIndexes);
  if (failed > maxFailedIndexes)
    return failure("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
  return failed > 0 && failed + sizeOf(succeededIndexes) >= completions
    ? failure("FailedIndexes", "Job has failed indexes")
    : undefined;
}

function failed(tally: Tally, now: Instant): Outcome | undefined {
  const { job, pods } = tally;
  const message = jobFailure(job, pods);
  if (message !== undefined) return failure("PodFailurePolicy", message);
  if (tally.failed > (job.spec.backoffLimit ?? 6) || exceedsRestarts(job, pods))
    return failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  if ((deadlineIn(job, now) ?? 1) <= 0)
    return failure("DeadlineExceeded", "Job was active longer than specified deadline");
  return failedByIndexes(tally);
}

function succeeded({ job, succeededIndexes }: Tally): Outcome | undefined {
  const message = isIndexed(job) ? successBy(job, succeededIndexes) : undefined;
  return message === undefined ? undefined : { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message };
}

/** The outcome that ends a job whatever its pods do. Failure precedes success. */
export const outcomeOf = (tally: Tally, now: Instant): Outcome | undefined =>
  knownOutcome(tally.job) ?? failed(tally, now) ?? succeeded(tally);

/** All pods that are needed have succeeded, and no pod is active. */
export function isComplete({ job, succeeded }: Tally, active: number): boolean {
  const { completions } = job.spec;
  return active === 0 && (completions === undefined ? succeeded > 0 : succeeded >= completions);
}
