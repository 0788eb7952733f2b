// CronJob: creates jobs on a schedule.
import type { CronJob, CronJobSpec, JobSpec, JobTemplateSpec } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { workload } from "../core/workloads.ts";
import { invalid, together, unsupported } from "../problems.ts";
import { nameWarnings, templateWarnings } from "../core/pod/warnings.ts";
import { ageColumn, containerColumns, nameColumn, selectorCell, since } from "../columns.ts";
import { isTimeZone, parseSchedule } from "./cronjobs-schedule.ts";
import { jobSpecWarnings, jobTemplateDefaults } from "./jobs.ts";
import { validateJobSpec } from "./jobs-validate.ts";

export type { CronJob } from "../generated/types.ts";

/** A job's name appends eleven characters to its cron job's, and must still be a label of 63. */
const longestName = 52;

function defaults(d: Draft<CronJob>): Draft<CronJob> {
  const template = d.spec.jobTemplate;
  if (!template.spec) return d;
  return { ...d, spec: { ...d.spec, jobTemplate: { ...template, spec: jobTemplateDefaults(template.spec) } } };
}

function validateSchedule({ schedule, timeZone }: CronJobSpec, old: CronJobSpec | undefined): readonly Problem[] {
  if (!schedule) return [];
  const refuse = (detail: string): Problem => invalid("spec.schedule", schedule, detail);
  const parsed = parseSchedule(schedule);
  const isZoned = schedule.includes("TZ");
  // A time zone in the schedule is accepted only if it was set before.
  const mayBeZoned = old?.schedule.includes("TZ") === true;
  return together(
    typeof parsed === "string" && refuse(parsed),
    isZoned &&
      mayBeZoned &&
      timeZone !== undefined &&
      refuse("cannot use both timeZone field and TZ or CRON_TZ in schedule"),
    isZoned && !mayBeZoned && refuse("cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
  );
}

const zonePart = /^(?!-)[A-Za-z._0-9+-]{1,14}$/;

function validateZone(zone: string | undefined): readonly Problem[] {
  if (zone === undefined) return [];
  const refuse = (detail: string): readonly Problem[] => [invalid("spec.timeZone", zone, detail)];
  if (zone === "") return refuse("timeZone must be nil or non-empty string");
  if (zone.toLowerCase() === "local")
    return refuse("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
  const isWritten = zone.split("/").every((part) => part !== "." && part !== ".." && zonePart.test(part));
  return isWritten && isTimeZone(zone) ? [] : refuse(`unknown time zone ${zone}`);
}

function validateJobTemplate({ spec }: JobTemplateSpec): readonly Problem[] {
  const path = "spec.jobTemplate.spec";
  return together(
    validateJobSpec(spec ?? ({} as JobSpec), path),
    spec?.selector && invalid(`${path}.selector`, spec.selector, "`selector` will be auto-generated"),
    spec?.manualSelector === true && unsupported(`${path}.manualSelector`, true, ["nil", "false"]),
  );
}

function validate({ metadata, spec }: Draft<CronJob>, old?: CronJob): readonly Problem[] {
  return together(
    validateSchedule(spec, old?.spec),
    !(old && old.spec.timeZone === spec.timeZone) && validateZone(spec.timeZone),
    validateJobTemplate(spec.jobTemplate ?? {}),
    !old &&
      (metadata.name?.length ?? 0) > longestName &&
      invalid("metadata.name", metadata.name, `must be no more than ${longestName} characters`),
  );
}

export const cronJobs = define<CronJob>({
  ...workload,
  group: "batch",
  kind: "CronJob",
  shortNames: ["cj"],
  defaults,
  validate,
  warnings: ({ metadata, spec }) => [
    ...nameWarnings(metadata, "Pod names and hostnames"),
    ...templateWarnings(spec?.jobTemplate?.spec?.template, "spec.jobTemplate.spec.template"),
    ...jobSpecWarnings(spec?.jobTemplate?.spec, "spec.jobTemplate.spec"),
  ],
  columns: [
    nameColumn,
    { name: "Schedule", cell: (c) => c.spec.schedule },
    { name: "Timezone", cell: (c) => c.spec.timeZone ?? "<none>" },
    { name: "Suspend", type: "boolean", cell: (c) => (c.spec.suspend === true ? "True" : "False") },
    { name: "Active", type: "integer", cell: (c) => c.status?.active?.length ?? 0 },
    {
      name: "Last Schedule",
      cell: (c, now) => (c.status?.lastScheduleTime ? since(c.status.lastScheduleTime, now) : "<none>"),
    },
    ageColumn,
    ...containerColumns((c: CronJob) => c.spec.jobTemplate.spec?.template),
    { name: "Selector", priority: 1, cell: (c) => selectorCell(c.spec.jobTemplate.spec?.selector) },
  ],
});
