import fc from "fast-check";
import { expect, test } from "vitest";
import type { CronJob, Job } from "../../../api/generated/types.ts";
import { type ApiObject, type Instant, ownedBy, timestamp } from "../../../api/meta.ts";
import type { Action } from "../../../machinery/action.ts";
import { decide, type Observed } from "../../../controllers/cronjob/decide.ts";
import { asStored, carryOut, now } from "./world.ts";

const minute = 60_000;
const minutesAgo = (n: number): string => timestamp((now - n * minute) as Instant);
const cron = (spec: object = {}, status: object = {}, age = 1): CronJob =>
  asStored<CronJob>({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "hello", namespace: "default", uid: "c1", creationTimestamp: minutesAgo(age) },
    spec: {
      ...{ schedule: "* * * * *", concurrencyPolicy: "Allow", suspend: false },
      ...{ successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1, jobTemplate: { spec: { template: {} } } },
      ...spec,
    },
    status,
  });
const jobName = (ago: number): string => `hello-${now / minute - ago}`;
/** A job that was due some minutes ago. */
const job = (ago: number, end?: "Complete" | "Failed", more: object = {}): Job =>
  asStored<Job>({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      ...{ name: jobName(ago), namespace: "default", ownerReferences: [ownedBy(cron())] },
      annotations: { "batch.kubernetes.io/cronjob-scheduled-timestamp": minutesAgo(ago) },
      ...more,
    },
    status: {
      startTime: minutesAgo(ago),
      ...(end && { conditions: [{ type: end, status: "True" }] }),
      ...(end === "Complete" && { completionTime: minutesAgo(ago) }),
    },
  });
const look = (cronJob: CronJob, jobs: readonly Job[] = [], more: Partial<Observed> = {}, at = now) =>
  decide(
    { cronJob, jobs, isTaken: (name) => jobs.some((j) => j.metadata.name === name), changedAt: undefined, ...more },
    at,
  );

/** One-line summaries of actions. */
const words = (actions: readonly Action[]): readonly string[] =>
  actions.map((a) => {
    if (a.do === "create") return `create ${a.draft.metadata.name}`;
    if (a.do === "event") return `${a.reason}: ${a.message}`;
    if (a.do !== "status") return `${a.do} ${a.object.metadata.name}`;
    const { active = [], lastScheduleTime = "-" } = a.status as NonNullable<CronJob["status"]>;
    return `status ${[lastScheduleTime, ...active.map(({ name }) => name)].join(" ")}`;
  });
const listed = (...jobs: readonly Job[]) => ({
  active: jobs.map(({ metadata: { name, namespace, uid } }) => ({ name, namespace, uid })),
});
const [older, running] = [job(2), job(1)];
const created = (ago: number): readonly string[] => [
  `create ${jobName(ago)}`,
  `SuccessfulCreate: Created job ${jobName(ago)}`,
];
const noon = "Thu, 01 Jan 2026 12:00:00 +0000";
const forbidden =
  "JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid";
const last = { lastScheduleTime: minutesAgo(0) };

type Row = readonly [what: string, cronJob: CronJob, jobs: readonly Job[], done: readonly string[]];
const table: readonly Row[] = [
  ["a job that is due", cron(), [], created(0)],
  ["of several missed times only the last", cron({}, {}, 30), [], created(0)],
  ["nothing is due yet", cron({ schedule: "30 * * * *" }), [], []],
  ["suspended", cron({ suspend: true }), [], []],
  ["being deleted", { ...cron(), metadata: { ...cron().metadata, deletionTimestamp: minutesAgo(0) } }, [], []],
  ["started already", cron({}, last), [], []],
  ["a job that started is recorded", cron(), [job(0)], [`status ${minutesAgo(0)} ${jobName(0)}`]],
  ["Allow", cron({}, { ...listed(running), lastScheduleTime: minutesAgo(1) }), [running], created(0)],
  [
    "Forbid",
    cron({ concurrencyPolicy: "Forbid" }, { ...listed(running), lastScheduleTime: minutesAgo(1) }),
    [running],
    [forbidden],
  ],
  [
    "Replace",
    cron({ concurrencyPolicy: "Replace" }, { ...listed(running), lastScheduleTime: minutesAgo(1) }),
    [running],
    [`delete ${jobName(1)}`, `SuccessfulDelete: Deleted job ${jobName(1)}`, `status ${minutesAgo(1)}`],
  ],
  [
    "a finished job",
    cron({}, { ...listed(running), ...last }),
    [{ ...running, status: job(1, "Failed").status }],
    [`status ${minutesAgo(0)}`, `SawCompletedJob: Saw completed job: ${jobName(1)}, condition: Failed`],
  ],
  [
    "a deleted job",
    cron({}, { ...listed(older), ...last }),
    [],
    [`status ${minutesAgo(0)}`, `MissingJob: Active job went missing: ${jobName(2)}`],
  ],
  [
    "a job of a user",
    cron({}, last),
    [job(0, undefined, { name: "mine" })],
    ["UnexpectedJob: Saw a job that the controller did not create or forgot: mine"],
  ],
  [
    "the history of failures",
    cron({}, last),
    [job(1, "Failed"), job(2, "Failed")],
    [`delete ${jobName(2)}`, `SuccessfulDelete: Deleted job ${jobName(2)}`],
  ],
  [
    "more than 100 missed times",
    cron({}, {}, 200),
    [],
    [
      ...created(0),
      "TooManyMissedTimes: too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
    ],
  ],
  [
    "never due",
    cron({ schedule: "0 0 31 2 *" }),
    [],
    ["InvalidSchedule: invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second"],
  ],
  [
    "no schedule",
    cron({ schedule: "x" }),
    [],
    ['UnparseableSchedule: unparseable schedule: "x" : expected exactly 5 fields, found 1: [x]'],
  ],
  [
    "no time zone",
    cron({ timeZone: "Mars/Base" }),
    [],
    ['UnknownTimeZone: invalid timeZone: "Mars/Base": unknown time zone Mars/Base'],
  ],
];
for (const [what, cronJob, jobs, done] of table)
  test(`cron job: ${what}`, () => expect(words(look(cronJob, jobs).actions)).toEqual(done));

