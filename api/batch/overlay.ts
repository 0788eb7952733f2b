// Facts the published schemas of the batch group lack. Most defaults of a job do not apply to templates of jobs, and
// are therefore in jobs.ts.
import { count, counts, type Facts, labelKey, needed, open, otherwise, type Overlay, present } from "../overlay.ts";

/** A required enum, whose message lists the values. */
const oneOf = (...all: readonly string[]): Facts => ({
  nonEmpty: `valid values: [${all.map((value) => JSON.stringify(value)).join(" ")}]`,
  enum: all,
});

export const batchOverlay: Overlay = {
  CronJob: { status: present },
  CronJobSpec: {
    concurrencyPolicy: otherwise("Allow"),
    failedJobsHistoryLimit: { default: 1, ...count },
    schedule: needed,
    startingDeadlineSeconds: count,
    successfulJobsHistoryLimit: { default: 3, ...count },
    suspend: { default: false },
  },
  Job: { status: present },
  JobSpec: {
    ...counts(
      "activeDeadlineSeconds",
      "backoffLimit",
      "backoffLimitPerIndex",
      "completions",
      "maxFailedIndexes",
      "parallelism",
      "ttlSecondsAfterFinished",
    ),
    completionMode: { enum: ["NonIndexed", "Indexed"] },
    podReplacementPolicy: open,
  },
  JobStatus: counts("active", "failed", "ready", "succeeded", "terminating"),
  PodFailurePolicy: { rules: { maxItems: 20 } },
  PodFailurePolicyRule: { action: oneOf("Count", "FailIndex", "FailJob", "Ignore"), onPodConditions: { maxItems: 20 } },
  PodFailurePolicyOnExitCodesRequirement: { operator: oneOf("In", "NotIn"), values: { maxItems: 255 } },
  PodFailurePolicyOnPodConditionsPattern: {
    status: { ...otherwise("True"), ...oneOf("False", "True", "Unknown") },
    type: labelKey,
  },
  SuccessPolicy: { rules: { maxItems: 20 } },
  SuccessPolicyRule: { succeededCount: count, succeededIndexes: { maxLength: 64 * 1024 } },
};
