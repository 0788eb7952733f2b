// Why a StatefulSet, a DaemonSet, a Job or a CronJob is not as desired.
import { daemonSets } from "../../../api/apps/daemonsets.ts";
import { statefulSets } from "../../../api/apps/statefulsets.ts";
import { cronJobs } from "../../../api/batch/cronjobs.ts";
import { jobs } from "../../../api/batch/jobs.ts";
import { conditionOf } from "../../../api/core/pod/status.ts";
import type { CronJob, DaemonSet, Job, StatefulSet } from "../../../api/generated/types.ts";
import {
  asDesired,
  command,
  failing,
  type Finding,
  type Found,
  progressing,
  referenceTo,
  waiting,
} from "../finding.ts";
import type { Reader } from "../reader.ts";
import { causeRule } from "../rule.ts";
import {
  deletionFinding,
  findingWith,
  isUnseen,
  observeFound,
  observePods,
  podCauses,
  type PodsObservation,
  unseen,
} from "./replicated.ts";

const hasStatefulPods = (set: StatefulSet): boolean => {
  const { spec, status } = set;
  const desired = spec.replicas ?? 1;
  const isOnDelete = spec.updateStrategy?.type === "OnDelete";
  const isUpdated = isOnDelete || status?.currentRevision === status?.updateRevision;
  return (
    !isUnseen(set, status) && (status?.readyReplicas ?? 0) === desired && status?.replicas === desired && isUpdated
  );
};

export function decideStatefulSet(set: StatefulSet, observed: PodsObservation): Finding {
  const deletion = deletionFinding(set);
  if (deletion) return deletion;
  const { spec, status } = set;
  const desired = spec.replicas ?? 1;
  if (hasStatefulPods(set)) return asDesired(`all ${desired} pods are ready`);
  const causes = podCauses(set, observed, undefined);
  if (causes.length === 0 && isUnseen(set, status)) return unseen();
  const { object: first } = observed.pods[0] ?? {};
  const blocks =
    spec.podManagementPolicy !== "Parallel" && first ? `; ${first.metadata.name} keeps the later ones waiting` : "";
  return findingWith(`${status?.readyReplicas ?? 0} of ${desired} pods are ready${blocks}`, causes, observed.pods);
}
export const statefulSetRule = causeRule({
  kind: statefulSets,
  observe: observePods,
  decide: decideStatefulSet,
  isAsDesired: hasStatefulPods,
});

const runsEverywhere = (set: DaemonSet): boolean => {
  const { desiredNumberScheduled = 0, numberReady = 0, updatedNumberScheduled = 0 } = set.status ?? {};
  const isOnDelete = set.spec.updateStrategy?.type === "OnDelete";
  return (
    !isUnseen(set, set.status) &&
    numberReady === desiredNumberScheduled &&
    (isOnDelete || updatedNumberScheduled === desiredNumberScheduled)
  );
};
export function decideDaemonSet(set: DaemonSet, observed: PodsObservation): Finding {
  const deletion = deletionFinding(set);
  if (deletion) return deletion;
  const { desiredNumberScheduled = 0, numberReady = 0 } = set.status ?? {};
  if (runsEverywhere(set))
    return asDesired(
      desiredNumberScheduled === 0 ? "fits on no node" : `is ready on all ${desiredNumberScheduled} nodes`,
    );
  const causes = podCauses(set, observed, undefined);
  if (causes.length === 0 && isUnseen(set, set.status)) return unseen();
  return findingWith(`is ready on ${numberReady} of ${desiredNumberScheduled} nodes`, causes, observed.pods);
}
export const daemonSetRule = causeRule({
  kind: daemonSets,
  observe: observePods,
  decide: decideDaemonSet,
  isAsDesired: runsEverywhere,
});

const isComplete = ({ status }: Job): boolean => conditionOf(status?.conditions, "Complete")?.status === "True";
const nextOfJob: Readonly<Record<string, string>> = {
  BackoffLimitExceeded:
    "correct what makes its pods fail, then create the job again; spec.backoffLimit is the number of retries",
  DeadlineExceeded: "raise spec.activeDeadlineSeconds, or make its pods faster",
  FailedIndexes: "correct what makes these indexes fail, then create the job again",
};
export function decideJob(job: Job, observed: PodsObservation): Finding {
  const deletion = deletionFinding(job);
  if (deletion) return deletion;
  const { spec, status = {}, metadata } = job;
  if (isComplete(job)) return asDesired("is complete");
  const failed = conditionOf(status.conditions, "Failed") ?? conditionOf(status.conditions, "FailureTarget");
  const causes = podCauses(job, observed, undefined);
  if (failed?.status === "True") {
    const { reason = "Failed", message = "" } = failed;
    const next = nextOfJob[reason];
    const own = { reason, message, ...(next !== undefined && { next }) };
    return failing(`has failed: ${reason}`, causes.length > 0 ? { ...own, causes } : own);
  }
  if (spec.suspend === true)
    return waiting("is suspended", {
      reason: "JobSuspended",
      message: "spec.suspend is true, so it creates no pods",
      next: command(`patch job/${metadata.name} -p '{"spec":{"suspend":false}}'`, metadata.namespace),
    });
  const { active = 0, succeeded = 0 } = status;
  const done = `${succeeded} of ${spec.completions ?? 1} have succeeded, ${active} run`;
  return causes.length > 0 ? findingWith(done, causes, observed.pods) : progressing(done);
}
export const jobRule = causeRule({
  kind: jobs,
  observe: observePods,
  decide: decideJob,
  isAsDesired: isComplete,
});

interface CronJobObservation {
  readonly jobs: readonly Found<Job>[];
}
const isScheduled = ({ spec }: CronJob): boolean => spec.suspend !== true;
export function decideCronJob(cronJob: CronJob, { jobs: all }: CronJobObservation): Finding {
  const deletion = deletionFinding(cronJob);
  if (deletion) return deletion;
  const { spec, metadata, status = {} } = cronJob;
  if (spec.suspend === true)
    return waiting("is suspended", {
      reason: "CronJobSuspended",
      message: "spec.suspend is true, so it starts no jobs",
      next: command(`patch cronjob/${metadata.name} -p '{"spec":{"suspend":false}}'`, metadata.namespace),
    });
  const newest = all.toSorted((a, b) =>
    a.object.metadata.creationTimestamp < b.object.metadata.creationTimestamp ? 1 : -1,
  )[0];
  if (!newest || newest.finding.causes.length === 0)
    return asDesired(
      status.lastScheduleTime ? `last started a job at ${status.lastScheduleTime}` : "has not started a job yet",
    );
  const isBlocked = spec.concurrencyPolicy === "Forbid" && (status.active?.length ?? 0) > 0;
  const { object, finding } = newest;
  return findingWith(
    `its last job ${finding.message}${isBlocked ? ", and it starts no other one before that ends" : ""}`,
    [{ reason: "JobFailed", message: finding.message, object: referenceTo(object), causes: finding.causes }],
    [newest],
  );
}
export const cronJobRule = causeRule({
  kind: cronJobs,
  observe: async (cronJob, reader: Reader) => ({ jobs: await observeFound(jobs, cronJob, reader) }),
  decide: decideCronJob,
  isAsDesired: isScheduled,
});
