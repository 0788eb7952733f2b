// Jobs and cron jobs: validation, updates and status.
import { expect, test } from "vitest";
import { cronJobs } from "../../../../api/batch/cronjobs.ts";
import { parseSchedule } from "../../../../api/batch/cronjobs-schedule.ts";
import { type Job, jobs } from "../../../../api/batch/jobs.ts";
import { stored, changes, refuses, messagesOf } from "./validation-cases.ts";

const podSpec = { containers: [{ name: "main", image: "app:1" }], restartPolicy: "Never" };
const template = { spec: podSpec };
const job = (spec: object): object => ({ spec: { template, ...spec } });
const indexed = (spec: object): object => job({ completionMode: "Indexed", completions: 5, ...spec });
const never = { spec: { ...podSpec, restartPolicy: "Never" } };

refuses(jobs, [
  [
    "pods that never end",
    job({ template: { spec: { ...podSpec, restartPolicy: "Always" } } }),
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [
    "fewer than no pods",
    job({ parallelism: -1 }),
    "spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
  ],
  [
    "indexes without a number of them",
    { spec: { template, completionMode: "Indexed", parallelism: 2 } },
    "spec.completions: Required value: when completion mode is Indexed",
  ],
  [
    "a mode that does not exist",
    job({ completionMode: "Counted" }),
    'spec.completionMode: Unsupported value: "Counted": supported values: "NonIndexed", "Indexed"',
  ],
  [
    "retries by index without indexes",
    job({ backoffLimitPerIndex: 1 }),
    "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
  ],
  [
    "a manager without a domain",
    job({ managedBy: "me" }),
    'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    "a rule for nothing",
    job({ podFailurePolicy: { rules: [{ action: "FailJob" }] } }),
    "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
  ],
  [
    "a rule for no code in particular",
    job({ podFailurePolicy: { rules: [{ action: "Explode", onExitCodes: { operator: "In", values: [2, 0, 2] } }] } }),
    'spec.podFailurePolicy.rules[0].action: Unsupported value: "Explode": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
    "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
    "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 2",
    "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,0,2]: must be ordered",
  ],
  [
    "pods replaced before they have failed, with rules for failure",
    job({
      podReplacementPolicy: "TerminatingOrFailed",
      podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }] },
    }),
    'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
  ],
  [
    "success by indexes there are not",
    indexed({ successPolicy: { rules: [{ succeededIndexes: "0,7" }] } }),
    'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0,7": error parsing succeededIndexes: too large index: "7"',
  ],
  [
    "success by more than there are",
    indexed({ successPolicy: { rules: [{ succeededIndexes: "0-1", succeededCount: 3 }] } }),
    "spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)",
  ],
  [
    "a selector of its own, and no care for it",
    job({ selector: { matchLabels: { app: "a" } } }),
    'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"u","app":"a"}}: `selector` not auto-generated',
    'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"u","batch.kubernetes.io/job-name":"a","controller-uid":"u","job-name":"a"}: `selector` does not match template `labels`',
  ],
]);

const suspended = { suspend: true };
const faster = (cpu: string): object => ({
  spec: { ...podSpec, containers: [{ ...podSpec.containers[0], resources: { requests: { cpu } } }] },
});
changes(jobs, [
  ["parallelism may change", job({ completions: 1 }), job({ completions: 1, parallelism: 3 })],
  [
    "how many have to succeed may not be left unsaid",
    job({ completions: 1 }),
    job({ parallelism: 3 }),
    "spec.completions: Invalid value: null: field is immutable",
  ],
  [
    "the number of pods that have to succeed may not",
    job({ completions: 1 }),
    job({ completions: 2 }),
    "spec.completions: Invalid value: 2: field is immutable",
  ],
  ["unless their indexes do, in step", indexed({ parallelism: 5 }), indexed({ completions: 6, parallelism: 6 })],
  [
    "and not out of step",
    indexed({ parallelism: 5 }),
    indexed({ completions: 6, parallelism: 5 }),
    "spec.completions: Invalid value: 6: can only be modified in tandem with spec.parallelism",
  ],
  [
    "a suspended job can change its placement",
    job(suspended),
    job({ ...suspended, template: { spec: { ...podSpec, nodeSelector: { a: "b" } } } }),
  ],
  ["and how much to take", job({ ...suspended, template: faster("1") }), job({ ...suspended, template: faster("2") })],
  [
    "and by whom it is managed it keeps",
    job({}),
    job({ managedBy: "example.com/me" }),
    'spec.managedBy: Invalid value: "example.com/me": field is immutable',
  ],
]);
test("Job: of a job that works the pods stay as they are", () => {
  const problems = jobs.validate(
    stored(jobs, job({ template: faster("2") })),
    stored(jobs, job({ template: faster("1") })),
  );
  expect(messagesOf(problems)[0]).toMatch(/^spec.template: Invalid value: \{.*\}: field is immutable$/);
});

test("Job: a new job finds its pods by its uid, and is labelled like them", () => {
  const made = stored(jobs, job({}));
  const labels = {
    "batch.kubernetes.io/controller-uid": "u",
    "batch.kubernetes.io/job-name": "a",
    "controller-uid": "u",
    "job-name": "a",
  };
  expect(made.spec.selector).toEqual({ matchLabels: { "batch.kubernetes.io/controller-uid": "u" } });
  expect(made.spec.template.metadata?.labels).toEqual(labels);
  expect(made.spec).toMatchObject({
    backoffLimit: 6,
    completionMode: "NonIndexed",
    completions: 1,
    manualSelector: false,
    parallelism: 1,
    podReplacementPolicy: "TerminatingOrFailed",
    suspend: false,
  });
});
test("Job: who finds the pods himself is believed", () => {
  const selector = { matchLabels: { app: "a" } };
  const mine = { metadata: { labels: { app: "a" } }, ...never };
  const made = stored(jobs, { spec: { manualSelector: true, selector, template: mine } });
  expect(made.spec.selector).toEqual(selector);
  expect(jobs.validate(made)).toEqual([]);
});

