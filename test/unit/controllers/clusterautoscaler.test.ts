// The cluster autoscaler: when a node is added, which node may go, and what is said about it.
import { describe, expect, test } from "vitest";
import type { Node, PersistentVolume, Pod, PodDisruptionBudget } from "../../../api/generated/types.ts";
import { type Instant, instant } from "../../../api/meta.ts";
import { schedulingSimulation } from "../../../cli/simulation.ts";
import { decide } from "../../../controllers/clusterautoscaler/decide.ts";
import { type History, noHistory, type Observed } from "../../../controllers/clusterautoscaler/observed.ts";
import { defaultSettings, type Settings } from "../../../controllers/clusterautoscaler/ports.ts";
import type { Step } from "../../../controllers/clusterautoscaler/removal.ts";
import { ago, asStored, now } from "./world.ts";

const simulation = schedulingSimulation({ packing: "MostAllocated" });
const ready = (status: "True" | "False"): object => ({ conditions: [{ type: "Ready", status }] });
const size = { cpu: "1", memory: "1Gi", pods: "110" };

const hostname = "kubernetes.io/hostname";

interface NodeOptions {
  readonly ready?: boolean;
  readonly taints?: readonly object[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly age?: number;
}
const node = (name: string, options: NodeOptions = {}): Node =>
  asStored<Node>({
    kind: "Node",
    metadata: {
      ...{ name, labels: { [hostname]: name }, annotations: options.annotations },
      creationTimestamp: ago(options.age ?? 3600),
    },
    spec: { taints: options.taints },
    status: { allocatable: size, capacity: size, ...ready(options.ready === false ? "False" : "True") },
  });

interface PodOptions {
  readonly cpu?: string;
  readonly on?: string;
  readonly metadata?: object;
  readonly spec?: object;
  readonly owner?: string | null;
  readonly deleting?: true;
}
const waiting = { conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }] };
function pod(name: string, { cpu = "100m", on, metadata, spec, owner = "ReplicaSet", deleting }: PodOptions = {}): Pod {
  const ownerReferences =
    owner === null ? undefined : [{ kind: owner, name: "o", uid: `uid-${owner}`, controller: true }];
  return asStored<Pod>({
    kind: "Pod",
    metadata: {
      ...{ name, namespace: "default", labels: { app: name }, ownerReferences },
      ...(deleting && { deletionTimestamp: ago(0) }),
      ...metadata,
    },
    spec: { containers: [{ name: "c", resources: { requests: { cpu } } }], nodeName: on, ...spec },
    status: on === undefined ? waiting : { phase: "Running" },
  });
}
const many = (count: number, prefix: string, options: PodOptions): readonly Pod[] =>
  Array.from({ length: count }, (_, i) => pod(`${prefix}${i}`, options));

const settings: Settings = { ...defaultSettings, group: "workers", maxNodes: 5, template: node("template") };
const markedSince = (seconds: number): object => ({
  key: "ToBeDeletedByClusterAutoscaler",
  value: String((now as number) / 1000 - seconds),
  effect: "NoSchedule",
});

interface Case {
  readonly nodes: readonly Node[];
  readonly pods?: readonly Pod[];
  /** Names the provider has beside those of `nodes`. */
  readonly coming?: readonly string[];
  readonly budgets?: readonly PodDisruptionBudget[];
  readonly daemons?: Observed["daemonSets"];
  readonly volumes?: Observed["volumes"];
  readonly history?: Partial<History>;
  readonly at?: Instant;
}
const status = asStored<Node>({ kind: "ConfigMap", metadata: { name: "cluster-autoscaler-status" } });
/** Nodes whose name begins with "more" were added by the autoscaler. */
function decided(of: Case) {
  const { nodes, pods = [], coming = [], budgets = [], daemons = [], volumes = [], history = {}, at = now } = of;
  const names = [...nodes.map(({ metadata }) => metadata.name), ...coming];
  const provided = names.filter((name) => name !== "gone").map((name) => ({ name, added: name.startsWith("more") }));
  const observed = {
    nodes,
    pods,
    budgets,
    provided,
    daemonSets: daemons,
    volumes,
    history: { ...noHistory, ...history },
    status,
  };
  return decide(observed, simulation, settings, at);
}

