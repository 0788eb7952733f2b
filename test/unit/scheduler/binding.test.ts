// The binding cycle (Reserve, Permit, PreBind), profiles, and the views plugins read.
import { expect, test } from "vitest";
import { configMaps } from "../../../api/core/configmaps.ts";
import { events } from "../../../api/core/events.ts";
import { pods } from "../../../api/core/pods.ts";
import { key } from "../../../api/meta.ts";
import { conditionOf } from "../../../api/core/pod/status.ts";
import { decisionLog } from "../../../machinery/decisions.ts";
import { unschedulable, type Rejection, type SchedulerPlugin } from "../../../scheduler/framework.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { pod, running, type Running } from "./running.ts";

const beforeDefaults = (...more: readonly SchedulerPlugin[]) => ({ plugins: [...more, ...defaultPlugins()] });
const scheduled = async ({ client }: Running, name: string) => {
  const { status } = await client.get(pods, key("default", name));
  return conditionOf(status?.conditions, "PodScheduled");
};
const reasons = async ({ client }: Running): Promise<readonly string[]> =>
  (await client.list(events)).items.map((e) => `${e.involvedObject.name} ${e.reason}: ${e.message}`).toSorted();

test("Reserve can refuse: resources go to the next pod, and reservations are rolled back", async () => {
  const calls: string[] = [];
  const plugin: SchedulerPlugin = {
    name: "Claims",
    events: [],
    reserve: (_, { pod }) => (pod.metadata.name === "first" ? unschedulable("no claim") : undefined),
    unreserve: (_, { pod }) => void calls.push(pod.metadata.name),
  };
  const scheduler = await running([pod("first"), pod("second")], beforeDefaults(plugin));
  await scheduler.until(10);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ second: "n1" });
  expect(calls).toEqual(["first"]);
  expect(await scheduled(scheduler, "first")).toMatchObject({
    status: "False",
    reason: "Unschedulable",
    message: "no claim",
  });
  expect(await reasons(scheduler)).toEqual([
    "first FailedScheduling: no claim",
    "second Scheduled: Successfully assigned default/second to n1",
  ]);
});

/** Makes pods wait until a number of them have a node. */
function gang(size: number): SchedulerPlugin {
  const waiting: ((rejection: Rejection | undefined) => void)[] = [];
  return {
    name: "Gang",
    events: [],
    permit() {
      const { promise, resolve } = Promise.withResolvers<Rejection | undefined>();
      waiting.push(resolve);
      if (waiting.length >= size) for (const allow of waiting) allow(undefined);
      return { timeoutMs: 20_000, allowed: promise };
    },
  };
}
test("Permit makes pods wait with their resources until it allows them", async () => {
  const scheduler = await running([pod("a", "300m"), pod("b", "300m")], beforeDefaults(gang(3)));
  await scheduler.until(5);
  expect(await scheduler.bound()).toEqual({});
  await scheduler.client.create(pods, pod("c", "300m"));
  await scheduler.until(6);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ a: "n1", b: "n1", c: "n1" });
});
test("Permit times out", async () => {
  const scheduler = await running([pod("a"), pod("b")], beforeDefaults(gang(2)));
  await scheduler.until(19);
  expect(await scheduled(scheduler, "a")).toBeUndefined();
  await scheduler.until(25);
  await scheduler.stop();
  expect(await scheduled(scheduler, "a")).toMatchObject({ message: "timeout" });
});

test("a PreBind error releases the resources, and the pod is retried", async () => {
  let tries = 0;
  const plugin: SchedulerPlugin = {
    name: "Volumes",
    events: [],
    async preBind() {
      if (++tries < 3) throw new Error("not yet");
      return undefined;
    },
  };
  const scheduler = await running([pod("p")], beforeDefaults(plugin));
  await scheduler.until(2);
  expect([tries, await scheduler.bound()]).toEqual([2, {}]);
  await scheduler.until(5);
  await scheduler.stop();
  expect([tries, await scheduler.bound()]).toEqual([3, { p: "n1" }]);
});

test("a pod is scheduled by its profile, and ignored when the profile does not exist", async () => {
  const picky: SchedulerPlugin = { name: "Picky", events: [], filter: () => unschedulable("never") };
  const drafts = [
    pod("plain", "1m"),
    pod("picky", "1m", { schedulerName: "picky" }),
    pod("foreign", "1m", { schedulerName: "x" }),
  ];
  const scheduler = await running(drafts, { profiles: { picky: [picky, ...defaultPlugins()] } });
  await scheduler.until(5);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ plain: "n1" });
  expect((await scheduled(scheduler, "picky"))?.message).toMatch(/^0\/1 nodes are available: 1 never\./);
  expect(await scheduled(scheduler, "foreign")).toBeUndefined();
});

test("a plugin reads its registered kinds, and their changes requeue the pods it rejected", async () => {
  const plugin: SchedulerPlugin = {
    name: "Permission",
    reads: [configMaps],
    events: [{ resource: "ConfigMap", actions: ["Add"] }],
    preFilter: (_, { lister }) =>
      lister(configMaps).get(key("default", "go")) ? { state: undefined } : unschedulable("no permission"),
  };
  const scheduler = await running([pod("p")], beforeDefaults(plugin));
  await scheduler.until(60);
  expect(await scheduler.bound()).toEqual({});
  expect((await scheduled(scheduler, "p"))?.message).toMatch(/^0\/1 nodes are available: no permission\./);
  await scheduler.client.create(configMaps, { kind: "ConfigMap", metadata: { name: "go", namespace: "default" } });
  await scheduler.until(61);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ p: "n1" });
});

test("a gated pod uses no resources, and is scheduled when its gates are removed", async () => {
  const scheduler = await running([pod("p", "1m", { schedulingGates: [{ name: "wait" }] })]);
  await scheduler.until(10);
  expect(await scheduler.bound()).toEqual({});
  await scheduler.client.patch(pods, key("default", "p"), {
    type: "merge",
    patch: { spec: { schedulingGates: null } },
  });
  await scheduler.until(11);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ p: "n1" });
});

test("every decision is recorded with its scores or reasons", async () => {
  const decisions = decisionLog();
  const scheduler = await running([pod("a"), pod("b")], { decisions });
  await scheduler.until(1);
  await scheduler.stop();
  expect(["a", "b"].map((name) => decisions.of(key("default", name)).map((d) => [...d.because, ...d.actions]))).toEqual(
    [
      [["n1 is the only node that passed", "bind to n1"]],
      [
        [
          expect.stringMatching(/^0\/1 nodes are available: 1 Insufficient cpu\./),
          "n1 rejected by NodeResourcesFit: Insufficient cpu",
        ],
      ],
    ],
  );
});
