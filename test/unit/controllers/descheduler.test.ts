// The descheduler: which pods each strategy moves, what keeps pods where they are, and how a node is freed.
import { describe, expect, test } from "vitest";
import type { Node, Pod, PodDisruptionBudget } from "../../../api/generated/types.ts";
import type { Settings } from "../../../controllers/descheduler/ports.ts";
import { planOf } from "../../../controllers/descheduler/plan.ts";
import { contradiction } from "../../../controllers/descheduler/strategies.ts";
import type { Packing } from "../../../scheduler/plugins/resource-scores.ts";
import { budget, cluster, node, pod, type PodOptions, situation } from "./descheduling.ts";

interface Row {
  readonly nodes?: readonly Node[];
  readonly pods: readonly Pod[];
  readonly budgets?: readonly PodDisruptionBudget[];
  readonly settings?: Partial<Settings>;
  readonly packing?: Packing;
  /** `pod: from -> to`. */
  readonly moves: readonly string[];
  readonly freed?: readonly string[];
  /** Parts of the notes. */
  readonly notes?: readonly string[];
}
const two = [node("n1"), node("n2")];
const three = [...two, node("n3")];

function check(rows: Readonly<Record<string, Row>>): void {
  for (const [name, { nodes = two, pods, budgets, settings, packing, moves, freed, notes }] of Object.entries(rows))
    test(name, () => {
      const plan = planOf(situation(cluster(nodes, pods, budgets), settings, packing));
      expect(plan.moves.map((m) => `${m.pod.metadata.name}: ${m.from} -> ${m.to}`)).toEqual(moves);
      if (freed) expect(plan.freedNodes).toEqual(freed);
      if (notes) expect(plan.notes).toEqual(notes.map((part) => expect.stringContaining(part)));
    });
}
const only = (...strategies: readonly string[]): Partial<Settings> => ({ strategies });

describe("RemovePodsViolatingNodeTaints", () => {
  const settings = only("RemovePodsViolatingNodeTaints");
  const tainted = (...taints: readonly object[]): readonly Node[] => [node("n1", { spec: { taints } }), node("n2")];
  const gpu = { key: "gpu", value: "yes", effect: "NoSchedule" };
  check({
    "a pod that does not tolerate a taint": {
      ...{ nodes: tainted(gpu), pods: [pod("p", "n1")], settings, moves: ["p: n1 -> n2"] },
    },
    "one that does": {
      ...{ nodes: tainted(gpu), settings, moves: [] },
      pods: [pod("p", "n1", { spec: { tolerations: [{ key: "gpu", operator: "Exists" }] } })],
    },
    "taints that only prefer": {
      ...{ nodes: tainted({ ...gpu, effect: "PreferNoSchedule" }), pods: [pod("p", "n1")], settings, moves: [] },
    },
    "cordoned is not drained": {
      nodes: [
        node("n1", {
          spec: {
            unschedulable: true,
            taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }],
          },
        }),
        node("n2"),
      ],
      ...{ pods: [pod("p", "n1")], settings, moves: [] },
    },
    "what is lost is not moved": {
      nodes: [node("n1", { ready: "False", spec: { taints: [gpu] } }), node("n2")],
      ...{ pods: [pod("p", "n1")], settings, moves: [], notes: [] },
    },
    "nowhere else": {
      nodes: tainted(gpu),
      ...{ settings, pods: [pod("p", "n1", { cpu: 900 }), pod("q", "n2", { cpu: 900, owner: null })], moves: [] },
      notes: [
        "default/p stays on n1, though it does not tolerate gpu=yes:NoSchedule: no node would take it: 0/2 nodes",
      ],
    },
  });
});

describe("RemovePodsViolatingNodeAffinity", () => {
  const settings = only("RemovePodsViolatingNodeAffinity");
  const nodes = [node("n1", { labels: { disk: "hdd" } }), node("n2", { labels: { disk: "ssd" } })];
  const preferring = {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, preference: { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] } },
      ],
    },
  };
  check({
    "a node selector": {
      ...{ nodes, settings, pods: [pod("p", "n1", { spec: { nodeSelector: { disk: "ssd" } } })] },
      moves: ["p: n1 -> n2"],
    },
    "one that holds": {
      ...{ nodes, settings, pods: [pod("p", "n2", { spec: { nodeSelector: { disk: "ssd" } } })], moves: [] },
    },
    "a preference is no rule": {
      ...{ nodes, settings, pods: [pod("p", "n1", { spec: { affinity: preferring } })], moves: [] },
    },
  });
});

