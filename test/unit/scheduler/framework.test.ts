// The extension points of a scheduling cycle, with test plugins.
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import {
  skip,
  unresolvable,
  unschedulable,
  type SchedulerPlugin,
  type Snapshot,
} from "../../../scheduler/framework.ts";
import { explained } from "../../../scheduler/report.ts";
import { numFeasibleNodesToFind, place } from "../../../scheduler/place.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";

const node = (name: string, labels: object = {}, cpu = "1"): Node =>
  ({ metadata: { name, labels }, spec: {}, status: { allocatable: { cpu, pods: "10" } } }) as unknown as Node;
const pod = (name: string, spec: object = {}, status: object = {}): Pod =>
  ({ metadata: { name, namespace: "d" }, spec: { containers: [], ...spec }, status }) as unknown as Pod;
const wanting = (cpu: string): object => ({ containers: [{ name: "c", resources: { requests: { cpu } } }] });

function snapshotOf(nodes: readonly Node[], pods: readonly Pod[] = []): Snapshot {
  const cache = schedulerCache();
  for (const n of nodes) cache.nodeSeen(n.metadata.name, n);
  for (const p of pods) cache.podSeen(keyOf(p), p);
  return cache.snapshot();
}
const numbered = (count: number): readonly Node[] =>
  Array.from({ length: count }, (_, i) => node(`n${String(i).padStart(4, "0")}`));
const placedOn = (plugins: readonly SchedulerPlugin[], snapshot: Snapshot, p = pod("p")): string | undefined => {
  const placement = place(p, snapshot, plugins);
  return placement.outcome === "placed" ? placement.nodeName : undefined;
};
const three = snapshotOf(numbered(3));

test("the state of PreFilter reaches Filter, and that of PreScore reaches Score", () => {
  const plugin: SchedulerPlugin<string, string> = {
    name: "Picky",
    preFilter: () => ({ state: "n0000" }),
    filter: (unwanted, { name }) => (name === unwanted ? unschedulable("unwanted") : undefined),
    preScore: (_, feasible) => feasible().at(-1)!.name,
    score: (favourite, { name }) => (name === favourite ? 100 : 0),
  };
  expect(placedOn([plugin], three)).toBe("n0002");
});

test("a plugin that returns Skip is called for no node", () => {
  const fail = (): never => {
    throw new Error("called");
  };
  expect(
    placedOn([{ name: "Idle", preFilter: () => skip, filter: fail, preScore: () => skip, score: fail }], three),
  ).toBe("n0000");
});

test("scores are normalised over the nodes that passed, and weighted", () => {
  const filter: SchedulerPlugin = {
    name: "F",
    filter: (_, { name }) => (name === "n0002" ? unschedulable("no") : undefined),
  };
  const raw: SchedulerPlugin = {
    name: "S",
    weight: 3,
    score: (_, { name }) => Number(name.at(-1)),
    normalizeScore: (scores) => scores.map((s) => (100 * s) / Math.max(...scores)),
  };
  const placement = place(pod("p"), three, [filter, raw]);
  expect(placement).toMatchObject({ nodeName: "n0001" });
  expect(placement.outcome === "placed" && placement.scores()).toEqual([
    { nodeName: "n0001", total: 300, byPlugin: { S: 300 } },
    { nodeName: "n0000", total: 0, byPlugin: { S: 0 } },
  ]);
});

test("the scores of the ten best nodes are listed", () => {
  const plugin: SchedulerPlugin = { name: "S", score: (_, { name }) => Number(name.slice(1)) };
  const placement = place(pod("p"), snapshotOf(numbered(50)), [plugin]);
  expect(placement.outcome === "placed" && placement.scores().map((s) => s.total)).toEqual([
    49, 48, 47, 46, 45, 44, 43, 42, 41, 40,
  ]);
});

test("a placement is explained by the scores of its best nodes", () => {
  const plugin: SchedulerPlugin = { name: "S", weight: 2, score: (_, { name }) => Number(name.at(-1)) };
  const placement = place(pod("p"), three, [plugin, { name: "T", score: () => 5 }]);
  expect(explained(placement)).toEqual({
    because: ["n0002 scored 9: S 4, T 5", "n0001 scored 7: S 2, T 5", "n0000 scored 5: S 0, T 5"],
    actions: ["bind to n0002"],
  });
});

