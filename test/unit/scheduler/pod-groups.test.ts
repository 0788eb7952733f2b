// Pod groups: bound together or not at all, what they wait for, and what is reported of them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { conditionOf } from "../../../api/core/pod/status.ts";
import { events } from "../../../api/core/events.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import { ApiError } from "../../../api/errors.ts";
import type { PodGroup } from "../../../api/generated/types.ts";
import { type Draft, key } from "../../../api/meta.ts";
import { podGroups } from "../../../api/scheduling/podgroups.ts";
import { priorityClasses } from "../../../api/scheduling/priorityclasses.ts";
import type { Client } from "../../../machinery/client.ts";
import type { SchedulerPlugin } from "../../../scheduler/framework.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { type Running, pod, running } from "./running.ts";

const namespace = "default";
const inGroup = (podGroupName: string, more: object = {}): object => ({ schedulingGroup: { podGroupName }, ...more });
const member = (name: string, cpu = "600m", group = "g") => pod(name, cpu, inGroup(group));
const group = (policy: PodGroup["spec"]["schedulingPolicy"], name = "g"): Draft<PodGroup> => ({
  ...{ kind: "PodGroup", metadata: { name, namespace } },
  spec: { schedulingPolicy: policy },
});
const gang = (minCount: number, name = "g"): Draft<PodGroup> => group({ gang: { minCount } }, name);
async function addNode(client: Client, name: string, more: object = {}): Promise<void> {
  const allocatable = { cpu: "1", memory: "1Gi", pods: "10" };
  const made = await client.create(nodes, {
    ...{ kind: "Node", metadata: { name, ...more }, spec: {}, status: { allocatable } },
  });
  await client.update(nodes, { ...made, spec: { taints: [] } });
}
const boundNames = async (scheduler: Running): Promise<string> =>
  Object.keys(await scheduler.bound())
    .toSorted()
    .join(" ");

interface Conditions {
  readonly pods: Readonly<Record<string, string>>;
  readonly group: string;
}
/** Reason and message of PodScheduled of pods without a node, and of PodGroupScheduled. */
async function conditions(client: Client, name = "g"): Promise<Conditions> {
  const { items } = await client.list(pods);
  const { status } = await client.get(podGroups, key(namespace, name));
  const condition = conditionOf(status?.conditions, "PodGroupScheduled");
  return {
    pods: Object.fromEntries(
      items.flatMap((p) => {
        const scheduled = conditionOf(p.status?.conditions, "PodScheduled");
        return p.spec.nodeName === undefined ? [[p.metadata.name, `${scheduled?.reason}: ${scheduled?.message}`]] : [];
      }),
    ),
    group: condition ? `${condition.status} ${condition.reason}: ${condition.message}` : "none",
  };
}
const waiting = "Unschedulable: pod group is unschedulable, waiting for minCount pods from a gang to be scheduled";
const full = (count: number): string => `Unschedulable: 0/${count} nodes are available: ${count} Insufficient cpu.`;

test("all pods of a gang that fits are bound", async () => {
  const scheduler = await running([member("a", "400m"), member("b", "400m")]);
  await scheduler.client.create(podGroups, gang(2));
  await scheduler.until(5);
  await scheduler.stop();
  expect(await boundNames(scheduler)).toBe("a b");
  expect(await conditions(scheduler.client)).toEqual({ pods: {}, group: "True Scheduled: " });
});

test("a gang that does not fit has no pod bound, and takes no room from others", async () => {
  const scheduler = await running([member("a"), member("b")]);
  await scheduler.client.create(podGroups, gang(2));
  await scheduler.until(3);
  await scheduler.client.create(pods, pod("single"));
  await scheduler.until(30);
  expect(await boundNames(scheduler)).toBe("single");
  const { pods: reported, group } = await conditions(scheduler.client);
  expect([reported["b"], group]).toEqual([
    expect.stringContaining(full(1)),
    "False Unschedulable: pod group is unschedulable, No preemption victims found for incoming preemptor",
  ]);
  await addNode(scheduler.client, "n2");
  await addNode(scheduler.client, "n3");
  await scheduler.until(60);
  await scheduler.stop();
  expect(await boundNames(scheduler)).toBe("a b single");
  expect((await conditions(scheduler.client)).group).toBe("True Scheduled: ");
});

