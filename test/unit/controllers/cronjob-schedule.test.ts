// When schedules are due; expected times are robfig/cron's.
import { expect, test } from "vitest";
import type { Instant } from "../../../api/meta.ts";
import { scheduleIn } from "../../../controllers/cronjob/schedule.ts";

const at = (text: string): Instant => Date.parse(text) as Instant;

type Row = readonly [schedule: string, zone: string, after: string, due: readonly string[]];
const table: readonly Row[] = [
  ["*/20 * * * *", "UTC", "2026-01-01T00:00:30Z", ["2026-01-01T00:20", "2026-01-01T00:40", "2026-01-01T01:00"]],
  ["0 9 * * MON-fri", "UTC", "2026-01-02T10:00:00Z", ["2026-01-05T09:00", "2026-01-06T09:00"]],
  // With both days restricted either suffices; a step of more than one is a restriction.
  ["0 0 13 * 5", "UTC", "2026-02-01T00:00:00Z", ["2026-02-06T00:00", "2026-02-13T00:00", "2026-02-20T00:00"]],
  ["0 0 */15 * 1", "UTC", "2026-02-02T00:00:00Z", ["2026-02-09T00:00", "2026-02-16T00:00", "2026-02-23T00:00"]],
  ["0 0 ? * 0-6", "UTC", "2026-02-02T00:00:00Z", ["2026-02-03T00:00"]],
  ["5/25 3 * * *", "UTC", "2026-02-02T00:00:00Z", ["2026-02-02T03:05", "2026-02-02T03:30", "2026-02-02T03:55"]],
  ["0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", ["2028-02-29T00:00", "2032-02-29T00:00"]],
  ["@weekly", "UTC", "2026-01-01T00:00:00Z", ["2026-01-04T00:00", "2026-01-11T00:00"]],
  ["@every 1h30m", "UTC", "2026-01-01T00:00:20Z", ["2026-01-01T01:30:20", "2026-01-01T03:00:20"]],
  ["30 8 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", ["2026-01-01T02:45", "2026-01-02T02:45"]],
  // 02:30 is skipped on 29 March, and repeated on 25 October.
  ["30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", ["2026-03-28T01:30", "2026-03-30T00:30"]],
  ["30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-26T01:30"]],
  ["TZ=Asia/Tokyo 0 9 * * *", "UTC", "2026-01-01T00:00:00Z", ["2026-01-02T00:00"]],
  ["0 0 31 2 *", "UTC", "2026-01-01T00:00:00Z", []],
];
for (const [text, zone, after, due] of table)
  test(`schedule "${text}" in ${zone} after ${after}`, () => {
    const schedule = scheduleIn(text, zone);
    if (typeof schedule === "string") throw new Error(schedule);
    let time: Instant | undefined = at(after);
    for (const expected of due) {
      time = schedule.next(time!);
      expect(time && new Date(time).toISOString()).toBe(new Date(`${expected}Z`).toISOString());
    }
    if (due.length === 0) expect(schedule.next(at(after))).toBeUndefined();
  });

test("an invalid schedule has an error", () => expect(scheduleIn("* *", "UTC")).toMatch(/^expected exactly 5/));
