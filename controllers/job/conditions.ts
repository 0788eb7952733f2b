// The conditions of a job: whether it has finished, and its decided outcome. Pure.
import type { Job, JobCondition } from "../../api/generated/types.ts";

/** The condition of the decided outcome. It is set before the last pods are removed. */
export interface Outcome {
  readonly type: "FailureTarget" | "SuccessCriteriaMet";
  readonly reason: string;
  readonly message: string;
}

export const conditionThat = (job: Job, type: string): JobCondition | undefined =>
  job.status?.conditions?.find((c) => c.type === type && c.status === "True");
/** The condition of a job that has ended. */
export const endOf = (job: Job): JobCondition | undefined =>
  conditionThat(job, "Complete") ?? conditionThat(job, "Failed");
export const isSuspended = ({ spec }: Job): boolean => spec.suspend === true;

/** The outcome that an earlier reconcile wrote. */
export function knownOutcome(job: Job): Outcome | undefined {
  for (const type of ["SuccessCriteriaMet", "FailureTarget"] as const) {
    const condition = conditionThat(job, type);
    if (condition) return { type, reason: condition.reason ?? "", message: condition.message ?? "" };
  }
  return undefined;
}