test("of a gang that does not fit, pods that would have fitted say what they wait for", async () => {
  const scheduler = await running([member("a"), member("b")]);
  await scheduler.client.create(podGroups, gang(2));
  await scheduler.until(5);
  await scheduler.stop();
  expect((await conditions(scheduler.client)).pods).toEqual({
    a: waiting,
    b: "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to workload aware preemption enabled",
  });
  const recorded = (await scheduler.client.list(events)).items;
  expect(recorded.map(({ reason, involvedObject }) => `${involvedObject.name} ${reason}`).toSorted()).toEqual([
    "a FailedScheduling",
    "b FailedScheduling",
  ]);
});

test("pods beyond the minimum that do not fit do not hold the others up", async () => {
  const scheduler = await running([member("a", "400m"), member("b", "400m"), member("c", "400m")]);
  await scheduler.client.create(podGroups, gang(2));
  await scheduler.until(5);
  expect(await boundNames(scheduler)).toBe("a b");
  await addNode(scheduler.client, "n2");
  await scheduler.until(40);
  await scheduler.stop();
  expect(await boundNames(scheduler)).toBe("a b c");
  expect((await conditions(scheduler.client)).group).toBe("True Scheduled: ");
});

test("pods of a basic group are scheduled each on its own, once the group exists", async () => {
  const scheduler = await running([member("a"), member("b")]);
  await scheduler.until(5);
  expect(await boundNames(scheduler)).toBe("");
  await scheduler.client.create(podGroups, group({ basic: {} }));
  await scheduler.until(10);
  await scheduler.stop();
  expect(await boundNames(scheduler)).toBe("a");
  expect((await conditions(scheduler.client)).group).toBe("True Scheduled: ");
});

const arrivals: readonly (readonly [what: string, order: readonly ("group" | "first" | "second")[]])[] = [
  ["the group first", ["group", "first", "second"]],
  ["the group between its pods", ["first", "group", "second"]],
  ["the group last", ["first", "second", "group"]],
];
for (const [what, order] of arrivals)
  test(`a gang is bound once it is complete: ${what}`, async () => {
    const scheduler = await running([]);
    for (const [i, step] of order.entries()) {
      expect(await boundNames(scheduler)).toBe("");
      if (step === "group") await scheduler.client.create(podGroups, gang(2));
      else await scheduler.client.create(pods, member(step, "400m"));
      await scheduler.until(10 * (i + 1));
    }
    await scheduler.stop();
    expect(await boundNames(scheduler)).toBe("first second");
  });

test("a pod that has a node already completes a gang", async () => {
  const scheduler = await running([member("a", "400m")]);
  await scheduler.client.create(podGroups, gang(2));
  await scheduler.until(5);
  expect(await boundNames(scheduler)).toBe("");
  await scheduler.client.create(pods, pod("b", "400m", inGroup("g", { nodeName: "n1" })));
  await scheduler.until(10);
  await scheduler.stop();
  expect(await boundNames(scheduler)).toBe("a b");
});

test("the example of a gang starts when its third worker exists", async () => {
  const path = join(import.meta.dirname, "../../../manifests/examples/gang.yaml");
  const [example, { spec }] = parseAllDocuments(readFileSync(path, "utf8")).map((document) => document.toJS());
  const scheduler = await running([]);
  await scheduler.client.create(podGroups, { ...example, metadata: { ...example.metadata, namespace } });
  for (const name of ["a", "b", "c"]) {
    expect(await boundNames(scheduler)).toBe("");
    await scheduler.client.create(pods, { kind: "Pod", metadata: { name, namespace }, spec: spec.template.spec });
    await scheduler.until(10 * name.charCodeAt(0) - 960);
  }
  await scheduler.stop();
  expect(await boundNames(scheduler)).toBe("a b c");
});

test("two gangs that each need all of the room are bound one after the other, never both in part", async () => {
  const scheduler = await running(["a1", "a2", "b1", "b2"].map((name) => member(name, "600m", name[0]!)));
  await addNode(scheduler.client, "n2");
  await scheduler.client.create(podGroups, gang(2, "a"));
  await scheduler.client.create(podGroups, gang(2, "b"));
  await scheduler.until(30);
  const first = await boundNames(scheduler);
  expect(["a1 a2", "b1 b2"]).toContain(first);
  for (const name of first.split(" "))
    await scheduler.client.delete(pods, key(namespace, name), { gracePeriodSeconds: 0 });
  await scheduler.until(60);
  await scheduler.stop();
  expect(await boundNames(scheduler)).toBe(first === "a1 a2" ? "b1 b2" : "a1 a2");
});

test("a pod that replaces one of a bound gang is bound beside the others", async () => {
  const scheduler = await running([member("a", "400m"), member("b", "400m")]);
  await scheduler.client.create(podGroups, gang(2));
  await scheduler.until(5);
  await scheduler.client.delete(pods, key(namespace, "a"), { gracePeriodSeconds: 0 });
  await scheduler.until(10);
  await scheduler.client.create(pods, member("c", "400m"));
  await scheduler.until(20);
  await scheduler.stop();
  expect(await boundNames(scheduler)).toBe("b c");
});

