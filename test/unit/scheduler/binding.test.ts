// The binding cycle and what surrounds it: Reserve, Permit, PreBind, profiles, and views of what plugins read.
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

test("Reserve may still refuse; the room goes to the next pod, and what was reserved is undone", async () => {
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

/** Holds pods back until so many of them have a node. */
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
test("Permit holds pods back, with their room, until it allows them", async () => {
  const scheduler = await running([pod("a", "300m"), pod("b", "300m")], beforeDefaults(gang(3)));
  await scheduler.until(5);
  expect(await scheduler.bound()).toEqual({});
  await scheduler.client.create(pods, pod("c", "300m"));
  await scheduler.until(6);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ a: "n1", b: "n1", c: "n1" });
});
test("Permit does not hold pods back for ever", async () => {
  const scheduler = await running([pod("a"), pod("b")], beforeDefaults(gang(2)));
  await scheduler.until(19);
  expect(await scheduled(scheduler, "a")).toBeUndefined();
  await scheduler.until(25);
  await scheduler.stop();
  expect(await scheduled(scheduler, "a")).toMatchObject({ message: "timeout" });
});

test("PreBind that throws gives the room back, and the pod is tried again", async () => {
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

test("a pod is scheduled by the profile it names, and left alone when there is none", async () => {
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

test("a plugin sees the kinds it reads, and their changes wake the pods it rejected", async () => {
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

test("a gated pod takes no room; without its gates it is scheduled", async () => {
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

test("every decision is kept, with its scores or reasons", async () => {
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