const term = (app: string, topologyKey = "kubernetes.io/hostname"): object => ({
  requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: { matchLabels: { app } } }],
});
const repelledBy = (app: string, topologyKey?: string): object => ({
  affinity: { podAntiAffinity: term(app, topologyKey) },
});
const attractedBy = (app: string): object => ({ affinity: { podAffinity: term(app) } });

describe("RemovePodsViolatingInterPodAntiAffinity", () => {
  const settings = only("RemovePodsViolatingInterPodAntiAffinity");
  const zones = [node("n1", { zone: "a" }), node("n2", { zone: "a" }), node("n3", { zone: "b" })];
  check({
    "one of two that repel each other, the younger": {
      settings,
      pods: [
        pod("old", "n1", { ageSeconds: 90, spec: repelledBy("web") }),
        pod("young", "n1", { ageSeconds: 30, spec: repelledBy("web") }),
      ],
      moves: ["young: n1 -> n2"],
    },
    "the less important one": {
      settings,
      pods: [
        pod("low", "n1", { ageSeconds: 90, spec: { ...repelledBy("web"), priority: 1 } }),
        pod("high", "n1", { ageSeconds: 30, spec: { ...repelledBy("web"), priority: 2 } }),
      ],
      moves: ["low: n1 -> n2"],
    },
    "a pod that is repelled by another's rule": {
      settings,
      pods: [pod("db", "n1", { owner: null, spec: repelledBy("web") }), pod("web", "n1")],
      moves: ["web: n1 -> n2"],
      notes: [],
    },
    "in a zone": {
      ...{ settings, nodes: zones },
      pods: [
        pod("p", "n1", { spec: repelledBy("db", "topology.kubernetes.io/zone") }),
        pod("db", "n2", { ownerName: "db" }),
      ],
      moves: ["db: n2 -> n3"],
    },
    "one that is no longer beside the pod it requires": {
      settings,
      pods: [pod("db", "n2", { owner: null, ownerName: "db" }), pod("web", "n1", { spec: attractedBy("db") })],
      moves: ["web: n1 -> n2"],
    },
  });
});

const constraint = (whenUnsatisfiable: string, maxSkew = 1): object => ({
  ...{ topologyKey: "kubernetes.io/hostname", whenUnsatisfiable, maxSkew },
  labelSelector: { matchLabels: { app: "web" } },
});
describe("RemovePodsViolatingTopologySpreadConstraint", () => {
  const settings = only("RemovePodsViolatingTopologySpreadConstraint");
  const spread = (whenUnsatisfiable: string, maxSkew?: number): PodOptions => ({
    spec: { topologySpreadConstraints: [constraint(whenUnsatisfiable, maxSkew)] },
  });
  const hard = spread("DoNotSchedule");
  check({
    "as many as are too many": {
      ...{ settings, nodes: three, moves: ["d: n1 -> n2", "c: n1 -> n3"] },
      pods: ["a", "b", "c", "d"].map((name, i) => pod(name, "n1", { ...hard, ageSeconds: 90 - i })),
    },
    "even enough": {
      ...{ settings, pods: [pod("a", "n1", hard), pod("b", "n1", spread("DoNotSchedule", 2))], moves: ["a: n1 -> n2"] },
    },
    "a wish is no rule": {
      ...{ settings, pods: [pod("a", "n1", spread("ScheduleAnyway")), pod("b", "n1", spread("ScheduleAnyway"))] },
      moves: [],
    },
  });
});