test("cron job: times before the starting deadline are skipped", () => {
  const late = (now + 30_000) as Instant;
  const due = (startingDeadlineSeconds: number) =>
    words(look(cron({ schedule: "0 12 * * *", startingDeadlineSeconds }, {}, 5), [], {}, late).actions);
  expect(due(40)).toEqual(created(0));
  expect(due(20)).toEqual([]);
  const atLimit = look(cron({ schedule: "0 12 * * *", startingDeadlineSeconds: 0 }, {}, 0), [], {}, now);
  expect(words(atLimit.actions)).not.toContain(`MissSchedule: Missed scheduled time to start a job: ${noon}`);
});

test("cron job: after a change of the schedule only later times count", () => {
  const cronJob = cron({}, {}, 30);
  expect(words(look(cronJob, [], { changedAt: now }).actions)).toEqual([]);
  expect(look(cronJob, [], { changedAt: now }).requeueAfter).toBe(minute + 100);
});

test("cron job: a job has the template's labels and annotations, and its scheduled time in the zone", () => {
  const jobTemplate = { metadata: { labels: { a: "b" }, annotations: { c: "d" } }, spec: { template: {} } };
  const made = (timeZone?: string): ApiObject =>
    carryOut(look(cron({ jobTemplate, ...(timeZone && { timeZone }) })).actions, [])[0]!;
  expect(made().metadata).toMatchObject({
    labels: { a: "b" },
    annotations: { c: "d", "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-01T12:00:00Z" },
    ownerReferences: [{ kind: "CronJob", name: "hello", controller: true }],
  });
  const zoned = "2026-01-01T17:45:00+05:45";
  expect(Object.values(made("Asia/Kathmandu").metadata.annotations ?? {})).toContain(zoned);
});

/** Advances minutes in which jobs can end, and interrupts the controller after any action. */
const steps = fc.array(fc.record({ ends: fc.boolean(), most: fc.nat(4), minutes: fc.nat(3) }), { maxLength: 25 });
test("cron job: with any interruptions Forbid never overlaps, and no time has two jobs", () => {
  fc.assert(
    fc.property(steps, fc.constantFrom("Allow", "Forbid", "Replace"), (all, concurrencyPolicy) => {
      let at = now;
      let world: readonly ApiObject[] = [cron({ concurrencyPolicy })];
      const names: string[] = [];
      const jobsIn = (): readonly Job[] => world.filter((o): o is Job => o.kind === "Job");
      for (const { ends, most, minutes } of all) {
        at = (at + minutes * minute) as Instant;
        if (ends) world = world.map((o) => (o.kind === "Job" ? { ...o, status: job(0, "Complete").status } : o));
        const cronJob = world.find((o): o is CronJob => o.kind === "CronJob")!;
        const actions = look(cronJob, jobsIn(), {}, at).actions.slice(0, most);
        names.push(...actions.flatMap((a) => (a.do === "create" ? [a.draft.metadata.name!] : [])));
        world = carryOut(actions, world).map((o) => ({ ...o, apiVersion: "batch/v1" }));
        const active = jobsIn().filter((j) => !j.status?.conditions).length;
        if (concurrencyPolicy !== "Allow") expect(active).toBeLessThan(2);
      }
      expect(new Set(names).size).toBe(names.length);
    }),
  );
});
