import fc from "fast-check";
import { expect, test } from "vitest";
import type { Job, Pod } from "../../../api/generated/types.ts";
import { conditionsOf, type JobWorld, jobWorld } from "./job-world.ts";

/** Pods by phase, such as `2 Pending 1 Failed`. */
async function phases(world: JobWorld): Promise<string> {
  const byPhase = Map.groupBy(await world.pods(), (p) => (p.metadata.deletionTimestamp ? "Deleted" : p.status!.phase!));
  return [...byPhase]
    .map(([phase, same]) => `${same.length} ${phase}`)
    .toSorted()
    .join(" ");
}
const endAll = async (world: JobWorld, codes: readonly number[]): Promise<void> => {
  const active = await world.active();
  for (const [i, code] of codes.entries()) await world.end(active[i]!, code);
  await world.settle();
};
const indexed = { completionMode: "Indexed" } as const;
const onExit = (action: string) => ({ action, onExitCodes: { operator: "In", values: [42] } });

/** The spec, the exit codes of active pods in rounds 21 s apart, and the final job and pods. */
type Story = readonly [
  what: string,
  spec: object,
  rounds: readonly (readonly number[])[],
  status: object,
  pods: string,
];
const stories: readonly Story[] = [
  ["one pod", {}, [[0]], { succeeded: 1, conditions: ["SuccessCriteriaMet", "Complete"] }, "1 Succeeded"],
  [
    "several completions with limited parallelism",
    { completions: 3, parallelism: 2 },
    [[0]],
    { succeeded: 1, active: 2 },
    "1 Succeeded 2 Pending",
  ],
  [
    "no more pods than remaining completions",
    { completions: 3, parallelism: 2 },
    [[0, 0]],
    { succeeded: 2, active: 1 },
    "1 Pending 2 Succeeded",
  ],
  [
    "a work queue starts no pods after its first success",
    { parallelism: 3 },
    [[0]],
    { succeeded: 1, active: 2 },
    "1 Succeeded 2 Pending",
  ],
  [
    "a work queue is complete when all pods have ended",
    { parallelism: 2 },
    [[0], [1]],
    { succeeded: 1, failed: 1, conditions: ["SuccessCriteriaMet", "Complete"] },
    "1 Failed 1 Succeeded",
  ],
  ["a failure is retried", {}, [[1]], { failed: 1, active: 1 }, "1 Failed 1 Pending"],
  [
    "too many failures",
    { backoffLimit: 1 },
    [[1], [1]],
    { failed: 2, conditions: ["FailureTarget", "Failed"], reason: "BackoffLimitExceeded" },
    "2 Failed",
  ],
  [
    "a failed job deletes active pods and counts them as failed",
    { backoffLimit: 0, completions: 2, parallelism: 2 },
    [[1]],
    { failed: 2, reason: "BackoffLimitExceeded" },
    "1 Failed",
  ],
  [
    "indexes",
    { ...indexed, completions: 4, parallelism: 4 },
    [[0, 1, 0, 0]],
    { completedIndexes: "0,2,3", succeeded: 3, failed: 1, active: 1 },
    "1 Failed 1 Pending 3 Succeeded",
  ],
  [
    "an index above its limit",
    { ...indexed, completions: 2, parallelism: 2, backoffLimitPerIndex: 0 },
    [[1, 0]],
    { completedIndexes: "1", failedIndexes: "0", reason: "FailedIndexes" },
    "1 Failed 1 Succeeded",
  ],
  [
    "an index within its limit",
    { ...indexed, completions: 2, parallelism: 2, backoffLimitPerIndex: 1 },
    [[1, 0], [0]],
    { completedIndexes: "0,1", failedIndexes: "", failed: 1, conditions: ["SuccessCriteriaMet", "Complete"] },
    "1 Failed 2 Succeeded",
  ],
  [
    "too many failed indexes",
    { ...indexed, completions: 4, parallelism: 4, backoffLimitPerIndex: 0, maxFailedIndexes: 1 },
    [[1, 0, 1]],
    { completedIndexes: "1", failedIndexes: "0,2", reason: "MaxFailedIndexesExceeded" },
    "1 Succeeded 2 Failed",
  ],
  [
    "FailIndex",
    {
      ...indexed,
      completions: 2,
      parallelism: 2,
      backoffLimitPerIndex: 3,
      podFailurePolicy: { rules: [onExit("FailIndex")] },
    },
    [[42]],
    { failedIndexes: "0", failed: 1, active: 1 },
    "1 Failed 1 Pending",
  ],
  [
    "FailJob",
    { completions: 2, parallelism: 1, podFailurePolicy: { rules: [onExit("FailJob")] } },
    [[42]],
    { failed: 1, reason: "PodFailurePolicy" },
    "1 Failed",
  ],
  [
    "Ignore",
    { backoffLimit: 0, podFailurePolicy: { rules: [onExit("Ignore")] } },
    [[42]],
    { active: 1 },
    "1 Failed 1 Pending",
  ],
  [
    "Count",
    {
      backoffLimit: 1,
      podFailurePolicy: {
        rules: [onExit("Count"), { action: "Ignore", onExitCodes: { operator: "NotIn", values: [42] } }],
      },
    },
    [[42], [7]],
    { failed: 1, active: 1 },
    "1 Pending 2 Failed",
  ],
  [
    "success of some indexes",
    {
      ...indexed,
      completions: 3,
      parallelism: 3,
      successPolicy: { rules: [{ succeededIndexes: "1,2", succeededCount: 1 }] },
    },
    [[1, 0]],
    { completedIndexes: "1", reason: "SuccessPolicy", failed: 1 },
    "1 Failed 1 Succeeded",
  ],
  ["zero completions", { completions: 0 }, [], { conditions: ["SuccessCriteriaMet", "Complete"] }, ""],
  ["suspended from the start", { suspend: true }, [], { conditions: ["Suspended"] }, ""],
  ["managed by another controller", { managedBy: "example.com/batch" }, [], { conditions: [] }, ""],
];
for (const [what, spec, rounds, expected, left] of stories)
  test(`job: ${what}`, async () => {
    const world = await jobWorld(spec);
    await world.settle();
    for (const codes of rounds) {
      await endAll(world, codes);
      await world.pass(21);
      await world.settle();
    }
    const job = await world.job();
    const reason = job.status?.conditions?.find((c) => c.type === "Complete" || c.type === "Failed")?.reason;
    expect({ ...job.status, reason, conditions: conditionsOf(job) }).toMatchObject(expected);
    expect(await phases(world)).toBe(left);
  });