/** A step in words, with the events that report it. */
function words(step: Step): string {
  const reports = step.reports.map((a) => (a.do === "event" ? `${a.reason}: ${a.message}` : a.do)).join(" | ");
  if (step.do === "add") return `add ${step.count} (${reports})`;
  if (step.do === "remove") return `remove ${step.name}`;
  const { action } = step;
  if (action.do === "event") return `${action.object.metadata.name} ${action.reason}: ${action.message}`;
  if (action.do === "patch" && action.patch.type === "merge") {
    const { taints } = (action.patch.patch as Node).spec;
    return `${taints ? "mark" : "unmark"} ${action.object.metadata.name} (${reports})`;
  }
  return action.do === "create" ? "" : `${action.do} ${action.object.metadata.name}`;
}
const full = (name: string): readonly Pod[] => many(2, `full-${name}-`, { cpu: "500m", on: name });
const unneeded = (...names: readonly string[]): Partial<History> => ({
  unneededSince: new Map(names.map((name) => [name, instant(now - 700_000)])),
});

const two = [node("n1"), node("n2")];
const twoFull = [...full("n1"), ...full("n2")];
const setting = (from: number, to: number): string =>
  `ScaledUpGroup: Scale-up: setting group workers size to ${to} instead of ${from} (max: 5)`;
const triggered = (from: number, to: number): string =>
  `TriggeredScaleUp: pod triggered scale-up: [{workers ${from}->${to} (max: 5)}]`;
const additions: readonly (readonly [string, Case, readonly string[]])[] = [
  ["none when nothing waits", { nodes: two, pods: twoFull }, []],
  ["none for a pod that fits what is there", { nodes: two, pods: [...full("n1"), pod("a")] }, []],
  [
    "one for pods that share it",
    { nodes: two, pods: [...twoFull, pod("a", { cpu: "400m" }), pod("b", { cpu: "600m" })] },
    [`add 1 (${setting(2, 3)} | ${triggered(2, 3)} | ${triggered(2, 3)})`],
  ],
  [
    "as many as the pods need, by first fit",
    {
      nodes: two,
      pods: [...twoFull, pod("a", { cpu: "700m" }), pod("b", { cpu: "600m" }), pod("c", { cpu: "300m" })],
    },
    [`add 2 (${setting(2, 4)} | ${triggered(2, 4)} | ${triggered(2, 4)} | ${triggered(2, 4)})`],
  ],
  ["none while one is coming that has room", { nodes: two, pods: [...twoFull, pod("a")], coming: ["more-1"] }, []],
  [
    "none while one has started and is not ready",
    { nodes: [...two, node("more-1", { ready: false, age: 10 })], pods: [...twoFull, pod("a")] },
    [],
  ],
  [
    "none while one is ready and has still the taint of before",
    {
      nodes: [
        ...two,
        node("more-1", { age: 10, taints: [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }] }),
      ],
      pods: [...twoFull, pod("a")],
    },
    [],
  ],
  [
    "one beside a node that was ready and is lost",
    {
      nodes: [...two, node("more-1", { ready: false, taints: [{ key: "x", effect: "NoSchedule" }] })],
      pods: [...twoFull, pod("a")],
    },
    [`add 1 (${setting(3, 4)} | ${triggered(3, 4)})`],
  ],
  [
    "at most as many as the maximum",
    { nodes: [node("n1")], coming: ["n2", "n3", "n4"], pods: [...full("n1"), ...many(3, "a", { cpu: "900m" })] },
    [
      "a1 NotTriggerScaleUp: pod didn't trigger scale-up: 1 max node group size reached",
      "a2 NotTriggerScaleUp: pod didn't trigger scale-up: 1 max node group size reached",
      `add 1 (${setting(4, 5)} | ${triggered(4, 5)})`,
    ],
  ],
  [
    "none for a pod that no new node has room for",
    { nodes: two, pods: [...twoFull, pod("a", { cpu: "1500m" })] },
    ["a NotTriggerScaleUp: pod didn't trigger scale-up: 1 Insufficient cpu"],
  ],
  [
    "none for a pod that selects other nodes",
    { nodes: two, pods: [...twoFull, pod("a", { spec: { nodeSelector: { gpu: "yes" } } })] },
    ["a NotTriggerScaleUp: pod didn't trigger scale-up: 1 node(s) didn't match Pod's node affinity/selector"],
  ],
  ["none for a daemon's pod", { nodes: two, pods: [...twoFull, pod("a", { owner: "DaemonSet" })] }, []],
  [
    "none for a pod with a scheduling gate",
    { nodes: two, pods: [...twoFull, pod("a", { spec: { schedulingGates: [{ name: "g" }] } })] },
    [],
  ],
  [
    "none so soon after a failure",
    { nodes: two, pods: [...twoFull, pod("a")], history: { addFailedAt: instant(now - 1000) } },
    ["a NotTriggerScaleUp: pod didn't trigger scale-up: 1 in backoff after failed scale-up"],
  ],
  [
    "none where a node that is being removed has room: it is kept",
    { nodes: [...two, node("more-1", { taints: [markedSince(3)] })], pods: [...twoFull, pod("a")] },
    ["unmark more-1 (ScaleDown: unmarked the node: pods wait for its room)"],
  ],
];
describe("adds nodes", () => {
  test.each(additions)("%s", (_, state, expected) => expect(decided(state).steps.map(words)).toEqual(expected));

  test("a refusal is reported once", () => {
    const state = { nodes: [node("n1")], pods: [...full("n1"), pod("a", { cpu: "2" })] };
    const { history } = decided(state);
    expect(decided({ ...state, history }).steps).toEqual([]);
  });

  describe("the pods of daemon sets", () => {
    const template = { metadata: {}, spec: { containers: [{ name: "c", resources: { requests: { cpu: "500m" } } }] } };
    const metadata = { name: "agent", namespace: "default", uid: "uid-DaemonSet" };
    const daemons = [asStored<Observed["daemonSets"][number]>({ kind: "DaemonSet", metadata, spec: { template } })];

    test("take their part of a new node", () => {
      const pods = [...full("n1"), pod("a", { cpu: "600m" })];
      expect(decided({ nodes: [node("n1")], pods, daemons }).steps.map(words)).toEqual([
        "a NotTriggerScaleUp: pod didn't trigger scale-up: 1 Insufficient cpu",
      ]);
    });

    test("are counted once on a node that is starting", () => {
      const own = pod("d", { cpu: "500m", on: "more-1", owner: "DaemonSet" });
      const nodes = [node("n1"), node("more-1", { ready: false, age: 10 })];
      expect(decided({ nodes, pods: [...full("n1"), own, pod("a", { cpu: "500m" })], daemons }).steps).toEqual([]);
    });
  });
});