describe("RemovePodsHavingTooManyRestarts, PodLifeTime", () => {
  const restarting = (restartCount: number): PodOptions => ({ status: { containerStatuses: [{ restartCount }] } });
  const nodes = [node("n1", { spec: { taints: [{ key: "a", effect: "PreferNoSchedule" }] } }), node("n2")];
  const day = 86_400;
  check({
    "too many restarts": {
      ...{ nodes, settings: only("RemovePodsHavingTooManyRestarts"), moves: ["b: n1 -> n2"] },
      pods: [pod("a", "n1", restarting(99)), pod("b", "n1", restarting(100))],
    },
    "too old": {
      ...{ nodes, settings: only("PodLifeTime"), moves: ["b: n1 -> n2"] },
      pods: [pod("a", "n1", { ageSeconds: 6 * day }), pod("b", "n1", { ageSeconds: 8 * day })],
    },
    "where the scheduler would place it again": {
      ...{ settings: only("PodLifeTime"), pods: [pod("b", "n1", { ageSeconds: 8 * day })], moves: [] },
      notes: ["it is 8d old: the scheduler would place it there again"],
    },
  });
});

describe("RemoveDuplicates, LowNodeUtilization, for a scheduler that spreads", () => {
  const packing = "LeastAllocated";
  const web = (name: string, on: string, cpu: number, ownerName = "web"): Pod => pod(name, on, { cpu, ownerName });
  check({
    "duplicates move to nodes with fewer": {
      ...{ packing, settings: only("RemoveDuplicates"), moves: ["a: n1 -> n2"] },
      pods: [web("a", "n1", 100), web("b", "n1", 100), web("c", "n1", 100, "other"), web("d", "n2", 100, "third")],
    },
    "pods move from full to empty nodes, until they are not full": {
      ...{ packing, settings: only("LowNodeUtilization"), moves: ["a: n1 -> n2"] },
      pods: [web("a", "n1", 300, "a"), web("b", "n1", 300, "b"), web("c", "n1", 100, "c"), web("d", "n2", 100, "d")],
    },
    "nothing is empty enough": {
      ...{ packing, settings: only("LowNodeUtilization"), moves: [] },
      pods: [web("a", "n1", 300, "a"), web("b", "n1", 300, "b"), web("d", "n2", 300, "d")],
    },
    "a scheduler that packs would undo it": {
      ...{ settings: only("RemoveDuplicates"), pods: [web("a", "n1", 100), web("b", "n1", 100)], moves: [] },
    },
  });
  test("strategies that undo each other are named", () => {
    expect(contradiction(["HighNodeUtilization", "RemoveDuplicates"])).toEqual([
      "HighNodeUtilization",
      "RemoveDuplicates",
    ]);
    expect(contradiction(["HighNodeUtilization", "PodLifeTime"])).toBeUndefined();
  });
});

const freeing = only("HighNodeUtilization");
const full = pod("full", "n1", { cpu: 600 });
const a = pod("a", "n2", { cpu: 100 });
const b = pod("b", "n2", { cpu: 200 });

describe("HighNodeUtilization: a node is freed wholly or not at all", () => {
  const settings = freeing;
  const daemon = pod("daemon", "n2", { owner: "DaemonSet" });
  const mirror = pod("mirror", "n2", { owner: null, annotations: { "kubernetes.io/config.mirror": "x" } });
  check({
    "the larger pods first": { settings, pods: [full, a, b], moves: ["b: n2 -> n1", "a: n2 -> n1"], freed: ["n2"] },
    "pods of the node itself do not count": {
      ...{ settings, pods: [full, a, daemon, mirror], moves: ["a: n2 -> n1"], freed: ["n2"] },
    },
    "an empty node is not used for it": { settings, nodes: three, pods: [a, b], moves: [], freed: [] },
    "not the half": {
      ...{ settings, pods: [full, b, pod("c", "n2", { cpu: 250 })], moves: [], freed: [] },
      notes: ["n2 is not freed: default/b stays, because the scheduler would place it there again"],
    },
    "a node of which much is used": { settings: { ...settings, freeBelow: 0.25 }, pods: [full, a, b], moves: [] },
    "several into one": {
      ...{ settings, nodes: three, freed: ["n2", "n3"], moves: ["c: n3 -> n1", "b: n2 -> n1"] },
      pods: [pod("full", "n1", { cpu: 500 }), b, pod("c", "n3")],
    },
    "a scheduler that spreads would fill it again": { settings, packing: "LeastAllocated", pods: [full, a], moves: [] },
    "a cordoned node is left alone": {
      ...{ settings, nodes: [node("n1"), node("n2", { spec: { unschedulable: true } })], pods: [full, a], moves: [] },
    },
    "room that a waiting pod will take": {
      ...{ settings, pods: [full, a, pod("waiting", undefined, { cpu: 350 })], moves: [], freed: [] },
    },
    "what the rules of others require stays": {
      ...{ settings, moves: [], freed: [] },
      pods: [
        pod("even", "n1", {
          cpu: 700,
          owner: null,
          spec: { topologySpreadConstraints: [constraint("DoNotSchedule")] },
        }),
        pod("b", "n2"),
      ],
      notes: ["n2 is not freed: default/b stays, because default/even requires it where it is"],
    },
  });
  test("the parts in use, and what budgets allow", () => {
    const plan = planOf(situation(cluster(two, [full, a], [budget("loose", "web", 2)])));
    expect(plan.before).toEqual({ nodes: 2, cpu: 0.35, memory: 0 });
    expect(plan.after).toEqual({ nodes: 1, cpu: 0.7, memory: 0 });
    expect(plan.moves[0]).toMatchObject({
      because: "it frees n2, of whose cpu 10% is requested",
      allowances: [{ budget: "loose", disruptionsAllowed: 2 }],
    });
  });
});

