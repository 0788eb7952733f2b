// Clusters for tests of the descheduler, and what becomes of a pod that is evicted in one.
import { keyOf, timestamp } from "../../../api/meta.ts";
import type { Node, Pod, PodDisruptionBudget } from "../../../api/generated/types.ts";
import { replacementOf } from "../../../api/core/pod/evictions.ts";
import { reschedulingSimulation } from "../../../cli/simulation.ts";
import type { Move, Situation } from "../../../controllers/descheduler/draft.ts";
import type { Cluster, Settings } from "../../../controllers/descheduler/ports.ts";
import { defaultSettings } from "../../../controllers/descheduler/ports.ts";
import { defaultStrategies } from "../../../controllers/descheduler/strategies.ts";
import type { Packing } from "../../../scheduler/plugins/resource-scores.ts";
import { ago, asStored, now } from "./world.ts";

export const settings: Settings = { ...defaultSettings, strategies: defaultStrategies };
export const simulations = {
  MostAllocated: reschedulingSimulation({ packing: "MostAllocated" }),
  LeastAllocated: reschedulingSimulation({ packing: "LeastAllocated" }),
};

/** So much memory that only CPU decides: a pod that requests nothing counts as 200Mi. */
const size = { cpu: "1", memory: "1000Gi", pods: "110" };
interface NodeOptions {
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly ready?: "True" | "False";
}
export const node = (name: string, { zone = "a", labels, spec = {}, ready = "True" }: NodeOptions = {}): Node =>
  asStored<Node>({
    kind: "Node",
    metadata: {
      name,
      labels: { "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone, ...labels },
    },
    spec,
    status: { allocatable: size, capacity: size, conditions: [{ type: "Ready", status: ready }] },
  });

export interface PodOptions {
  readonly cpu?: number;
  readonly owner?: string | null;
  readonly ownerName?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ageSeconds?: number;
  readonly spec?: object;
  readonly status?: object;
}
export function pod(name: string, on: string | undefined, options: PodOptions = {}): Pod {
  const { cpu = 100, owner = "ReplicaSet", ownerName = "web", namespace = "default", ageSeconds = 60 } = options;
  const reference = { apiVersion: "apps/v1", kind: owner, name: ownerName, uid: `uid-${ownerName}`, controller: true };
  return asStored<Pod>({
    kind: "Pod",
    metadata: {
      ...{ name, namespace, labels: { app: ownerName, ...options.labels }, annotations: options.annotations },
      creationTimestamp: ago(ageSeconds),
      ...(owner !== null && { ownerReferences: [reference] }),
    },
    spec: { containers: [{ name: "c", resources: { requests: { cpu: `${cpu}m` } } }], nodeName: on, ...options.spec },
    status:
      on === undefined ? {} : { phase: "Running", conditions: [{ type: "Ready", status: "True" }], ...options.status },
  });
}
export const budget = (name: string, app: string, disruptionsAllowed: number): PodDisruptionBudget =>
  asStored<PodDisruptionBudget>({
    kind: "PodDisruptionBudget",
    metadata: { name, namespace: "default" },
    spec: { selector: { matchLabels: { app } } },
    status: { disruptionsAllowed, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  });

export const cluster = (
  nodes: readonly Node[],
  pods: readonly Pod[],
  budgets: readonly PodDisruptionBudget[] = [],
): Cluster => ({ nodes, pods, budgets, objectsOf: () => [] });

export const situation = (
  of: Cluster,
  more: Partial<Settings> = {},
  packing: Packing = "MostAllocated",
): Situation => ({
  cluster: of,
  simulation: simulations[packing],
  settings: { ...settings, ...more },
  ...{ now, done: [], refused: new Set<string>() },
});

let born = 0;
/**
 * The cluster after an eviction: the pod's controller replaces it, while it is there or once it is gone, and the
 * scheduler places the new pod.
 */
export function afterMove(before: Cluster, { pod: old }: Move, packing: Packing = "MostAllocated"): Cluster {
  const isReplacedLater = old.metadata.ownerReferences?.[0]?.kind === "StatefulSet";
  const name = isReplacedLater ? old.metadata.name : `${old.metadata.name.split("~")[0]}~${++born}`;
  const created = { ...replacementOf(old), metadata: { ...old.metadata, name, uid: `born-${++born}` } };
  const others = before.pods.filter((p) => p !== old);
  const leaving = { ...old, metadata: { ...old.metadata, deletionTimestamp: timestamp(now) } };
  const trial = simulations[packing].begin(before);
  for (const p of isReplacedLater ? others : [...others, leaving]) trial.add(p);
  const placement = trial.place(created);
  if ("obstacle" in placement) throw new Error(`${keyOf(created)} has no node: ${placement.obstacle}`);
  const { nodeName } = placement;
  const bound = { ...created, spec: { ...created.spec, nodeName }, status: old.status } as Pod;
  return { ...before, pods: [...others, bound] };
}