const at = "2026-01-01T00:00:00Z";
const condition = (type: string): object => ({ type, status: "True" });
const statuses: readonly (readonly [what: string, then: object, now: object, ...messages: string[]])[] = [
  ["begins", {}, { startTime: at, active: 1 }],
  [
    "ends well",
    { startTime: at },
    {
      startTime: at,
      completionTime: at,
      succeeded: 1,
      conditions: [condition("SuccessCriteriaMet"), condition("Complete")],
    },
  ],
  [
    "ends well and does not say when",
    { startTime: at },
    { startTime: at, conditions: [condition("SuccessCriteriaMet"), condition("Complete")] },
    "status.completionTime: Required value: completionTime is required for Complete jobs",
  ],
  [
    "fails out of the blue",
    { startTime: at },
    { startTime: at, conditions: [condition("Failed")] },
    "status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition",
  ],
  [
    "has never failed after all",
    { startTime: at, failed: 2 },
    { startTime: at, failed: 1 },
    "status.failed: Invalid value: 1: cannot decrease the failed counter",
  ],
  [
    "forgets when it began",
    { startTime: at },
    {},
    "status.startTime: Required value: startTime cannot be removed for unsuspended job",
  ],
  [
    "has more ready than there are",
    { startTime: at },
    { startTime: at, active: 1, ready: 2 },
    "status.ready: Invalid value: 2: cannot set more ready pods than active",
  ],
];
for (const [what, then, now, ...expected] of statuses)
  test(`Job: that a job ${what} ${expected.length === 0 ? "is valid" : "is refused"}`, () => {
    const old = { ...stored(jobs, job({})), status: then } as Job;
    expect(messagesOf(jobs.validateStatus({ ...old, status: now } as Job, old))).toEqual(expected);
  });

test("Job: one with a policy for success ends well only by it, and indexes are of as many as there are", () => {
  const spec = { completionMode: "Indexed", completions: 2, successPolicy: { rules: [{ succeededCount: 1 }] } };
  const old = { ...stored(jobs, job(spec)), status: { startTime: at, conditions: [condition("Complete")] } } as Job;
  const now = { startTime: at, completionTime: at, conditions: [condition("Complete")], completedIndexes: "5" };
  expect(messagesOf(jobs.validateStatus({ ...old, status: now } as Job, old))).toEqual([
    expect.stringMatching(/^status.completedIndexes: Invalid value: "5": error parsing completedIndexes/),
    "status.conditions: Invalid value: cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True",
  ]);
});

const cron = (spec: object): object => ({
  spec: { schedule: "* * * * *", jobTemplate: { spec: { template } }, ...spec },
});
refuses(cronJobs, [
  ["no time at all", cron({ schedule: "" }), "spec.schedule: Required value"],
  [
    "four fields",
    cron({ schedule: "* * * *" }),
    'spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]',
  ],
  [
    "a zone in the schedule",
    cron({ schedule: "TZ=Europe/Berlin 0 0 * * *" }),
    'spec.schedule: Invalid value: "TZ=Europe/Berlin 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
  ],
  [
    "a zone nobody lives in",
    cron({ timeZone: "Europe/Atlantis" }),
    'spec.timeZone: Invalid value: "Europe/Atlantis": unknown time zone Europe/Atlantis',
  ],
  [
    "the time of the server",
    cron({ timeZone: "Local" }),
    'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
  ],
  [
    "a policy that does not exist",
    cron({ concurrencyPolicy: "Hope" }),
    'spec.concurrencyPolicy: Unsupported value: "Hope": supported values: "Allow", "Forbid", "Replace"',
  ],
  [
    "a name that leaves no room for those of its jobs",
    { ...cron({}), metadata: { name: "a".repeat(53) } },
    `metadata.name: Invalid value: "${"a".repeat(53)}": must be no more than 52 characters`,
  ],
  [
    "a selector for jobs yet to be",
    cron({ jobTemplate: { spec: { template, selector: { matchLabels: { a: "b" } } } } }),
    'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
  ],
]);

const schedules: readonly (readonly [schedule: string, wrong?: string])[] = [
  ["*/5 * * * *"],
  ["0 9-17/2 1,15 jan-jun MON-fri"],
  ["? * * * ?"],
  ["@hourly"],
  ["@every 1h30m"],
  ["60 * * * *", "end of range (60) above maximum (59): 60"],
  ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
  ["* * * * 7", "end of range (7) above maximum (6): 7"],
  ["5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"],
  ["*/0 * * * *", "step of range should be a positive number: */0"],
  ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
  ["*/2/3 * * * *", "too many slashes: */2/3"],
  ["a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
  ["@sometimes", "unrecognized descriptor: @sometimes"],
  ["@every day", 'failed to parse duration @every day: time: invalid duration "day"'],
  ["* * * * L", 'failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax'],
];
for (const [schedule, wrong] of schedules)
  test(`CronJob: "${schedule}" is ${wrong ? "no schedule" : "a schedule"}`, () =>
    expect(parseSchedule(schedule)).toEqual(wrong ?? expect.any(Object)));
