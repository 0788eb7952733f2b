// A job of a cron job, named after its scheduled time. Pure.
import type { CronJob, Job } from "../../api/generated/types.ts";
import { type Draft, type Instant, ownedBy } from "../../api/meta.ts";

export const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/** One name per scheduled time: a job that was created is not created again. */
export const nameAt = ({ metadata }: CronJob, time: Instant): string => `${metadata.name}-${Math.floor(time / 60_000)}`;

/** RFC 3339 in the zone, as Go writes it. */
const timeIn = (zone: string, time: Instant): string =>
  Temporal.Instant.fromEpochMilliseconds(time)
    .toZonedDateTimeISO(zone)
    .toString({ timeZoneName: "never" })
    .replace("+00:00", "Z");

/** The job of a scheduled time. */
export function jobAt(cronJob: CronJob, time: Instant): Draft<Job> {
  const { jobTemplate, timeZone = "UTC" } = cronJob.spec;
  const { labels, annotations } = jobTemplate.metadata ?? {};
  return {
    kind: "Job",
    metadata: {
      ...{ name: nameAt(cronJob, time), namespace: cronJob.metadata.namespace },
      ...(labels && { labels }),
      annotations: { ...annotations, [scheduledAnnotation]: timeIn(timeZone, time) },
      ownerReferences: [ownedBy(cronJob)],
    },
    spec: jobTemplate.spec!,
  };
}