test("a scheduler that starts after one that bound a part finishes the gang", async () => {
  let bindings = 0;
  const dying = await running([member("a", "400m"), member("b", "400m")], {
    wire: (client) => ({
      ...client,
      async update(r, object, part) {
        if (part === "binding" && ++bindings > 1) throw new ApiError("Forbidden", "no");
        return client.update(r, object, part);
      },
    }),
  });
  await dying.client.create(podGroups, gang(2));
  await dying.until(0.5);
  expect(Object.keys(await dying.bound())).toHaveLength(1);
  bindings = -99;
  await dying.until(30);
  await dying.stop();
  expect(await boundNames(dying)).toBe("a b");
});

test("pods of one group with two schedulers are refused", async () => {
  const scheduler = await running(
    [pod("a", "100m", inGroup("g")), pod("b", "100m", inGroup("g", { schedulerName: "other" }))],
    { profiles: { other: defaultPlugins() } },
  );
  await scheduler.client.create(podGroups, gang(2));
  await scheduler.until(5);
  await scheduler.stop();
  const message =
    'SchedulerError: all pods in a single pod group should have the same .spec.schedulerName set, got: "default-scheduler" and "other"';
  expect((await conditions(scheduler.client)).pods).toEqual({ a: message, b: message });
});

test("a plugin that throws keeps all pods of the group, and the scheduler goes on", async () => {
  let isBroken = true;
  const broken: SchedulerPlugin = {
    name: "Broken",
    filter(_, __, { pod: { metadata } }) {
      if (isBroken && metadata.name === "b") throw new Error("broken");
      return undefined;
    },
    preFilter: () => ({ state: {} }),
  };
  const scheduler = await running([member("a", "100m"), member("b", "100m")], {
    plugins: [...defaultPlugins(), broken],
  });
  await scheduler.client.create(podGroups, gang(2));
  await scheduler.until(2);
  expect(await conditions(scheduler.client)).toEqual({
    pods: {
      a: "SchedulerError: failed to schedule other pod from a pod group: broken",
      b: "SchedulerError: broken",
    },
    group: "False SchedulerError: failed to schedule other pod from a pod group: broken",
  });
  isBroken = false;
  await scheduler.until(30);
  await scheduler.stop();
  expect(await boundNames(scheduler)).toBe("a b");
});

test("room that is kept for a gang is released when it loses members", async () => {
  const scheduler = await running([pod("low", "600m")]);
  const { client } = scheduler;
  await client.create(priorityClasses, { kind: "PriorityClass", metadata: { name: "high" }, value: 10 } as never);
  await scheduler.until(2);
  const high = { priorityClassName: "high" };
  const important: Draft<PodGroup> = { ...gang(2), spec: { ...gang(2).spec, ...high } };
  await client.create(podGroups, important);
  for (const name of ["a", "b"]) await client.create(pods, pod(name, "300m", inGroup("g", high)));
  await scheduler.until(5);
  // The victim is on its way out, and its room and what is free are kept for the gang.
  await client.create(pods, pod("single", "300m"));
  await scheduler.until(20);
  expect(await boundNames(scheduler)).toBe("low");
  await client.delete(pods, key(namespace, "b"), { gracePeriodSeconds: 0 });
  await scheduler.until(30);
  await scheduler.stop();
  expect(await boundNames(scheduler)).toBe("low single");
  expect((await client.get(pods, key(namespace, "a"))).status?.nominatedNodeName ?? "").toBe("");
});

test("room that is kept for a pod is released when the pod is deleted", async () => {
  const scheduler = await running([pod("low", "600m")]);
  const { client } = scheduler;
  await client.create(priorityClasses, { kind: "PriorityClass", metadata: { name: "high" }, value: 10 } as never);
  await scheduler.until(2);
  await client.create(pods, pod("preemptor", "600m", { priorityClassName: "high" }));
  await scheduler.until(5);
  expect((await client.get(pods, key(namespace, "preemptor"))).status?.nominatedNodeName).toBe("n1");
  // The victim is on its way out; what is free is kept too.
  await client.create(pods, pod("single", "300m"));
  await scheduler.until(20);
  expect(await boundNames(scheduler)).toBe("low");
  await client.delete(pods, key(namespace, "preemptor"), { gracePeriodSeconds: 0 });
  await scheduler.until(30);
  await scheduler.stop();
  expect(await boundNames(scheduler)).toBe("low single");
});