const pair = [node("n1"), node("more-1")];
const on = (options: PodOptions): readonly Pod[] => [pod("a", { on: "more-1", ...options })];
const annotated = (name: string, value: string): PodOptions => ({
  metadata: { name: "a", annotations: { [`cluster-autoscaler.kubernetes.io/${name}`]: value } },
});
const local = { volumes: [{ name: "v", emptyDir: {} }] };
const since = "2026-01-01T12:00:00Z";
const due = "2026-01-01T12:10:00Z";
const free = (use: string, elsewhere = ", default/a would fit elsewhere"): string =>
  `more-1 is unneeded since ${since}: ${use}${elsewhere}; may go from ${due} on`;
const volumeOf = (name: string, more: object = {}): PersistentVolume => {
  const matchExpressions = [{ key: hostname, operator: "In", values: [name] }];
  const nodeAffinity = { required: { nodeSelectorTerms: [{ matchExpressions }] } };
  const claimRef = { namespace: "default", name: "data" };
  return asStored({ metadata: { name: "v" }, spec: { nodeAffinity, claimRef, ...more } });
};
const budget = (allowed: number): PodDisruptionBudget =>
  asStored({
    metadata: { name: "b", namespace: "default" },
    spec: { selector: { matchLabels: { app: "a" } } },
    status: { disruptionsAllowed: allowed },
  });
