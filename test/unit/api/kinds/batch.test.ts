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
    "a restart policy of Always",
    job({ template: { spec: { ...podSpec, restartPolicy: "Always" } } }),
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [
    "negative parallelism",
    job({ parallelism: -1 }),
    "spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
  ],
  [
    "indexed completion without completions",
    { spec: { template, completionMode: "Indexed", parallelism: 2 } },
    "spec.completions: Required value: when completion mode is Indexed",
  ],
  [
    "an unknown completion mode",
    job({ completionMode: "Counted" }),
    'spec.completionMode: Unsupported value: "Counted": supported values: "NonIndexed", "Indexed"',
  ],
  [
    "backoffLimitPerIndex without indexed completion",
    job({ backoffLimitPerIndex: 1 }),
    "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
  ],
  [
    "managedBy without a domain",
    job({ managedBy: "me" }),
    'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    "a failure rule without a condition",
    job({ podFailurePolicy: { rules: [{ action: "FailJob" }] } }),
    "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
  ],
  [
    "a failure rule with invalid exit codes",
    job({ podFailurePolicy: { rules: [{ action: "Explode", onExitCodes: { operator: "In", values: [2, 0, 2] } }] } }),
    'spec.podFailurePolicy.rules[0].action: Unsupported value: "Explode": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
    "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
    "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 2",
    "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,0,2]: must be ordered",
  ],
  [
    "podReplacementPolicy TerminatingOrFailed with a pod failure policy",
    job({
      podReplacementPolicy: "TerminatingOrFailed",
      podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }] },
    }),
    'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
  ],
  [
    "a success policy with an index out of range",
    indexed({ successPolicy: { rules: [{ succeededIndexes: "0,7" }] } }),
    'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0,7": error parsing succeededIndexes: too large index: "7"',
  ],
  [
    "a success policy with too high a count",
    indexed({ successPolicy: { rules: [{ succeededIndexes: "0-1", succeededCount: 3 }] } }),
    "spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)",
  ],
  [
    "a manual selector that does not match the template",
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
  ["parallelism can change", job({ completions: 1 }), job({ completions: 1, parallelism: 3 })],
  [
    "completions cannot be removed",
    job({ completions: 1 }),
    job({ parallelism: 3 }),
    "spec.completions: Invalid value: null: field is immutable",
  ],
  [
    "completions cannot change",
    job({ completions: 1 }),
    job({ completions: 2 }),
    "spec.completions: Invalid value: 2: field is immutable",
  ],
  [
    "completions of an indexed job can change with parallelism",
    indexed({ parallelism: 5 }),
    indexed({ completions: 6, parallelism: 6 }),
  ],
  [
    "completions of an indexed job cannot change without parallelism",
    indexed({ parallelism: 5 }),
    indexed({ completions: 6, parallelism: 5 }),
    "spec.completions: Invalid value: 6: can only be modified in tandem with spec.parallelism",
  ],
  [
    "a suspended job can change its placement",
    job(suspended),
    job({ ...suspended, template: { spec: { ...podSpec, nodeSelector: { a: "b" } } } }),
  ],
  [
    "a suspended job can change its resources",
    job({ ...suspended, template: faster("1") }),
    job({ ...suspended, template: faster("2") }),
  ],
  [
    "managedBy cannot change",
    job({}),
    job({ managedBy: "example.com/me" }),
    'spec.managedBy: Invalid value: "example.com/me": field is immutable',
  ],
]);
test("Job: the pod template of a running job cannot change", () => {
  const problems = jobs.validate(
    stored(jobs, job({ template: faster("2") })),
    stored(jobs, job({ template: faster("1") })),
  );
  expect(messagesOf(problems)[0]).toMatch(/^spec.template: Invalid value: \{.*\}: field is immutable$/);
});

test("Job: a new job gets a selector by its uid, and its template the labels", () => {
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
test("Job: a manual selector is kept", () => {
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
    "is Complete without a completion time",
    { startTime: at },
    { startTime: at, conditions: [condition("SuccessCriteriaMet"), condition("Complete")] },
    "status.completionTime: Required value: completionTime is required for Complete jobs",
  ],
  [
    "is Failed without FailureTarget",
    { startTime: at },
    { startTime: at, conditions: [condition("Failed")] },
    "status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition",
  ],
  [
    "decrements its failed counter",
    { startTime: at, failed: 2 },
    { startTime: at, failed: 1 },
    "status.failed: Invalid value: 1: cannot decrease the failed counter",
  ],
  [
    "loses its start time",
    { startTime: at },
    {},
    "status.startTime: Required value: startTime cannot be removed for unsuspended job",
  ],
  [
    "has more ready than active pods",
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

test("Job: completion with a success policy needs SuccessCriteriaMet, and completed indexes are in range", () => {
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
  ["an empty schedule", cron({ schedule: "" }), "spec.schedule: Required value"],
  [
    "four fields",
    cron({ schedule: "* * * *" }),
    'spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]',
  ],
  [
    "a time zone in the schedule",
    cron({ schedule: "TZ=Europe/Berlin 0 0 * * *" }),
    'spec.schedule: Invalid value: "TZ=Europe/Berlin 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
  ],
  [
    "an unknown time zone",
    cron({ timeZone: "Europe/Atlantis" }),
    'spec.timeZone: Invalid value: "Europe/Atlantis": unknown time zone Europe/Atlantis',
  ],
  [
    "the time zone Local",
    cron({ timeZone: "Local" }),
    'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
  ],
  [
    "an unknown concurrency policy",
    cron({ concurrencyPolicy: "Hope" }),
    'spec.concurrencyPolicy: Unsupported value: "Hope": supported values: "Allow", "Forbid", "Replace"',
  ],
  [
    "a name too long for the names of its jobs",
    { ...cron({}), metadata: { name: "a".repeat(53) } },
    `metadata.name: Invalid value: "${"a".repeat(53)}": must be no more than 52 characters`,
  ],
  [
    "a generated selector in the job template",
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
  test(`CronJob: "${schedule}" is ${wrong ? "an invalid" : "a valid"} schedule`, () =>
    expect(parseSchedule(schedule)).toEqual(wrong ?? expect.any(Object)));