test("job: after failures the next pod waits for 10 s, then for 20 s", async () => {
  const world = await jobWorld({});
  await world.settle();
  for (const seconds of [10, 20]) {
    await endAll(world, [1]);
    await world.pass(seconds - 1);
    expect(await world.look()).toEqual([]);
    await world.pass(1);
    expect(await world.look()).toContain("create");
    await world.settle();
  }
});

test("job: suspension deletes pods without counting failures; resuming restarts the deadline", async () => {
  const world = await jobWorld({ parallelism: 2, completions: 2 });
  await world.settle();
  const { startTime } = (await world.job()).status!;
  await world.change({ suspend: true });
  await world.settle();
  expect(await phases(world)).toBe("");
  const { status } = await world.job();
  expect([status!.startTime, status!.failed, status!.terminating]).toEqual([undefined, undefined, 0]);
  await world.pass(5);
  await world.change({ suspend: false });
  await world.settle();
  expect(await phases(world)).toBe("2 Pending");
  expect((await world.job()).status!.startTime).not.toBe(startTime);
  expect(world.events.filter((e) => /uspended|esumed/.test(e))).toEqual([
    "Suspended: Job suspended",
    "Resumed: Job resumed",
  ]);
});

test("job: reduced parallelism deletes pods without counting failures", async () => {
  const world = await jobWorld({ parallelism: 3, completions: 5 });
  await world.settle();
  await world.change({ parallelism: 1 });
  await world.settle();
  expect(await phases(world)).toBe("1 Pending");
  const { status } = await world.job();
  expect([status!.active, status!.failed]).toEqual([1, undefined]);
});

test("job: fails at its deadline", async () => {
  const world = await jobWorld({ activeDeadlineSeconds: 30 });
  await world.settle();
  await world.pass(31);
  await world.settle();
  const { conditions } = (await world.job()).status!;
  expect(conditions?.map((c) => [c.type, c.reason])).toEqual([
    ["FailureTarget", "DeadlineExceeded"],
    ["Failed", "DeadlineExceeded"],
  ]);
  expect(world.events).toContain("DeadlineExceeded: Job was active longer than specified deadline");
});

test("job: a terminating pod is replaced immediately, or when it has ended", async () => {
  for (const [podReplacementPolicy, created] of [
    ["TerminatingOrFailed", 1],
    ["Failed", 0],
  ] as const) {
    const world = await jobWorld({ podReplacementPolicy });
    await world.settle();
    await world.remove((await world.active())[0]!);
    await world.pass(11);
    await world.look();
    expect((await world.active()).length).toBe(created);
  }
});

test("job: a pod of an index has its index as label, annotation, hostname and variable", async () => {
  const world = await jobWorld({ ...indexed, completions: 2, parallelism: 2 });
  await world.settle();
  const pod = (await world.pods()).find((p) => p.metadata.name.startsWith("web-1-"))!;
  const mark = { "batch.kubernetes.io/job-completion-index": "1" };
  expect(pod).toMatchObject({ metadata: { labels: mark, annotations: mark }, spec: { hostname: "web-1" } });
  expect(pod.spec.containers[0]?.env?.map(({ name }) => name)).toEqual(["JOB_COMPLETION_INDEX"]);
});

