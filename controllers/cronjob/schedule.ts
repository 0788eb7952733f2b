// When a schedule is due in a time zone. A time that a change of the zone's offset skips is never due; one that it
// repeats is due twice, as in Kubernetes.
import { Cron } from "croner";
import { type CronSchedule, parseSchedule } from "../../api/batch/cronjobs-schedule.ts";
import type { Instant } from "../../api/meta.ts";

export interface Schedule {
  /** The first time after another; undefined when there is none, as for 31 February. */
  next(after: Instant): Instant | undefined;
}

const second = 1_000;
const wholeSeconds = (at: Instant): number => Math.floor(at / second) * second;

/** Counts a fixed period from any time. */
const periodic = (periodMs: number): Schedule => ({ next: (after) => (wholeSeconds(after) + periodMs) as Instant });

/**
 * The library computes in UTC with the zone's wall-clock time; each stretch of constant offset is searched on its own.
 */
function inZone(fields: Extract<CronSchedule, { fields: unknown }>["fields"], zone: string): Schedule {
  const pattern = new Cron(fields.map(String).join(" "), { paused: true, utcOffset: 0 });
  return {
    next(after) {
      let [start, beyond] = [wholeSeconds(after), wholeSeconds(after)];
      for (;;) {
        const stretch = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(zone);
        const offset = stretch.offsetNanoseconds / 1e6;
        const wall = pattern.nextRun(new Date(beyond + offset));
        if (wall === null) return undefined;
        const end = stretch.getTimeZoneTransition("next")?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
        const at = wall.getTime() - offset;
        if (at < end) return at as Instant;
        [start, beyond] = [end, end - second];
      }
    },
  };
}

/** The schedule of a text, or why it is invalid. A zone in the text precedes the other. */
export function scheduleIn(text: string, timeZone: string): Schedule | string {
  const parsed = parseSchedule(text);
  if (typeof parsed === "string") return parsed;
  return "everyMs" in parsed ? periodic(parsed.everyMs) : inZone(parsed.fields, parsed.zone ?? timeZone);
}