describe("pods that are not evicted", () => {
  const settings = freeing;
  /** A node with a pod that cannot go. */
  const stuck = (options: PodOptions, note: string, budgets: readonly PodDisruptionBudget[] = []): Row => ({
    ...{ settings, budgets, moves: [], freed: [], notes: [`n2 is not freed: default/x stays, because ${note}`] },
    pods: [full, b, pod("x", "n2", options)],
  });
  check({
    "pods that another scheduler places": stuck({ spec: { schedulerName: "mine" } }, "it is placed by mine"),
    "no controller": stuck({ owner: null }, "it has no controller that would replace it"),
    critical: stuck({ spec: { priority: 2_000_000_000 } }, "it is critical to the system"),
    "a job": stuck({ spec: { restartPolicy: "Never" } }, "it runs to completion and would begin anew"),
    "a group": stuck({ spec: { schedulingGroup: { podGroupName: "g" } } }, "it is scheduled together with its group"),
    "local storage": stuck({ spec: { volumes: [{ name: "v", emptyDir: {} }] } }, "it has local storage"),
    "the annotation against it": stuck(
      { annotations: { "descheduler.alpha.kubernetes.io/prefer-no-eviction": "true" } },
      "it has the annotation descheduler.alpha.kubernetes.io/prefer-no-eviction",
    ),
    "an exhausted budget": stuck({ labels: { app: "x" } }, "its budget tight allows no disruption", [
      budget("tight", "x", 0),
    ]),
    "two budgets": stuck({ labels: { app: "x" } }, "it has more than one disruption budget", [
      budget("one", "x", 1),
      budget("two", "x", 1),
    ]),
    "local storage that may be lost": {
      ...{ settings: { ...settings, evictsLocalStorage: true }, moves: ["x: n2 -> n1"] },
      pods: [full, pod("x", "n2", { spec: { volumes: [{ name: "v", emptyDir: {} }] } })],
    },
    "the annotation for it": {
      ...{ settings, moves: ["x: n2 -> n1"] },
      pods: [full, pod("x", "n2", { owner: null, annotations: { "descheduler.alpha.kubernetes.io/evict": "true" } })],
    },
    "another namespace": {
      ...{ settings: { ...settings, namespace: "other" }, pods: [full, a], moves: [] },
      notes: ["n2 is not freed: default/a stays, because it is not in namespace other"],
    },
    "more pods than a run may evict": {
      ...{
        settings: { ...settings, limits: { perRun: 1, perNode: 9, perNamespace: 9 } },
        pods: [full, a, b],
        moves: [],
      },
      notes: ["a run evicts 1 pods at most"],
    },
    "more pods of a node": {
      ...{
        settings: { ...settings, limits: { perRun: 9, perNode: 1, perNamespace: 9 } },
        pods: [full, a, b],
        moves: [],
      },
      notes: ["a run evicts 1 pods of a node at most"],
    },
  });
});
