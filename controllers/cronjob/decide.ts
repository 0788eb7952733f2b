// The next step of a cron job: record the state of its jobs, start the due job, delete old ones. Pure.
import { cronJobs } from "../../api/batch/cronjobs.ts";
import { isTimeZone } from "../../api/batch/cronjobs-schedule.ts";
import { jobs as jobKind } from "../../api/batch/jobs.ts";
import type { CronJob, CronJobStatus, Job } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { type Instant, instantOf, timestamp } from "../../api/meta.ts";
import { type Action, recordEvent, statusTo } from "../../machinery/action.ts";
import type { Decision } from "../../machinery/controller.ts";
import { dueTime, never, nextLook } from "./missed.ts";
import { jobAt } from "./new-job.ts";
import { beyondHistory, endOf, review, withActive } from "./review.ts";
import { type Schedule, scheduleIn } from "./schedule.ts";

export interface Observed {
  readonly cronJob: CronJob;
  /** Jobs it controls. */
  readonly jobs: readonly Job[];
  /** Whether the namespace has a job of that name, of whatever owner. */
  readonly isTaken: (name: string) => boolean;
  /** When the schedule or its zone was changed, as far as this process knows: earlier times are not made up for. */
  readonly changedAt: Instant | undefined;
}

const warning = (cronJob: CronJob, reason: string, message: string) => recordEvent(cronJob, "Warning", reason, message);

/** Deletes a job and its pods. */
const remove = (cronJob: CronJob, object: Job): readonly Action[] => [
  { do: "delete", resource: jobKind, object, options: { propagationPolicy: "Background" } },
  recordEvent(cronJob, "Normal", "SuccessfulDelete", `Deleted job ${object.metadata.name}`),
];

/** Creates the job of a time. Its name is the lock: it is recorded in the status once it is seen. */
function create({ cronJob, isTaken }: Observed, time: Instant): Decision {
  const draft = jobAt(cronJob, time);
  if (isTaken(draft.metadata.name!)) return { actions: [], because: [`job ${draft.metadata.name} is not its own`] };
  return {
    actions: [
      {
        ...{ do: "create", resource: jobKind, draft },
        refused: (message) => [warning(cronJob, "FailedCreate", `Error creating job: ${message}`)],
      },
      recordEvent(cronJob, "Normal", "SuccessfulCreate", `Created job ${draft.metadata.name}`),
    ],
    because: [`it is due since ${timestamp(time)}`],
  };
}

/** The jobs that are still running are deleted before the next one starts. */
function replace({ cronJob }: Observed, running: readonly Job[], status: CronJobStatus): Decision {
  const left = status.active?.filter(({ uid }) => !running.some((job) => job.metadata.uid === uid)) ?? [];
  return {
    actions: [
      ...running.flatMap((job) => remove(cronJob, job)),
      ...statusTo(cronJobs, cronJob, withActive(status, left)),
    ],
    because: ["running jobs are replaced"],
  };
}

const rfc1123 = (time: Instant): string => new Date(time).toUTCString().replace("GMT", "+0000");

/** The action for a due time, by the concurrency policy. */
function start(observed: Observed, time: Instant, status: CronJobStatus, now: Instant): Decision {
  const { cronJob, jobs } = observed;
  const { startingDeadlineSeconds: deadline, concurrencyPolicy } = cronJob.spec;
  const { lastScheduleTime } = status;
  const because = [`it was due at ${timestamp(time)}`];
  if (deadline !== undefined && time + deadline * 1000 < now) {
    const message = `Missed scheduled time to start a job: ${rfc1123(time)}`;
    return { actions: [warning(cronJob, "MissSchedule", message)], because };
  }
  if (lastScheduleTime !== undefined && instantOf(lastScheduleTime) === time) return { actions: [] };
  const active = status.active ?? [];
  if (concurrencyPolicy === "Allow" || active.length === 0) return create(observed, time);
  if (concurrencyPolicy === "Forbid") {
    const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
    return { actions: [recordEvent(cronJob, "Normal", "JobAlreadyActive", message)], because };
  }
  const isRunning = (job: Job): boolean =>
    job.metadata.deletionTimestamp === undefined && active.some(({ uid }) => uid === job.metadata.uid);
  const running = jobs.filter((job) => endOf(job) === undefined && isRunning(job));
  return running.length > 0 ? replace(observed, running, status) : create(observed, time);
}

/** The schedule, or the event about an invalid one. */
function scheduleOf(cronJob: CronJob): Schedule | Action {
  const { schedule: text, timeZone } = cronJob.spec;
  if (timeZone !== undefined && !isTimeZone(timeZone))
    return warning(cronJob, "UnknownTimeZone", `invalid timeZone: "${timeZone}": unknown time zone ${timeZone}`);
  const schedule = scheduleIn(text, timeZone ?? "UTC");
  return typeof schedule === "string"
    ? warning(cronJob, "UnparseableSchedule", `unparseable schedule: "${text}" : ${schedule}`)
    : schedule;
}

/** The actions due by the schedule, and the time of the next reconcile. */
function followSchedule(observed: Observed, status: CronJobStatus, now: Instant): Decision {
  const { cronJob, changedAt } = observed;
  if (cronJob.metadata.deletionTimestamp !== undefined) return { actions: [] };
  if (cronJob.spec.suspend === true) return { actions: [], because: ["it is suspended"] };
  const schedule = scheduleOf(cronJob);
  if ("do" in schedule) return { actions: [schedule] };
  const due = dueTime(cronJob, schedule, changedAt, now);
  if (due === never)
    return { actions: [warning(cronJob, "InvalidSchedule", `invalid schedule: ${cronJob.spec.schedule} : ${never}`)] };
  const requeueAfter = nextLook(cronJob, schedule, changedAt, now);
  const again = requeueAfter === undefined ? {} : { requeueAfter };
  if (due.time === undefined) return { actions: [], ...again };
  const tooMany = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
  const decision = start(observed, due.time, status, now);
  const events = due.isMany ? [warning(cronJob, "TooManyMissedTimes", tooMany)] : [];
  return { ...decision, actions: [...decision.actions, ...events], ...again };
}

export function decide(observed: Observed, now: Instant): Decision {
  const { cronJob, jobs } = observed;
  const { status, events } = review(cronJob, jobs);
  // The record comes first: what is started and deleted depends on it.
  if (!sameJson(status, cronJob.status ?? {}))
    return {
      actions: [...statusTo(cronJobs, cronJob, status), ...events],
      because: ["its jobs changed"],
      requeueAfter: 1,
    };
  const next = followSchedule(observed, status, now);
  const isSettled = next.actions.every((a) => a.do === "event");
  const old = isSettled ? beyondHistory(cronJob, jobs) : [];
  return { ...next, actions: [...next.actions, ...events, ...old.flatMap((job) => remove(cronJob, job))] };
}
