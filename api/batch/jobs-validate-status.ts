// What can be wrong with how a job is said to have gone. A job that has ended has ended in one way, and stays ended.
import type { Job, JobStatus } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { instantOf } from "../meta.ts";
import { duplicate, invalid, required, together, unfit } from "../problems.ts";
import { countIndexes, sharedIndex } from "./jobs-indexes.ts";

const holds = (status: JobStatus, type: string): boolean =>
  status.conditions?.some((c) => c.type === type && c.status === "True") === true;
const refuse = (detail: string): Problem => unfit("status.conditions", detail);

/** Conditions that cannot both hold, and how that is said. */
const contradictions = [
  ["Complete", "Failed", "cannot set Complete=True and Failed=true conditions"],
  ["Complete", "FailureTarget", "cannot set Complete=True and FailureTarget=true conditions"],
  ["SuccessCriteriaMet", "Failed", "cannot set SuccessCriteriaMet=True and Failed=true conditions"],
  ["SuccessCriteriaMet", "FailureTarget", "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"],
] as const;
/** Conditions of which the first needs the second. */
const needs = [
  ["Failed", "FailureTarget", "cannot set Failed=True condition without the FailureTarget=true condition"],
  [
    "Complete",
    "SuccessCriteriaMet",
    "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
  ],
] as const;
const lasting = ["Failed", "Complete", "FailureTarget"] as const;

function validateConditions(now: JobStatus, then: JobStatus): readonly Problem[] {
  return together(
    contradictions.filter(([a, b]) => holds(now, a) && holds(now, b)).map(([, , detail]) => refuse(detail)),
    needs.filter(([a, b]) => holds(now, a) && !holds(now, b) && !holds(then, a)).map(([, , detail]) => refuse(detail)),
    lasting
      .filter((type) => holds(then, type) && !holds(now, type))
      .map((type) => refuse(`cannot disable the terminal ${type}=True condition`)),
    holds(then, "SuccessCriteriaMet") &&
      !holds(now, "SuccessCriteriaMet") &&
      refuse("cannot disable the SuccessCriteriaMet=True condition"),
    holds(then, "Complete") &&
      !holds(then, "SuccessCriteriaMet") &&
      holds(now, "SuccessCriteriaMet") &&
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

/** When it ended is said of a job that has ended well, and only of that. */
function validateTimes(job: Job, now: JobStatus, then: JobStatus): readonly Problem[] {
  const { startTime, completionTime } = now;
  const [complete, at] = [holds(now, "Complete"), "status.completionTime"];
  return together(
    completionTime !== undefined &&
      !complete &&
      invalid(at, completionTime, "cannot set completionTime when there is no Complete=True condition"),
    completionTime === undefined && complete && required(at, "completionTime is required for Complete jobs"),
    startTime &&
      completionTime &&
      instantOf(completionTime) < instantOf(startTime) &&
      invalid(at, completionTime, "must be equal to or after `startTime`"),
    completionTime &&
      then.completionTime &&
      completionTime !== then.completionTime &&
      invalid(at, completionTime, "field is immutable"),
    then.startTime &&
      then.startTime !== startTime &&
      job.spec.suspend !== true &&
      required("status.startTime", "startTime cannot be removed for unsuspended job"),
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
  const { completedIndexes: done = "", failedIndexes: failed } = now;
  const completions = spec.completions ?? 0;
  const [counted, lost] = [countIndexes(done, completions), countIndexes(failed ?? "", completions)];
  const shared = sharedIndex(done, failed ?? "", completions);
  return together(
    typeof counted === "string" &&
      spec.completions !== undefined &&
      invalid("status.completedIndexes", done, `error parsing completedIndexes: ${counted}`),
    done !== "" &&
      spec.completionMode !== "Indexed" &&
      invalid(
        "status.completedIndexes",
        done,
        "cannot set non-empty completedIndexes when non-indexed completion mode",
      ),
    typeof lost === "string" &&
      spec.backoffLimitPerIndex !== undefined &&
      invalid("status.failedIndexes", failed, `error parsing failedIndexes: ${lost}`),
    failed !== undefined &&
      spec.backoffLimitPerIndex === undefined &&
      invalid("status.failedIndexes", failed, "cannot set non-null failedIndexes when backoffLimitPerIndex is null"),
    shared !== undefined &&
      invalid("status.failedIndexes", failed, `failedIndexes and completedIndexes overlap at index: ${shared}`),
  );
}

/** What is wrong with a job's new status. */
export function validateJobStatus(job: Job, old: Job): readonly Problem[] {
  const [now, then]: readonly JobStatus[] = [job.status ?? {}, old.status ?? {}] as const;
  const fewer = (field: "failed" | "succeeded"): readonly Problem[] =>
    (now?.[field] ?? 0) < (then?.[field] ?? 0)
      ? [invalid(`status.${field}`, now?.[field] ?? 0, `cannot decrease the ${field} counter`)]
      : [];
  if (!now || !then) return [];
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
    fewer("failed"),
    fewer("succeeded"),
  );
}