const candidates: readonly (readonly [string, Case, string])[] = [
  ["without pods is unneeded", { nodes: pair }, free("0% of its cpu is requested", "")],
  ["with few pods is unneeded", { nodes: pair, pods: on({ cpu: "400m" }) }, free("40% of its cpu is requested")],
  [
    "that is used stays",
    { nodes: pair, pods: on({ cpu: "500m" }) },
    "more-1 stays: 50% of its cpu is requested, not less than 50%",
  ],
  [
    "whose pods fit nowhere else stays",
    { nodes: pair, pods: [...full("n1"), ...on({})] },
    "more-1 stays: no other node has room for default/a: Insufficient cpu",
  ],
  [
    "whose pods fit only where another pod will go stays",
    { nodes: pair, pods: [pod("n", { cpu: "500m", on: "n1" }), ...on({ cpu: "400m" }), pod("w", { cpu: "500m" })] },
    "more-1 stays: no other node has room for default/a: Insufficient cpu",
  ],
  [
    "with a pod without controller stays",
    { nodes: pair, pods: on({ owner: null }) },
    "more-1 stays: default/a is not replicated",
  ],
  [
    "with a pod without controller that may be evicted goes",
    { nodes: pair, pods: on({ owner: null, ...annotated("safe-to-evict", "true") }) },
    free("10% of its cpu is requested"),
  ],
  [
    "with a pod that must not be evicted stays",
    { nodes: pair, pods: on(annotated("safe-to-evict", "false")) },
    "more-1 stays: pod annotated as not safe to evict present: a",
  ],
  [
    "with local storage stays",
    { nodes: pair, pods: on({ spec: local }) },
    "more-1 stays: pod with local storage present: a",
  ],
  [
    "whose volume no other node reaches stays",
    { nodes: pair, volumes: [volumeOf("more-1")] },
    "more-1 stays: no other node reaches the volume of claim default/data",
  ],
  [
    "whose volume no claim has goes",
    { nodes: pair, volumes: [volumeOf("more-1", { claimRef: undefined })] },
    free("0% of its cpu is requested", ""),
  ],
  [
    "goes, while the volume of another stays",
    { nodes: pair, volumes: [volumeOf("n1")] },
    free("0% of its cpu is requested", ""),
  ],
  [
    "with local storage that may be lost goes",
    { nodes: pair, pods: on({ spec: local, ...annotated("safe-to-evict-local-volumes", "u,v") }) },
    free("10% of its cpu is requested"),
  ],
  [
    "with storage in memory goes",
    { nodes: pair, pods: on({ spec: { volumes: [{ name: "v", emptyDir: { medium: "Memory" } }] } }) },
    free("10% of its cpu is requested"),
  ],
  [
    "with a system pod without budget stays",
    { nodes: pair, pods: on({ metadata: { name: "a", namespace: "kube-system" } }) },
    "more-1 stays: non-daemonset, non-mirrored, non-pdb-assigned kube-system pod present: a",
  ],
  [
    "whose pod has an exhausted budget stays",
    { nodes: pair, pods: on({}), budgets: [budget(0)] },
    "more-1 stays: not enough pod disruption budget to move default/a",
  ],
  [
    "whose pod has a budget goes",
    { nodes: pair, pods: on({}), budgets: [budget(1)] },
    free("10% of its cpu is requested"),
  ],
  [
    "with a daemon's pod goes",
    { nodes: pair, pods: on({ owner: "DaemonSet" }) },
    free("0% of its cpu is requested", ""),
  ],
  [
    "that must not be scaled down stays",
    {
      nodes: [
        node("n1"),
        node("more-1", { annotations: { "cluster-autoscaler.kubernetes.io/scale-down-disabled": "true" } }),
      ],
    },
    "more-1 stays: it has the annotation scale-down-disabled",
  ],
];
describe("a node", () => {
  test.each(candidates)("%s", (_, state, because) => expect(decided(state).because).toEqual([because]));

  test("that the autoscaler did not add is never a candidate", () => {
    expect(decided({ nodes: [node("n1"), node("n2")] }).because).toEqual([]);
  });
});

const marked = (seconds: number, options: NodeOptions = {}): Node =>
  node("more-1", { taints: [markedSince(seconds)], ...options });
const begun = (name: string, summary: string): string =>
  `mark ${name} (ScaleDown: marked the node as toBeDeleted/unschedulable | ${summary})`;
