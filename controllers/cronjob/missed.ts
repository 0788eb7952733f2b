// Which scheduled time is due, and when to look again. Pure.
import type { CronJob } from "../../api/generated/types.ts";
import { type Instant, instantOf } from "../../api/meta.ts";
import type { Schedule } from "./schedule.ts";

/** More missed times than this are reported: a clock may be wrong. */
const many = 100;
/** Kubernetes looks this long after the time, so that it has certainly passed. */
const delayMs = 100;

export interface Due {
  /** The latest time that passed since the last one that was started. */
  readonly time: Instant | undefined;
  readonly since: Instant;
  readonly missed: number;
}
/** Of a schedule that is never due. */
export const never = "time difference between two schedules is less than 1 second";

/** The scheduled times that passed since `since`, of which the latest counts. */
function dueSince(schedule: Schedule, since: Instant, now: Instant): Due | typeof never {
  const first = schedule.next(since);
  const second = first && schedule.next(first);
  if (first === undefined || second === undefined) return never;
  if (now < first) return { time: undefined, since, missed: 0 };
  if (now < second) return { time: first, since, missed: 1 };
  const period = Math.round((second - first) / 1000) * 1000;
  const missed = Math.floor((now - first) / period) + 1;
  // Begins shortly before now: a schedule that was not looked at for years must not cost a search for each time.
  let time: Instant | undefined;
  for (let t = schedule.next((first + (missed - 2) * period) as Instant); t && t <= now; t = schedule.next(t)) time = t;
  return { time, since, missed };
}

/** When a cron job began to wait for its next time. `changedAt`: when its schedule was changed. */
function waitsSince({ metadata, status }: CronJob, changedAt: Instant | undefined): Instant {
  const last = instantOf(status?.lastScheduleTime ?? metadata.creationTimestamp);
  return Math.max(last, changedAt ?? last) as Instant;
}

/** The time that is due, not before the deadline for starting. */
export function dueTime(cronJob: CronJob, schedule: Schedule, changedAt: Instant | undefined, now: Instant) {
  const { startingDeadlineSeconds: deadline = Number.POSITIVE_INFINITY } = cronJob.spec;
  const due = dueSince(schedule, Math.max(waitsSince(cronJob, changedAt), now - deadline * 1000) as Instant, now);
  return due === never ? due : { time: due.time, isMany: due.missed > many };
}

/** Milliseconds until the next look. */
export function nextLook(cronJob: CronJob, schedule: Schedule, changedAt: Instant | undefined, now: Instant) {
  const due = dueSince(schedule, waitsSince(cronJob, changedAt), now);
  const from = due === never ? now : (due.time ?? (due.missed === 0 ? due.since : now));
  const next = schedule.next(from);
  return next && Math.max(0, next + delayMs - now);
}
