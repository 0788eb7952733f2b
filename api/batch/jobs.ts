// Job: runs pods until a number of them has succeeded.
import { age } from "../age.ts";
import type { Job, JobSpec, JobStatus } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { instantOf, type Draft, type Instant } from "../meta.ts";
import { templateDefaults } from "../core/pod/defaults.ts";
import { workload } from "../core/workloads.ts";
import { workloadWarnings } from "../core/pod/warnings.ts";
import { ageColumn, containerColumns, nameColumn, selectorCell } from "../columns.ts";
import { validateJobStatus } from "./jobs-validate-status.ts";
import { generatedLabels, selectingLabel, validateJob } from "./jobs-validate.ts";

export type { Job } from "../generated/types.ts";

const unlimited = 2 ** 31 - 1;

/** Defaults of a job's own fields; a template of jobs gets only those of its pods. */
function jobSpecDefaults(spec: Partial<JobSpec>): JobSpec {
  const single = spec.completions === undefined && spec.parallelism === undefined;
  return {
    ...spec,
    ...(single ? { completions: 1 } : {}),
    parallelism: spec.parallelism ?? 1,
    backoffLimit: spec.backoffLimit ?? (spec.backoffLimitPerIndex === undefined ? 6 : unlimited),
    completionMode: spec.completionMode ?? "NonIndexed",
    suspend: spec.suspend ?? false,
    podReplacementPolicy: spec.podReplacementPolicy ?? (spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed"),
    manualSelector: spec.manualSelector ?? false,
  } as JobSpec;
}

/** Defaults of the pods of a job, or of a template of jobs. */
export const jobTemplateDefaults = (spec: JobSpec): JobSpec => ({
  ...spec,
  ...(spec.template && { template: templateDefaults(spec.template) }),
});

function defaults(d: Draft<Job>): Draft<Job> {
  const spec = jobTemplateDefaults(jobSpecDefaults(d.spec));
  const labels = spec.template?.metadata?.labels;
  const isLabelled = Object.keys(d.metadata.labels ?? {}).length > 0;
  return { ...d, metadata: labels && !isLabelled ? { ...d.metadata, labels } : d.metadata, spec };
}

/** Generates the selector and labels from the job's uid, unless its selector is manual. */
function onCreate(job: Job): Job {
  const { spec, metadata } = job;
  if (spec.manualSelector === true || !spec.template) return job;
  const own = generatedLabels(metadata);
  const templateLabels = spec.template.metadata?.labels;
  const labels = { ...own, ...templateLabels };
  const inherited = JSON.stringify(metadata.labels ?? templateLabels) === JSON.stringify(templateLabels);
  const matchLabels = { [selectingLabel]: metadata.uid, ...spec.selector?.matchLabels };
  return {
    ...job,
    metadata: inherited ? { ...metadata, labels } : metadata,
    spec: {
      ...spec,
      selector: { ...spec.selector, matchLabels },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  };
}

const statuses = ["Complete", "Failed", "Terminating", "Suspended", "FailureTarget", "SuccessCriteriaMet"] as const;
const holds = (job: Job, type: string): boolean =>
  type === "Terminating"
    ? job.metadata.deletionTimestamp !== undefined
    : job.status?.conditions?.some((c) => c.type === type && c.status === "True") === true;

function completions({ spec, status }: Job): string {
  const done = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${done}/${spec.completions}`;
  return (spec.parallelism ?? 0) > 1 ? `${done}/1 of ${spec.parallelism}` : `${done}/1`;
}

function duration({ startTime, completionTime }: JobStatus, now: Instant): string {
  if (startTime === undefined) return "";
  return age(instantOf(startTime), completionTime === undefined ? now : instantOf(completionTime));
}

const manyCompletions = 100_000;
const mostAtOnce = 10_000;

/** Warnings about the spec of a job, or of a template of jobs. */
export function jobSpecWarnings(spec: Partial<JobSpec> | undefined, path: string): readonly string[] {
  const { completionMode, completions = 0, parallelism = 0 } = spec ?? {};
  return completionMode === "Indexed" && completions > manyCompletions && parallelism > mostAtOnce
    ? [
        `${path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
      ]
    : [];
}

export const jobs = define<Job>({
  ...workload,
  group: "batch",
  kind: "Job",
  defaults,
  onCreate,
  validate: validateJob,
  warnings: (j) => [...workloadWarnings(j), ...jobSpecWarnings(j.spec, "spec")],
  validateStatus: validateJobStatus,
  selectable: { "status.successful": (j) => String(j.status?.succeeded ?? 0) },
  columns: [
    nameColumn,
    { name: "Status", cell: (j) => statuses.find((type) => holds(j, type)) ?? "Running" },
    { name: "Completions", cell: completions },
    { name: "Duration", cell: (j, now) => duration(j.status ?? {}, now) },
    ageColumn,
    ...containerColumns((j: Job) => j.spec.template),
    { name: "Selector", priority: 1, cell: (j) => selectorCell(j.spec.selector) },
  ],
});
