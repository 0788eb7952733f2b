// What the conditions of a job say: whether it is over, and how it will end. Pure.
import type { Job, JobCondition } from "../../api/generated/types.ts";

/** The condition that says how the job will end. It holds before the last pods are gone. */
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

/** The outcome that an earlier look wrote. */
export function knownOutcome(job: Job): Outcome | undefined {
  for (const type of ["SuccessCriteriaMet", "FailureTarget"] as const) {
    const condition = conditionThat(job, type);
    if (condition) return { type, reason: condition.reason ?? "", message: condition.message ?? "" };
  }
  return undefined;
}
