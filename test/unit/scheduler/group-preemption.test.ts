// Preemption for a whole pod group: who has to leave, in which units, and what is reported.
import { expect, test } from "vitest";
import { conditionOf } from "../../../api/core/pod/status.ts";
import { events } from "../../../api/core/events.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import type { PodDisruptionBudget, PodGroup } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { podGroups } from "../../../api/scheduling/podgroups.ts";
import { priorityClasses } from "../../../api/scheduling/priorityclasses.ts";
import type { Client } from "../../../machinery/client.ts";
import { podInfoOf } from "../../../scheduler/node-info.ts";
import { type Unit, victimsAmong } from "../../../scheduler/pod-groups/victims.ts";
import { pod, type Running, running } from "./running.ts";

const namespace = "default";
const makeGroup = (client: Client, name: string, spec: Partial<PodGroup["spec"]>, minCount = 2): Promise<PodGroup> =>
  client.create(podGroups, {
    ...{ kind: "PodGroup", metadata: { name, namespace } },
    spec: { schedulingPolicy: { gang: { minCount } }, ...spec },
  });
async function addNode(client: Client, name: string): Promise<void> {
  const allocatable = { cpu: "1", memory: "1Gi", pods: "10" };
  const made = await client.create(nodes, { kind: "Node", metadata: { name }, spec: {}, status: { allocatable } });
  await client.update(nodes, { ...made, spec: { taints: [] } });
}
const boundNames = async (scheduler: Running): Promise<string> =>
  Object.keys(await scheduler.bound())
    .toSorted()
    .join(" ");
const inGroup = (podGroupName: string, more: object = {}): object => ({ schedulingGroup: { podGroupName }, ...more });
const high = { priorityClassName: "high" };

/** Two nodes of one core, the running pods bound, and then a gang of two pods of high priority, 600m each. */
async function staged(
  before: readonly ReturnType<typeof pod>[],
  {
    groups = {},
    own = {},
  }: { readonly groups?: Readonly<Record<string, Partial<PodGroup["spec"]>>>; readonly own?: object } = {},
): Promise<Running> {
  const scheduler = await running([]);
  const { client } = scheduler;
  await addNode(client, "n2");
  await client.create(priorityClasses, { kind: "PriorityClass", metadata: { name: "high" }, value: 1000 });
  await client.create(priorityClasses, {
    ...{ kind: "PriorityClass", metadata: { name: "meek" }, value: 1000, preemptionPolicy: "Never" },
  });
  for (const [name, spec] of Object.entries(groups)) await makeGroup(client, name, spec, 1);
  // Nothing runs the pods: one that is deleted is gone at once.
  for (const { spec, ...draft } of before)
    await client.create(pods, { ...draft, spec: { ...spec, terminationGracePeriodSeconds: 0 } });
  await scheduler.until(10);
  await makeGroup(client, "g", high);
  for (const name of ["x", "y"]) await client.create(pods, pod(name, "600m", inGroup("g", { ...high, ...own })));
  await scheduler.until(40);
  return scheduler;
}
const groupMessage = async (client: Client): Promise<string | undefined> =>
  conditionOf((await client.get(podGroups, key(namespace, "g"))).status?.conditions, "PodGroupScheduled")?.message;

const table: readonly (readonly [
  what: string,
  before: readonly ReturnType<typeof pod>[],
  options: Parameters<typeof staged>[1],
  left: string,
  message: string,
])[] = [
  ["one pod on each node has to leave", [pod("a"), pod("b")], {}, "x y", ""],
  ["only those in the way", [pod("a", "600m"), pod("b", "300m"), pod("c", "100m")], {}, "b c x y", ""],
  [
    "nothing leaves where not all of it helps",
    [pod("a"), pod("b", "600m", high)],
    {},
    "a b",
    "pod group is unschedulable, pod group is unschedulable",
  ],
  [
    "pods that never preempt",
    [pod("a"), pod("b")],
    { own: { preemptionPolicy: "Never", priorityClassName: "meek" } },
    "a b",
    "pod group is unschedulable, not eligible due to preemptionPolicy=Never.",
  ],
  [
    "a group that is disrupted as one leaves as one",
    [pod("a", "600m", inGroup("h")), pod("b", "200m", inGroup("h")), pod("c", "200m")],
    { groups: { h: { disruptionMode: "PodGroup" } } },
    "c x y",
    "",
  ],
  [
    "of a group that is disrupted pod by pod, the others stay",
    [pod("a", "600m", inGroup("h")), pod("b", "200m", inGroup("h")), pod("c", "200m")],
    { groups: { h: {} } },
    "b c x y",
    "",
  ],
  [
    "pods of a group that is more important as one stay",
    [pod("a", "600m", inGroup("h")), pod("b", "600m", inGroup("h"))],
    { groups: { h: { disruptionMode: "PodGroup", ...high } } },
    "a b",
    "pod group is unschedulable, No preemption victims found for incoming preemptor",
  ],
];
for (const [what, before, options, left, message] of table)
  test(`preemption for a group: ${what}`, async () => {
    const scheduler = await staged(before, options);
    await scheduler.stop();
    expect([await boundNames(scheduler), await groupMessage(scheduler.client)]).toEqual([left, message]);
  });

test("victims and their events name the group", async () => {
  const scheduler = await staged([pod("a"), pod("b")]);
  await scheduler.stop();
  const { uid } = (await scheduler.client.get(podGroups, key(namespace, "g"))).metadata;
  const { items } = await scheduler.client.list(events);
  const preempted = items.filter(({ reason }) => reason === "Preempted");
  expect(preempted.map(({ message }) => message)).toEqual(
    Array.from({ length: 2 }, () => `Preempted by podgroup ${uid} on node cluster`),
  );
});

const unit = (priority: number, ...names: readonly string[]): Unit => ({
  priority,
  pods: names.map((name) =>
    podInfoOf({
      metadata: { name, namespace, uid: name, labels: { app: name } },
      spec: { containers: [], priority },
      status: { startTime: `2026-01-01T00:00:0${name.length}Z` },
    } as never),
  ),
});
const budget = (app: string): PodDisruptionBudget =>
  ({
    metadata: { name: app, namespace },
    spec: { selector: { matchLabels: { app } } },
    status: { disruptionsAllowed: 0 },
  }) as unknown as PodDisruptionBudget;

const choices: readonly (readonly [what: string, needed: number, protects: string, victims: string])[] = [
  ["the least important leaves", 1, "", "a"],
  ["of equal ones, the one that started last", 2, "", "bbb a"],
  ["one that a budget protects stays before more important ones", 1, "a", "bbb"],
  ["even so when there is no other", 4, "a", "c bb bbb a"],
  ["and nothing when all do not help", 5, "", "none"],
];
for (const [what, needed, protects, expected] of choices)
  test(`victims: ${what}`, async () => {
    const units = [unit(0, "a"), unit(5, "bb"), unit(5, "bbb"), unit(7, "c")];
    const victims = await victimsAmong(units, [budget(protects)], (without) => Promise.resolve(without.size >= needed));
    const names = victims?.map(({ pods: [first] }) => first!.pod.metadata.name).join(" ");
    expect(names ?? "none").toBe(expected);
  });