const empty = (name: string): string => begun(name, `ScaleDownEmpty: Scale-down: removing empty node "${name}"`);
const three = [node("n1"), node("more-1"), node("more-2")];
const steps: readonly (readonly [string, Case, readonly string[]])[] = [
  [
    "nothing before its time",
    { nodes: three, history: { unneededSince: new Map([["more-1", instant(now - 500_000)]]) } },
    [],
  ],
  [
    "all empty nodes at once",
    { nodes: three, history: unneeded("more-1", "more-2") },
    [empty("more-2"), empty("more-1")],
  ],
  [
    "one node with pods at a time",
    {
      nodes: three,
      pods: [pod("a", { on: "more-1" }), pod("b", { on: "more-2" })],
      history: unneeded("more-1", "more-2"),
    },
    [begun("more-2", "ScaleDown: Scale-down: removing node more-2, utilization: 0.10, pods to reschedule: b")],
  ],
  [
    "nothing so soon after an addition",
    { nodes: [node("n1"), node("more-1", { age: 500 })], history: unneeded("more-1") },
    [],
  ],
  [
    "nothing so soon after a failure",
    { nodes: three, history: { ...unneeded("more-1"), removeFailedAt: instant(now - 1000) } },
    [],
  ],
  ["nothing while nodes are coming", { nodes: three, coming: ["more-3"], history: unneeded("more-1") }, []],
  [
    "a node that is not ready after a longer time",
    { nodes: [node("n1"), node("more-1", { ready: false })], history: unneeded("more-1") },
    [],
  ],
  [
    "no pod before the scheduler has seen the mark",
    { nodes: [node("n1"), marked(2)], pods: [pod("a", { on: "more-1" })] },
    [],
  ],
  ["pods of a marked node", { nodes: [node("n1"), marked(6)], pods: [pod("a", { on: "more-1" })] }, ["evict a"]],
  [
    "pods whose budget refused before: the server decides again",
    { nodes: [node("n1"), marked(6)], pods: [pod("a", { on: "more-1" })], budgets: [budget(0)] },
    ["evict a"],
  ],
  [
    "no node while its pods end",
    { nodes: [node("n1"), marked(6)], pods: [pod("a", { on: "more-1", deleting: true })] },
    [],
  ],
  [
    "a lost node without waiting for its pods",
    { nodes: [node("n1"), marked(6, { ready: false })], pods: [pod("a", { on: "more-1", deleting: true })] },
    ["remove more-1"],
  ],
  [
    "a marked node without pods",
    { nodes: [node("n1"), marked(6)], pods: [pod("a", { on: "more-1", owner: "DaemonSet" })] },
    ["remove more-1"],
  ],
  [
    "no node whose pods fit nowhere else any more",
    { nodes: [node("n1"), marked(6)], pods: [...full("n1"), pod("a", { on: "more-1" })] },
    ["unmark more-1 (ScaleDownFailed: failed to drain the node, aborting ScaleDown)"],
  ],
  [
    "no node that is not empty in time",
    { nodes: [node("n1"), marked(601)], pods: [pod("a", { on: "more-1", deleting: true })] },
    ["unmark more-1 (ScaleDownFailed: failed to drain the node, aborting ScaleDown)"],
  ],
  [
    "the object of a marked node without machine",
    { nodes: [node("n1"), node("gone", { taints: [markedSince(6)] })] },
    ["delete gone"],
  ],
  [
    "a node that was never registered",
    {
      nodes: [node("n1")],
      coming: ["more-1"],
      history: { firstSeen: new Map([["more-1", instant(now - 900_000)]]) },
    },
    ["remove more-1"],
  ],
];
describe("removes", () => {
  test.each(steps)("%s", (_, state, expected) => expect(decided(state).steps.map(words)).toEqual(expected));

  test("nothing for good when the time of an unneeded node begins anew", () => {
    const busy = decided({ nodes: three, pods: [...full("more-1")], history: unneeded("more-1") });
    expect(busy.history.unneededSince.get("more-1")).toBeUndefined();
  });
});

test("the status has the counts of the group and what it does", () => {
  const nodes = [node("n1"), node("more-1"), node("more-2", { ready: false, age: 1 })];
  expect(decided({ nodes, coming: ["more-3"], pods: full("n1") }).status).toBe(`autoscalerStatus: Running
nodeGroups:
- name: workers
  health:
    status: Healthy
    nodeCounts:
      registered:
        total: 3
        ready: 2
        notStarted: 1
        beingDeleted: 0
      unregistered: 1
    cloudProviderTarget: 4
    minSize: 1
    maxSize: 5
  scaleUp: {status: InProgress}
  scaleDown: {status: CandidatesPresent, candidates: 1}
`);
});