test("job: adopted pods have the tracking finalizer, released ones do not", async () => {
  const world = await jobWorld({ parallelism: 2, completions: 2 });
  await world.settle();
  const [orphan, stray] = (await world.pods()).map(({ metadata }) => metadata.name);
  await world.edit(orphan!, { metadata: { ownerReferences: null, finalizers: null } });
  await world.edit(stray!, { metadata: { labels: null } });
  await world.settle();
  const after = new Map((await world.pods()).map(({ metadata }) => [metadata.name, metadata]));
  expect(after.size).toBe(3);
  expect(after.get(orphan!)).toMatchObject({ finalizers: ["batch.kubernetes.io/job-tracking"] });
  expect(after.get(orphan!)!.ownerReferences).toHaveLength(1);
  expect([after.get(stray!)!.finalizers, after.get(stray!)!.ownerReferences]).toEqual([undefined, undefined]);
});

interface Step {
  readonly most: number;
  readonly what: "succeed" | "fail" | "delete" | "wait";
  readonly which: number;
}
const step: fc.Arbitrary<Step> = fc.record({
  most: fc.nat(5),
  what: fc.constantFrom("succeed", "fail", "delete", "wait"),
  which: fc.nat(5),
});
const specs = fc.record({
  completionMode: fc.constantFrom("Indexed", "NonIndexed"),
  completions: fc.integer({ min: 1, max: 4 }),
  parallelism: fc.integer({ min: 1, max: 3 }),
  backoffLimit: fc.nat(3),
  podReplacementPolicy: fc.constantFrom("Failed", "TerminatingOrFailed"),
});

async function play(world: JobWorld, { what, which, most }: Step, created: Map<string, Pod>): Promise<void> {
  const active = await world.active();
  const pod = active[which % Math.max(1, active.length)];
  if (what === "wait" || pod === undefined) await world.pass(13);
  else if (what === "delete") await world.remove(pod);
  else await world.end(pod, what === "fail" ? 1 : 0);
  await world.look(most).catch(() => {});
  for (const p of await world.pods()) created.set(p.metadata.uid, p);
}

/** Ends the job: every pod succeeds, and those being deleted fail. */
async function finish(world: JobWorld, created: Map<string, Pod>): Promise<Job> {
  for (let round = 0; round < 12; round++) {
    await world.settle();
    for (const p of await world.pods()) {
      created.set(p.metadata.uid, p);
      const isOver = p.status?.phase === "Succeeded" || p.status?.phase === "Failed";
      if (!isOver) await world.end(p, p.metadata.deletionTimestamp ? 1 : 0);
    }
    await world.settle();
    await world.pass(600);
  }
  return world.job();
}

test("job: with any interruptions every pod and every index counts once", async () => {
  await fc.assert(
    fc.asyncProperty(specs, fc.array(step, { maxLength: 14 }), async (spec, steps) => {
      const world = await jobWorld(spec);
      const created = new Map<string, Pod>();
      for (const s of steps) await play(world, s, created);
      const { status = {} } = await finish(world, created);
      const { succeeded = 0, failed = 0, uncountedTerminatedPods, completedIndexes = "" } = status;
      expect(status.conditions?.at(-1)?.type).toBe(failed > spec.backoffLimit ? "Failed" : "Complete");
      expect({ counted: succeeded + failed, uncountedTerminatedPods }).toEqual({
        counted: created.size,
        uncountedTerminatedPods: {},
      });
      if (spec.completionMode === "Indexed" && failed <= spec.backoffLimit)
        expect(completedIndexes).toBe(["0", "0,1", "0-2", "0-3"][spec.completions - 1]);
      for (const pod of await world.pods()) expect(pod.metadata.finalizers ?? []).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test("ended pods are counted and released while the server refuses new ones", async () => {
  const world = await jobWorld({ completions: 2, parallelism: 2 });
  await world.settle();
  const [failed, running] = await world.active();
  await world.end(failed!, 1);
  await world.refusePods();
  await world.pass(21);
  for (let i = 0; i < 3; i++) await expect(world.look()).rejects.toThrow(/maximum cpu usage per Pod/);
  const tracked = (await world.pods()).filter(({ metadata }) => metadata.finalizers !== undefined);
  expect(tracked.map(({ metadata }) => metadata.name)).toEqual([running!.metadata.name]);
  expect((await world.job()).status).toMatchObject({ failed: 1, active: 1, uncountedTerminatedPods: {} });
});
