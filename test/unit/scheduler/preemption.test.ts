// Preemption: which pods have to leave which node, and how they are made to.
import { expect, test } from "vitest";
import { events } from "../../../api/core/events.ts";
import { pods } from "../../../api/core/pods.ts";
import { ApiError } from "../../../api/errors.ts";
import type { Node, Pod, PodDisruptionBudget } from "../../../api/generated/types.ts";
import { priorityClasses } from "../../../api/scheduling/priorityclasses.ts";
import { key } from "../../../api/meta.ts";
import { conditionOf } from "../../../api/core/pod/status.ts";
import type { Client } from "../../../machinery/client.ts";
import type { DecisionLog } from "../../../machinery/decisions.ts";
import type { World } from "../../../machinery/world.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { place } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { pod as draft, running } from "./running.ts";
import { listersOf } from "./storage.ts";

const node = (name: string): Node =>
  ({
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    spec: {},
    status: { allocatable: { cpu: "1", memory: "4Gi", pods: "10" } },
  }) as unknown as Node;
interface PodOptions {
  readonly priority?: number;
  readonly app?: string;
  readonly startTime?: string;
  readonly spec?: object;
  readonly status?: object;
  readonly isEnding?: boolean;
}
const pod = (name: string, cpu: string, o: PodOptions = {}): Pod =>
  ({
    metadata: {
      ...{ name, namespace: "d", labels: { app: o.app ?? name } },
      ...(o.isEnding && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    },
    spec: { priority: o.priority ?? 0, containers: [{ name: "c", resources: { requests: { cpu } } }], ...o.spec },
    status: { startTime: o.startTime ?? "2026-01-01T00:00:00Z", ...o.status },
  }) as unknown as Pod;
const budget = (app: string, disruptionsAllowed: number): PodDisruptionBudget =>
  ({
    kind: "PodDisruptionBudget",
    metadata: { name: app, namespace: "d" },
    spec: { selector: { matchLabels: { app } } },
    status: { disruptionsAllowed },
  }) as unknown as PodDisruptionBudget;

type On = Readonly<Record<string, readonly Pod[]>>;
function preempted(p: Pod, on: On, budgets: readonly PodDisruptionBudget[] = []): string {
  const cache = schedulerCache(listersOf(budgets));
  for (const [name, all] of Object.entries(on)) {
    cache.nodeSeen(name, node(name));
    for (const other of all) cache.assume(other, name);
  }
  const placement = place(p, cache.snapshot(), defaultPlugins());
  if (placement.outcome === "placed") return `placed on ${placement.nodeName}`;
  const { nominatedNodeName, victims, message } = placement.diagnosis;
  return nominatedNodeName ? `${nominatedNodeName}: ${victims.map((v) => v.pod.metadata.name).join(" ")}` : message;
}
const urgent = pod("urgent", "600m", { priority: 10 });
const old = "2025-01-01T00:00:00Z";
const avoiding = (app: string) => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { app } }, topologyKey: "kubernetes.io/hostname" },
      ],
    },
  },
});
test.each<[what: string, expected: string, pod: Pod, on: On, budgets?: readonly PodDisruptionBudget[]]>([
  ["a less important pod leaves", "a: x", urgent, { a: [pod("x", "500m")] }],
  [
    "pods that need not leave stay, important ones first",
    "a: x",
    urgent,
    { a: [pod("x", "500m"), pod("y", "400m", { priority: 5 })] },
  ],
  [
    "of equal pods the one that has run longer stays",
    "a: x",
    urgent,
    { a: [pod("x", "500m"), pod("y", "400m", { startTime: old })] },
  ],
  [
    "a protected pod stays",
    "a: y",
    urgent,
    { a: [pod("x", "400m"), pod("y", "400m", { priority: 5 })] },
    [budget("x", 0)],
  ],
  [
    "a node where no budget is violated",
    "b: y",
    urgent,
    { a: [pod("x", "900m")], b: [pod("y", "900m", { priority: 5 })] },
    [budget("x", 0)],
  ],
  [
    "a budget that allows a disruption",
    "a: x",
    urgent,
    { a: [pod("x", "900m")], b: [pod("y", "900m", { priority: 5 })] },
    [budget("x", 1)],
  ],
  [
    "the least important of the most important victims",
    "b: y",
    urgent,
    { a: [pod("x", "900m", { priority: 5 })], b: [pod("y", "900m", { priority: 4 })] },
  ],
  [
    "the lowest sum of priorities",
    "b: z",
    urgent,
    {
      a: [pod("x", "500m", { priority: 5 }), pod("y", "500m", { priority: 5 })],
      b: [pod("z", "900m", { priority: 5 })],
    },
  ],
  [
    "the victim that started last",
    "b: y",
    urgent,
    { a: [pod("x", "900m", { startTime: old })], b: [pod("y", "900m")] },
  ],
  ["equal nodes go by name", "a: x", urgent, { a: [pod("x", "900m")], b: [pod("y", "900m")] }],
  [
    "anti-affinity to a less important pod",
    "a: x",
    pod("p", "1m", { priority: 10, spec: avoiding("x") }),
    { a: [pod("x", "1m")] },
  ],
  [
    "a less important pod's anti-affinity",
    "a: x",
    pod("p", "1m", { priority: 10 }),
    { a: [pod("x", "1m", { spec: avoiding("p") })] },
  ],
  [
    "too large even for an empty node",
    "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    pod("p", "2", { priority: 10 }),
    { a: [pod("x", "500m")] },
  ],
  [
    "more important pods leave too little",
    "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Insufficient cpu.",
    urgent,
    { a: [pod("x", "500m", { priority: 20 }), pod("y", "100m")] },
  ],
  [
    "a terminating victim on the nominated node",
    "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to a terminating pod on the nominated node.",
    pod("p", "600m", { priority: 10, status: { nominatedNodeName: "a" } }),
    {
      a: [
        pod("x", "500m", {
          isEnding: true,
          status: { conditions: [{ type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" }] },
        }),
      ],
    },
  ],
])("%s", (_, expected, p, on, budgets) => expect(preempted(p, on, budgets)).toBe(expected));

const createClass = (client: Client, name: string, value: number): Promise<unknown> =>
  client.create(priorityClasses, { kind: "PriorityClass", metadata: { name }, value });
/** Makes a pod Running: only then does it end by its grace period. */
const start = (client: Client, name: string): Promise<unknown> =>
  client.patch(pods, key("default", name), { type: "merge", patch: { status: { phase: "Running" } } }, "status");

test("victims are marked and deleted, and the pod gets their room when it is free", async () => {
  const low = draft("low", "600m", { terminationGracePeriodSeconds: 30 });
  const scheduler = await running([low]);
  const { client } = scheduler;
  for (const [name, value] of Object.entries({ high: 10, middle: 5 })) await createClass(client, name, value);
  await scheduler.until(1);
  await start(client, "low");
  await client.create(pods, draft("high", "600m", { priorityClassName: "high" }));
  await scheduler.until(3);
  const victim = await client.get(pods, key("default", "low"));
  expect(victim.metadata.deletionTimestamp).toBeDefined();
  expect(conditionOf(victim.status?.conditions, "DisruptionTarget")).toMatchObject({
    status: "True",
    reason: "PreemptionByScheduler",
    message: "default-scheduler: preempting to accommodate a higher priority pod",
  });
  const high = await client.get(pods, key("default", "high"));
  expect(high.status?.nominatedNodeName).toBe("n1");
  expect(high.spec.nodeName).toBeUndefined();
  const preempted = (await client.list(events)).items.find((e) => e.reason === "Preempted");
  expect(preempted).toMatchObject({ type: "Normal", message: `Preempted by pod ${high.metadata.uid} on node n1` });
  await client.delete(pods, key("default", "low"), { gracePeriodSeconds: 0 });
  await scheduler.until(6);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ high: "n1" });
});

test("a less important pod does not get the room of a nominated one", async () => {
  const scheduler = await running([draft("low")]);
  const { client } = scheduler;
  for (const [name, value] of Object.entries({ high: 10, middle: 5 })) await createClass(client, name, value);
  await scheduler.until(1);
  await start(client, "low");
  await client.create(pods, draft("high", "600m", { priorityClassName: "high" }));
  await scheduler.until(2);
  await client.create(pods, draft("middle", "600m", { priorityClassName: "middle" }));
  await client.delete(pods, key("default", "low"), { gracePeriodSeconds: 0 });
  await scheduler.until(20);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ high: "n1" });
});