test("node names of PreFilter plugins are intersected", () => {
  const naming = (name: string, ...names: readonly string[]): SchedulerPlugin => ({
    name,
    preFilter: () => ({ state: undefined, nodeNames: new Set(names) }),
  });
  expect(placedOn([naming("A", "n0000", "n0001"), naming("B", "n0001", "n0002")], three)).toBe("n0001");
  const placement = place(pod("p"), three, [naming("A", "n0000"), naming("B", "n0001")]);
  expect(placement.outcome === "unschedulable" && placement.diagnosis.message).toBe(
    "0/3 nodes are available: node(s) didn't satisfy plugin(s) [A B] simultaneously.",
  );
});

test("PostFilter sets the message and the nominated node", () => {
  const none: SchedulerPlugin = { name: "F", filter: () => unresolvable("no") };
  const after: SchedulerPlugin = {
    name: "P",
    postFilter: () => ({ message: "try n0001", nominatedNodeName: "n0001" }),
  };
  const placement = place(pod("p"), three, [none, after]);
  expect(placement.outcome === "unschedulable" && placement.diagnosis).toMatchObject({
    message: "0/3 nodes are available: 3 no. try n0001",
    rejectors: new Set(["F"]),
    nominatedNodeName: "n0001",
  });
});

test.each([
  [50, 0, 50],
  [99, 0, 99],
  [100, 0, 100],
  [1_000, 0, 420],
  [5_000, 0, 500],
  [6_000, 0, 300],
  [20_000, 0, 1_000],
  [5_000, 100, 5_000],
  [5_000, 1, 100],
  [5_000, 30, 1_500],
])("among %i nodes, at %i percent, %i must pass", (count, percentage, expected) =>
  expect(numFeasibleNodesToFind(count, percentage)).toBe(expected),
);

test("a sample of nodes starts where the previous one ended", () => {
  const snapshot = snapshotOf(numbered(1_000));
  const seen = new Set<string>();
  const plugin: SchedulerPlugin = { name: "S", score: (_, { name }) => Number(seen.add(name) && 0) };
  let startIndex = 0;
  for (let i = 0; i < 3; i++)
    startIndex = (startIndex + place(pod("p"), snapshot, [plugin], { startIndex }).nodesVisited) % 1_000;
  expect([startIndex, seen.size]).toEqual([260, 1_000]);
});

test("nodes are interleaved by zone", () => {
  const zones = ["b", "a", "a", "a", "b"];
  const nodes = zones.map((zone, i) => node(`n${i}`, { "topology.kubernetes.io/zone": zone }));
  expect(snapshotOf(nodes).nodes.map(({ name }) => name)).toEqual(["n1", "n0", "n2", "n4", "n3"]);
});

const nominated = (priority: number): Pod =>
  pod("first", { ...wanting("800m"), priority }, { nominatedNodeName: "n1" });
test("a nominated pod's resources are reserved against pods of lower or equal priority", () => {
  const snapshot = snapshotOf([node("n1")], [nominated(10)]);
  expect(placedOn(defaultPlugins(), snapshot, pod("p", { ...wanting("500m"), priority: 5 }))).toBeUndefined();
  expect(placedOn(defaultPlugins(), snapshot, pod("p", { ...wanting("500m"), priority: 20 }))).toBe("n1");
  expect(placedOn(defaultPlugins(), snapshot, nominated(10))).toBe("n1");
});

test("a pod is placed on its nominated node while it fits", () => {
  const nodes = [node("n1"), node("n2", {}, "4")];
  expect(placedOn(defaultPlugins("LeastAllocated"), snapshotOf(nodes), nominated(0))).toBe("n1");
  const full = pod("x", { ...wanting("500m"), nodeName: "n1" });
  expect(placedOn(defaultPlugins("LeastAllocated"), snapshotOf(nodes, [full]), nominated(0))).toBe("n2");
});
