// Describes Jobs and CronJobs.
import type { CronJob, Job } from "../../api/generated/types.ts";
import { age } from "../../api/age.ts";
import { controllerOf, instantOf } from "../../api/meta.ts";
import type { Describer } from "./describer.ts";
import { annotationLines, field, type Lines, labelLines, optional, orUnset, timeText, yesNo } from "./layout.ts";
import { selectorOrNone, templateLines } from "./pods.ts";

function times({ spec, status }: Job): Lines {
  const { startTime, completionTime } = status ?? {};
  return [
    ...(startTime ? [field("Start Time", timeText(startTime))] : []),
    ...(completionTime ? [field("Completed At", timeText(completionTime))] : []),
    ...(startTime && completionTime ? [field("Duration", age(instantOf(startTime), instantOf(completionTime)))] : []),
    ...(spec?.activeDeadlineSeconds === undefined
      ? []
      : [field("Active Deadline Seconds", `${spec.activeDeadlineSeconds}s`)]),
  ];
}

function counts({ status = {} }: Job): string {
  const ready = status.ready === undefined ? "" : ` (${status.ready} Ready)`;
  return `${status.active ?? 0} Active${ready} / ${status.succeeded ?? 0} Succeeded / ${status.failed ?? 0} Failed`;
}

/** Indexes that are done, of which many are abbreviated. */
const indexes = (text: string): string => (text.length > 50 ? `${text.slice(0, text.lastIndexOf(",", 50))},...` : text);

export const jobDescriber: Describer<Job> = {
  lines: (job) => {
    const { metadata, spec = {} as NonNullable<Job["spec"]>, status } = job;
    const owner = controllerOf(job);
    return [
      field("Name", metadata.name),
      field("Namespace", metadata.namespace),
      ...(spec.selector ? [field("Selector", selectorOrNone(spec.selector))] : []),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      ...(owner ? [field("Controlled By", `${owner.kind}/${owner.name}`)] : []),
      field("Parallelism", spec.parallelism ?? 1),
      field("Completions", orUnset(spec.completions)),
      ...optional("Completion Mode", spec.completionMode),
      ...optional("Suspend", spec.suspend),
      ...optional("Backoff Limit", spec.backoffLimit),
      ...optional("TTL Seconds After Finished", spec.ttlSecondsAfterFinished),
      ...times(job),
      field("Pods Statuses", counts(job)),
      ...(spec.completionMode === "Indexed"
        ? [field("Completed Indexes", status?.completedIndexes ? indexes(status.completedIndexes) : "<none>")]
        : []),
      ...templateLines(spec.template),
    ];
  },
};

export const cronJobDescriber: Describer<CronJob> = {
  lines: ({ metadata, spec, status }) => {
    const job = spec?.jobTemplate.spec;
    const seconds = (value: number | undefined): string => (value === undefined ? "<unset>" : `${value}s`);
    const last = status?.lastScheduleTime;
    const active = (status?.active ?? []).map(({ name }) => name);
    return [
      field("Name", metadata.name),
      field("Namespace", metadata.namespace),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      field("Schedule", spec?.schedule),
      field("Concurrency Policy", spec?.concurrencyPolicy),
      field("Suspend", yesNo(spec?.suspend)),
      field("Time Zone", orUnset(spec?.timeZone)),
      field("Successful Job History Limit", orUnset(spec?.successfulJobsHistoryLimit)),
      field("Failed Job History Limit", orUnset(spec?.failedJobsHistoryLimit)),
      field("Starting Deadline Seconds", seconds(spec?.startingDeadlineSeconds)),
      field("Selector", job?.selector ? selectorOrNone(job.selector) : "<unset>"),
      field("Parallelism", orUnset(job?.parallelism)),
      field("Completions", orUnset(job?.completions)),
      ...(job?.activeDeadlineSeconds === undefined
        ? []
        : [field("Active Deadline Seconds", seconds(job.activeDeadlineSeconds))]),
      ...templateLines(job?.template ?? {}),
      field("Last Schedule Time", last ? timeText(last) : "<unset>"),
      field("Active Jobs", active.length === 0 ? "<none>" : active.join(", ")),
    ];
  },
};
