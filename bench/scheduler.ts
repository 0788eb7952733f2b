// Pods per second that are decided among 1,000 and 5,000 nodes, by what the pods ask for. Workloads are named as
// those of Kubernetes' scheduler_perf. Decisions alone: nothing is written. Then what it costs that they can be explained.
import type { Node, Pod } from "../api/generated/types.ts";
import { instant, revision } from "../api/meta.ts";
import { type AttemptLog, attemptLog } from "../scheduler/attempts.ts";
import { schedulerCache } from "../scheduler/cache.ts";
import { attemptExplanation } from "../scheduler/explanation.ts";
import { type Journal, journal } from "../scheduler/journal.ts";
import { defaultPlugins } from "../scheduler/plugins/default.ts";
import { preparedPlacer } from "../scheduler/prepared-place.ts";
import { median, report } from "./report.ts";

const mebi = 2 ** 20;
/** Twenty images; pods use one of them. */
const images = Array.from({ length: 20 }, (_, i) => ({ names: [`app-${i}:1`], sizeBytes: (50 + 20 * i) * mebi }));
const hostname = "kubernetes.io/hostname";
const zone = "topology.kubernetes.io/zone";
const node = (i: number): Node =>
  ({
    metadata: { name: `node-${i}`, labels: { [hostname]: `node-${i}`, [zone]: `z${i % 3}` } },
    // Every tenth node has a taint that no pod tolerates, and every third one that counts against it.
    spec: {
      taints: [
        ...(i % 10 === 0 ? [{ key: "dedicated", value: `team-${i % 4}`, effect: "NoSchedule" }] : []),
        ...(i % 3 === 0 ? [{ key: "spot", effect: "PreferNoSchedule" }] : []),
      ],
    },
    status: { allocatable: { cpu: "4", memory: "32Gi", pods: "110" }, images: images.slice(i % 10) },
  }) as unknown as Node;