test("a pod gets the room that it waits for even if its nomination was not written at first", async () => {
  let isFirst = true;
  const unwritten = (client: Client): Client => ({
    ...client,
    update(r, object, part) {
      const isLost = part === "status" && isFirst;
      if (isLost) isFirst = false;
      return isLost ? Promise.reject(new ApiError("Conflict", "")) : client.update(r, object, part);
    },
  });
  const scheduler = await running([draft("low"), draft("small", "100m")], { wire: unwritten });
  const { client } = scheduler;
  await createClass(client, "high", 10);
  await scheduler.until(1);
  for (const name of ["low", "small"]) await start(client, name);
  // The second is decided by what was prepared for both.
  for (const name of ["high", "like-it"]) await client.create(pods, draft(name, "600m", { priorityClassName: "high" }));
  await scheduler.until(1.5);
  await client.delete(pods, key("default", "low"), { gracePeriodSeconds: 0 });
  await scheduler.until(20);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ high: "n1", small: "n1" });
});

test("a pod does not preempt again before the view shows that its victims leave", async () => {
  const decided: string[] = [];
  const slow = (client: Client, { clock }: World): Client => ({
    ...client,
    async delete(r, k, options) {
      await clock.sleep(1_000);
      return client.delete(r, k, options);
    },
  });
  const behind = (client: Client, { clock }: World): Client => ({
    ...client,
    async *watch(r, options, signal) {
      for await (const event of client.watch(r, options, signal)) {
        await clock.sleep(500, signal);
        yield event;
      }
    },
  });
  const decisions: DecisionLog = {
    record: ({ key, actions }) => void decided.push(...actions.map((action) => `${key}: ${action}`)),
    of: () => [],
  };
  const scheduler = await running([draft("low"), draft("small", "100m")], {
    ...{ wire: slow, viewWire: behind, decisions },
  });
  const { client } = scheduler;
  await createClass(client, "high", 10);
  await scheduler.until(5);
  for (const name of ["low", "small"]) await start(client, name);
  await client.create(pods, draft("high", "600m", { priorityClassName: "high" }));
  await scheduler.until(5.2);
  // The scheduler sees this while it evicts.
  await client.delete(pods, key("default", "small"), { gracePeriodSeconds: 0 });
  await scheduler.until(60);
  await scheduler.stop();
  expect(decided.filter((action) => action.includes("preempt"))).toEqual(["default/high: preempt default/low on n1"]);
});
