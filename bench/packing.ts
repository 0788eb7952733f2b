// How many nodes the default profile uses for pods that arrive in random order, beside first-fit-decreasing, which sees
// all pods first, and the volume bound, which no packing is below. First the decisions of the scheduler alone, then what
// the moves that `orrery rebalance` plans make of them. Optional argument: the number of pods.
import { instant, keyOf } from "../api/meta.ts";
import type { Node, Pod } from "../api/generated/types.ts";
import { reschedulingSimulation } from "../cli/simulation.ts";
import { planOf } from "../controllers/descheduler/plan.ts";
import { defaultSettings } from "../controllers/descheduler/ports.ts";
import { schedulerCache } from "../scheduler/cache.ts";
import { defaultPlugins } from "../scheduler/plugins/default.ts";
import { preparedPlacer } from "../scheduler/prepared-place.ts";
import { seeded } from "../test/sim/virtual-clock.ts";
import { report } from "./report.ts";

const podCount = Number(process.argv[2] ?? 2_000);
/** Of a node: thousandths of its CPU and of its memory that a pod requests. */
type Size = readonly [cpu: number, memory: number];
const capacity = 1_000;
const random = seeded(1);
const between = (least: number, most: number): number => least + Math.floor(random.next() * (most - least + 1));
/** Of these, four fit on a node at most, so the bound is out of reach. */
const unreachable = "anti-correlated, large";
const distributions: Readonly<Record<string, () => Size>> = {
  "CPU alone, uniform": () => [between(10, 700), 1],
  "CPU and memory, uniform": () => [between(10, 500), between(10, 500)],
  "four small, one large": () =>
    random.next() < 0.8 ? [between(10, 60), between(10, 60)] : [between(300, 600), between(300, 600)],
  "anti-correlated": () => {
    const cpu = between(10, 190);
    return [cpu, 200 - cpu + between(0, 20)];
  },
  [unreachable]: () => {
    const cpu = between(20, 380);
    return [cpu, 400 - cpu + between(0, 40)];
  },
};

const node = (i: number): Node =>
  ({
    metadata: { name: `node-${String(i).padStart(4, "0")}`, labels: {} },
    spec: {},
    status: {
      allocatable: { cpu: `${capacity}m`, memory: `${capacity}Mi`, pods: "1000" },
      conditions: [{ type: "Ready", status: "True" }],
    },
  }) as unknown as Node;
const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "web", controller: true };
const pod = ([cpu, memory]: Size, i: number): Pod =>
  ({
    metadata: {
      ...{ name: `pod-${i}`, uid: `${i}`, namespace: "default", creationTimestamp: "2026-01-01T00:00:00Z" },
      ownerReferences: [owner],
    },
    spec: {
      restartPolicy: "Always",
      containers: [{ name: "c", image: "a", resources: { requests: { cpu: `${cpu}m`, memory: `${memory}Mi` } } }],
    },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  }) as unknown as Pod;

const used = (pods: readonly Pod[]): number => new Set(pods.map(({ spec }) => spec.nodeName)).size;

/** In the order of their arrival. */
function scheduled(pods: readonly Pod[], nodes: readonly Node[]): readonly Pod[] {
  const cache = schedulerCache();
  const [place, plugins] = [preparedPlacer(), defaultPlugins()];
  for (const each of nodes) cache.nodeSeen(each.metadata.name, each);
  return pods.map((each) => {
    const placement = place(each, cache.snapshot(), plugins, { percentageOfNodesToScore: 100 });
    if (placement.outcome !== "placed") throw new Error(placement.diagnosis.message);
    cache.assume(each, placement.nodeName);
    return { ...each, spec: { ...each.spec, nodeName: placement.nodeName } };
  });
}

/** Until rebalancing frees no more nodes. */
function rebalanced(placed: readonly Pod[], nodes: readonly Node[]): readonly Pod[] {
  const simulation = reschedulingSimulation({ packing: "MostAllocated" });
  const limits = { perRun: 10_000, perNode: 10_000, perNamespace: 10_000 };
  const settings = { ...defaultSettings, limits, strategies: ["HighNodeUtilization"], freeBelow: 1 };
  let pods = placed;
  for (;;) {
    const cluster = { nodes, pods, budgets: [], objectsOf: () => [] };
    const situation = { cluster, simulation, settings, now: instant(0), done: [], refused: new Set<string>() };
    const { moves } = planOf(situation);
    if (moves.length === 0) return pods;
    const to = new Map(moves.map((move) => [keyOf(move.pod), move.to]));
    pods = pods.map((each) => ({
      ...each,
      spec: { ...each.spec, nodeName: to.get(keyOf(each)) ?? each.spec.nodeName! },
    }));
  }
}

function firstFitDecreasing(sizes: readonly Size[]): number {
  const bins: [number, number][] = [];
  for (const [cpu, memory] of sizes.toSorted((a, b) => Math.max(...b) - Math.max(...a))) {
    const bin = bins.find(([c, m]) => c + cpu <= capacity && m + memory <= capacity);
    if (!bin) bins.push([cpu, memory]);
    else {
      bin[0] += cpu;
      bin[1] += memory;
    }
  }
  return bins.length;
}
const volumeBound = (sizes: readonly Size[]): number =>
  Math.ceil(Math.max(...[0, 1].map((of) => sizes.reduce((sum, size) => sum + size[of]!, 0))) / capacity);

/** Nodes are not divisible. */
const within5Percent = (nodeCount: number): { readonly atMost: number } => ({ atMost: Math.ceil(1.05 * nodeCount) });
for (const [name, next] of Object.entries(distributions)) {
  const sizes = Array.from({ length: podCount }, next);
  const [bound, decreasing] = [volumeBound(sizes), firstFitDecreasing(sizes)];
  const nodes = Array.from({ length: 2 * bound }, (_, i) => node(i));
  const online = scheduled(sizes.map(pod), nodes);
  // The lesser of both is what the figures are held to, where it can be reached.
  const reference = name === unreachable ? decreasing : Math.min(bound, decreasing);
  const beside = { what: `bound ${bound}, first-fit-decreasing`, value: decreasing, unit: "nodes" } as const;
  const figures = { "as they arrive": online, "then rebalanced": rebalanced(online, nodes) };
  for (const [when, placed] of Object.entries(figures))
    report({ what: `${name}, ${when}`, value: used(placed), unit: "nodes", beside, budget: within5Percent(reference) });
}