const tolerations = ["not-ready", "unreachable"].map((key) => ({
  key: `node.kubernetes.io/${key}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 300,
}));

const blue = { labelSelector: { matchLabels: { color: "blue" } } };
const affinity = (kind: string, topologyKey: string) => ({
  affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [{ ...blue, topologyKey }] } },
});
const inZones = [{ matchExpressions: [{ key: zone, operator: "In", values: ["z0", "z1"] }] }];
interface Workload {
  /** Pods that are on nodes before. */
  readonly there?: number;
  readonly thereCpu?: string;
  readonly cpu?: string;
  readonly spec?: object;
  /** Pods that are decided, among 5,000 nodes. */
  readonly pods: number;
  /** Decisions a second among 5,000 nodes. */
  readonly atLeast: number;
}
const workloads: Readonly<Record<string, Workload>> = {
  SchedulingBasic: { there: 1_000, pods: 10_000, atLeast: 15_000 },
  NodeAffinity: {
    ...{ there: 5_000, pods: 10_000 },
    spec: {
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: inZones } } },
    },
    atLeast: 15_000,
  },
  TopologySpreading: {
    ...{ there: 5_000, pods: 5_000 },
    spec: {
      topologySpreadConstraints: [{ maxSkew: 5, topologyKey: zone, whenUnsatisfiable: "DoNotSchedule", ...blue }],
    },
    atLeast: 5_000,
  },
  PodAffinity: { there: 5_000, pods: 5_000, spec: affinity("podAffinity", zone), atLeast: 5_000 },
  PodAntiAffinity: { pods: 2_000, spec: affinity("podAntiAffinity", hostname), atLeast: 1_500 },
  Unschedulable: { there: 5_000, pods: 10_000, cpu: "9", atLeast: 10_000 },
  PreemptionAsync: { there: 20_000, pods: 4_000, thereCpu: "900m", cpu: "3", spec: { priority: 10 }, atLeast: 1_500 },
};

const pod = (name: string, cpu: string, spec: object): Pod =>
  ({
    metadata: { name, uid: name, namespace: "default", labels: { color: "blue" } },
    spec: {
      containers: [{ name: "c", image: "app-3:1", resources: { requests: { cpu, memory: "64Mi" } } }],
      tolerations,
      ...spec,
    },
  }) as unknown as Pod;

/** What is kept to explain decisions, as the scheduler keeps it. */
interface Kept {
  readonly changes: Journal;
  readonly attempts: AttemptLog;
}
const kept = (): Kept => ({ changes: journal(), attempts: attemptLog() });

function perSecond(nodeCount: number, workload: Workload, explained?: Kept): number {
  const { there = 0, thereCpu = "100m", pods, cpu = "100m", spec = {} } = workload;
  const plugins = defaultPlugins();
  const place = preparedPlacer();
  const cache = schedulerCache(undefined, explained?.changes);
  for (let i = 0; i < nodeCount; i++) cache.nodeSeen(`node-${i}`, node(i));
  const before = Math.trunc((there * nodeCount) / 5_000);
  for (let i = 0; i < before; i++) cache.assume(pod(`there-${i}`, thereCpu, {}), `node-${i % nodeCount}`);
  const podCount = Math.trunc((pods * nodeCount) / 5_000);
  const decide = (name: string): void => {
    const each = pod(name, cpu, spec);
    const placement = place(each, cache.snapshot(), plugins);
    explained?.attempts.record(placement, { at: instant(0), revision: revision(0) });
    if (placement.outcome === "placed") cache.assume(each, placement.nodeName);
    else {
      const { nominatedNodeName, victims } = placement.diagnosis;
      cache.nominate(each, nominatedNodeName);
      for (const { key } of victims) cache.forget(key);
    }
  };
  // The first pods of a kind are decided otherwise.
  for (let i = 0; i < 50; i++) decide(`first-${i}`);
  const began = process.cpuUsage();
  for (let i = 0; i < podCount; i++) decide(`pod-${i}`);
  const { user, system } = process.cpuUsage(began);
  return (1e6 * podCount) / (user + system);
}

for (const [name, workload] of Object.entries(workloads)) {
  perSecond(5_000, workload);
  report({
    what: `${name}: decisions among 5,000 nodes, per second of CPU`,
    value: perSecond(5_000, workload),
    unit: "/s",
    beside: { what: "among 1,000", value: perSecond(1_000, workload), unit: "/s" },
    budget: { atLeast: workload.atLeast },
  });
}

/** The medians of some rounds, by turns, so that both meet the same machine. */
function withAndWithout(workload: Workload): readonly [number, number] {
  const [keeping, without]: [number[], number[]] = [[], []];
  for (let round = 0; round < 9; round++) {
    keeping.push(perSecond(5_000, workload, kept()));
    without.push(perSecond(5_000, workload));
  }
  return [median(keeping), median(without)];
}
const [keeping, without] = withAndWithout(workloads["SchedulingBasic"]!);
report({
  what: `recording of decisions, of the CPU time of 15,000 plain ones (${keeping.toFixed(0)}/s with, ${without.toFixed(0)}/s without)`,
  value: 100 * 15_000 * (1 / keeping - 1 / without),
  unit: "%",
  budget: { atMost: 5 },
});

/** The time to explain a decision, after some more. */
function explanationMs(nodeCount: number): number {
  const { changes, attempts } = kept();
  const cache = schedulerCache(undefined, changes);
  const [place, plugins] = [preparedPlacer(), defaultPlugins()];
  for (let i = 0; i < nodeCount; i++) cache.nodeSeen(`node-${i}`, node(i));
  const all = Array.from({ length: 10_000 }, (_, i) => pod(`pod-${i}`, "100m", {}));
  for (const each of all) {
    const placement = place(each, cache.snapshot(), plugins);
    attempts.record(placement, { at: instant(0), revision: revision(0) });
    if (placement.outcome === "placed") cache.assume(each, placement.nodeName);
  }
  const times = all.slice(9_000, 9_020).map((each) => {
    const [attempt] = attempts.of(each);
    const began = process.cpuUsage();
    attemptExplanation(attempt!, cache.snapshotAt(attempt!.inputs!.position));
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1_000;
  });
  return median(times);
}
const few = { what: "100 nodes", value: explanationMs(100), unit: "ms" } as const;
const what = "a decision among 1,000 nodes explained, with 10,000 pods, CPU";
report({ what, value: explanationMs(1_000), unit: "ms", beside: few, budget: { atMost: 50 } });
