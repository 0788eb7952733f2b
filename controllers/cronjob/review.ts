// The jobs of a cron job: which are active, which have finished, which are kept. Pure.
import type { CronJob, CronJobStatus, Job, ObjectReference } from "../../api/generated/types.ts";
import { type Instant, instantOf, timestamp } from "../../api/meta.ts";
import { type Action, recordEvent } from "../../machinery/action.ts";
import { nameAt, scheduledAnnotation } from "./new-job.ts";

/** The condition of a job that is over. */
export const endOf = (job: Job): "Complete" | "Failed" | undefined =>
  job.status?.conditions?.find(
    (c): c is typeof c & { type: "Complete" | "Failed" } =>
      c.status === "True" && (c.type === "Complete" || c.type === "Failed"),
  )?.type;

/** The time the controller created a job for; a user may create jobs from the template as well. */
function timeOf(cronJob: CronJob, { metadata }: Job): Instant | undefined {
  const text = metadata.annotations?.[scheduledAnnotation];
  const time = text === undefined ? undefined : instantOf(text);
  return time !== undefined && metadata.name === nameAt(cronJob, time) ? time : undefined;
}

/** The latest of the times. */
const latest = (times: readonly (Instant | undefined)[]): string | undefined => {
  const last = Math.max(...times.map((time) => time ?? Number.NEGATIVE_INFINITY));
  return last === Number.NEGATIVE_INFINITY ? undefined : timestamp(last as Instant);
};
const instantIn = (text: string | undefined): Instant | undefined => (text === undefined ? undefined : instantOf(text));

const referenceTo = ({ apiVersion, kind, metadata }: Job): ObjectReference => {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { apiVersion, kind, namespace, name, uid, resourceVersion };
};

/** A status without a list that is empty, as Kubernetes writes it. */
export const withActive = (status: CronJobStatus, active: readonly ObjectReference[]): CronJobStatus => ({
  ...status,
  active: active.length > 0 ? active : undefined,
});

interface Review {
  readonly status: CronJobStatus;
  readonly events: readonly Action[];
}

/** The status by what the jobs are now. */
export function review(cronJob: CronJob, jobs: readonly Job[]): Review {
  const status = cronJob.status ?? {};
  const listed = status.active ?? [];
  const isListed = (job: Job): boolean => listed.some(({ uid }) => uid === job.metadata.uid);
  const jobOf = ({ uid }: ObjectReference): Job | undefined => jobs.find((job) => job.metadata.uid === uid);
  const running = jobs.filter((job) => endOf(job) === undefined && !isListed(job));
  const started = running.filter((job) => timeOf(cronJob, job) !== undefined);
  const successes = jobs.filter((job) => endOf(job) === "Complete").map((job) => instantIn(job.status?.completionTime));
  const events = [
    ...running
      .filter((job) => !started.includes(job))
      .map(({ metadata: { name } }) => {
        const message = `Saw a job that the controller did not create or forgot: ${name}`;
        return recordEvent(cronJob, "Warning", "UnexpectedJob", message);
      }),
    ...jobs
      .filter((job) => endOf(job) !== undefined && isListed(job))
      .map((job) => {
        const message = `Saw completed job: ${job.metadata.name}, condition: ${endOf(job)}`;
        return recordEvent(cronJob, "Normal", "SawCompletedJob", message);
      }),
    ...listed
      .filter((reference) => jobOf(reference) === undefined)
      .map(({ name }) => recordEvent(cronJob, "Normal", "MissingJob", `Active job went missing: ${name}`)),
  ];
  const active = listed.filter((reference) => {
    const job = jobOf(reference);
    return job !== undefined && endOf(job) === undefined;
  });
  const next = withActive(status, [...active, ...started.map(referenceTo)]);
  const times = {
    lastScheduleTime: latest([instantIn(status.lastScheduleTime), ...jobs.map((job) => timeOf(cronJob, job))]),
    lastSuccessfulTime: latest([instantIn(status.lastSuccessfulTime), ...successes]),
  };
  return { status: { ...next, ...times }, events };
}

const byStart = (a: Job, b: Job): number => {
  const [x, y] = [a, b].map(({ status }) => (status?.startTime ? instantOf(status.startTime) : Number.MAX_VALUE));
  return x! - y! || (a.metadata.name < b.metadata.name ? -1 : 1);
};

/** Jobs that are over and beyond the limits of the history, the oldest of each kind. */
export function beyondHistory({ spec }: CronJob, jobs: readonly Job[]): readonly Job[] {
  const limits = [
    ["Complete", spec.successfulJobsHistoryLimit],
    ["Failed", spec.failedJobsHistoryLimit],
  ] as const;
  return limits.flatMap(([end, limit]) => {
    const over = jobs.filter((job) => endOf(job) === end && job.metadata.deletionTimestamp === undefined);
    return limit === undefined ? [] : over.toSorted(byStart).slice(0, Math.max(0, over.length - limit));
  });
}
