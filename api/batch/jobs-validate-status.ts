// Validation of a job's status: which conditions can hold together, and that a finished job stays finished.
import type { Job, JobStatus } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { instantOf } from "../meta.ts";
import { duplicate, invalid, required, together, unfit } from "../problems.ts";
import { countIndexes, sharedIndex } from "./jobs-indexes.ts";

const holds = (status: JobStatus, type: string): boolean =>
  status.conditions?.some((c) => c.type === type && c.status === "True") === true;
const refuse = (detail: string): Problem => unfit("status.conditions", detail);

/** Conditions that exclude each other. */
const contradictions = [
  ["Complete", "Failed"],
  ["Complete", "FailureTarget"],
  ["SuccessCriteriaMet", "Failed"],
  ["SuccessCriteriaMet", "FailureTarget"],
] as const;
/** Conditions of which the first requires the second. */
const dependencies = [
  ["Failed", "FailureTarget"],
  ["Complete", "SuccessCriteriaMet"],
] as const;
const terminal = ["Failed", "Complete", "FailureTarget"] as const;

function validateConditions(now: JobStatus, then: JobStatus): readonly Problem[] {
  const isMet = holds(now, "SuccessCriteriaMet");
  const wasMet = holds(then, "SuccessCriteriaMet");
  return together(
    contradictions
      .filter(([a, b]) => holds(now, a) && holds(now, b))
      .map(([a, b]) => refuse(`cannot set ${a}=True and ${b}=true conditions`)),
    dependencies
      .filter(([a, b]) => holds(now, a) && !holds(now, b) && !holds(then, a))
      .map(([a, b]) => refuse(`cannot set ${a}=True condition without the ${b}=true condition`)),
    terminal
      .filter((type) => holds(then, type) && !holds(now, type))
      .map((type) => refuse(`cannot disable the terminal ${type}=True condition`)),
    wasMet && !isMet && refuse("cannot disable the SuccessCriteriaMet=True condition"),
    isMet &&
      !wasMet &&
      holds(then, "Complete") &&
      refuse("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"),
  );
}

function validateUncounted({ uncountedTerminatedPods: pods }: JobStatus): readonly Problem[] {
  const all = (["succeeded", "failed"] as const).flatMap((end) =>
    (pods?.[end] ?? []).map((uid, i) => ({ uid, path: `status.uncountedTerminatedPods.${end}[${i}]` })),
  );
  return all.flatMap(({ uid, path }, i) => {
    if (uid === "") return [invalid(path, uid, "must not be empty")];
    return all.findIndex((other) => other.uid === uid) < i ? [duplicate(path, uid)] : [];
  });
}

/** A completion time is required of a complete job, and refused otherwise. */
function validateTimes(job: Job, now: JobStatus, then: JobStatus): readonly Problem[] {
  const { startTime, completionTime } = now;
  const [isComplete, path] = [holds(now, "Complete"), "status.completionTime"];
  const isEarly = startTime && completionTime && instantOf(completionTime) < instantOf(startTime);
  const isChanged = completionTime && then.completionTime && completionTime !== then.completionTime;
  const isRestarted = then.startTime && then.startTime !== startTime && job.spec.suspend !== true;
  return together(
    completionTime !== undefined &&
      !isComplete &&
      invalid(path, completionTime, "cannot set completionTime when there is no Complete=True condition"),
    completionTime === undefined && isComplete && required(path, "completionTime is required for Complete jobs"),
    isEarly && invalid(path, completionTime, "must be equal to or after `startTime`"),
    isChanged && invalid(path, completionTime, "field is immutable"),
    isRestarted && required("status.startTime", "startTime cannot be removed for unsuspended job"),
  );
}

function validateEnd(now: JobStatus): readonly Problem[] {
  if (!holds(now, "Complete") && !holds(now, "Failed")) return [];
  const { active = 0, terminating = 0, uncountedTerminatedPods: pods } = now;
  return together(
    active > 0 && invalid("status.active", active, "active>0 is invalid for finished job"),
    now.startTime === undefined && required("status.startTime", "startTime is required for finished job"),
    (pods?.failed?.length || pods?.succeeded?.length) &&
      invalid("status.uncountedTerminatedPods", pods, "must be empty for finished job"),
    terminating > 0 && invalid("status.terminating", terminating, "terminating>0 is invalid for finished job"),
  );
}

function validateIndexes({ spec }: Job, now: JobStatus): readonly Problem[] {
  const { completedIndexes: completed = "", failedIndexes: failed } = now;
  const { completions = 0, backoffLimitPerIndex: limit } = spec;
  const [completedCount, failedCount] = [countIndexes(completed, completions), countIndexes(failed ?? "", completions)];
  const shared = sharedIndex(completed, failed ?? "", completions);
  const refuseCompleted = (detail: string): Problem => invalid("status.completedIndexes", completed, detail);
  const refuseFailed = (detail: string): Problem => invalid("status.failedIndexes", failed, detail);
  return together(
    typeof completedCount === "string" &&
      spec.completions !== undefined &&
      refuseCompleted(`error parsing completedIndexes: ${completedCount}`),
    completed !== "" &&
      spec.completionMode !== "Indexed" &&
      refuseCompleted("cannot set non-empty completedIndexes when non-indexed completion mode"),
    typeof failedCount === "string" &&
      limit !== undefined &&
      refuseFailed(`error parsing failedIndexes: ${failedCount}`),
    failed !== undefined &&
      limit === undefined &&
      refuseFailed("cannot set non-null failedIndexes when backoffLimitPerIndex is null"),
    shared !== undefined && refuseFailed(`failedIndexes and completedIndexes overlap at index: ${shared}`),
  );
}

/** Validates a job's new status against its old one. */
export function validateJobStatus(job: Job, old: Job): readonly Problem[] {
  const { status: now = {} } = job;
  const { status: then = {} } = old;
  const decreased = (["failed", "succeeded"] as const).filter((field) => (now[field] ?? 0) < (then[field] ?? 0));
  return together(
    validateUncounted(now),
    validateConditions(now, then),
    validateTimes(job, now, then),
    validateEnd(now),
    validateIndexes(job, now),
    job.spec.successPolicy &&
      holds(now, "Complete") &&
      !holds(now, "SuccessCriteriaMet") &&
      refuse("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"),
    (now.ready ?? 0) > (now.active ?? 0) &&
      invalid("status.ready", now.ready, "cannot set more ready pods than active"),
    decreased.map((field) => invalid(`status.${field}`, now[field] ?? 0, `cannot decrease the ${field} counter`)),
  );
}
