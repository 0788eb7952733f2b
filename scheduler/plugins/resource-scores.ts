// How full nodes should be packed: scores of a node by what would be requested of it. Source: kube-scheduler's
// NodeResourcesFit and NodeResourcesBalancedAllocation arguments.
import type { DeviceTotals } from "../devices/totals.ts";
import { skip, type SchedulerPlugin } from "../framework.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";

/** Pack nodes, so that others stay free and can be removed, or balance their load. */
export type Packing = "MostAllocated" | "LeastAllocated";

export interface WeightedResource {
  readonly name: string;
  readonly weight: number;
}
/** A score from 0 to 10 for a usage in percent. */
export interface ShapePoint {
  readonly utilization: number;
  readonly score: number;
}
export interface ScoringStrategy {
  readonly type: Packing | "RequestedToCapacityRatio";
  /** CPU and memory by default, with equal weights. */
  readonly resources?: readonly WeightedResource[];
  /** Of RequestedToCapacityRatio; between two points the score is proportional. */
  readonly shape?: readonly ShapePoint[];
}

/** Processors and memory in equal parts. */
export const defaultResources: readonly WeightedResource[] = [
  { name: "cpu", weight: 1 },
  { name: "memory", weight: 1 },
];

type PodRequests = Pick<PodInfo, "requests" | "nonZeroRequests">;
/** What a node would have requested with the pod, by resource; and its prepared part, what the pod requests. */
export interface AmountsOn {
  readonly pod: PodRequests;
  readonly resources: readonly WeightedResource[];
  /** By resource and node name: devices that stand for what nodes do not have themselves. */
  readonly devices?: Readonly<Record<string, Readonly<Record<string, DeviceTotals>>>>;
}

/** A pod that does not request an extended resource is not scored by it. */
const scoredFor = (resources: readonly WeightedResource[], pod: PodInfo): AmountsOn => ({
  pod: { requests: pod.requests, nonZeroRequests: pod.nonZeroRequests },
  resources: resources.filter(({ name }) => name === "cpu" || name === "memory" || pod.requests[name] !== undefined),
});

/** What a node has of a resource, itself or as devices. */
const totalOf = (name: string, node: NodeInfo, { devices }: AmountsOn): number =>
  node.allocatable[name] || (devices?.[name]?.[node.name]?.[0] ?? 0);
/** What is in use of that. */
const requestedOf = (name: string, node: NodeInfo, { devices }: AmountsOn): number =>
  (node.allocatable[name] ? undefined : devices?.[name]?.[node.name]?.[1]) ?? node.requested[name] ?? 0;

/** Containers that request nothing count as if they used a little. */
const usedOn = (name: string, node: NodeInfo, state: AmountsOn): number =>
  name === "cpu" || name === "memory"
    ? node.nonZeroRequested[name] + state.pod.nonZeroRequests[name]
    : requestedOf(name, node, state) + (state.pod.requests[name] ?? 0);

const percentUsed = (used: number, total: number): number => Math.trunc((100 * Math.min(used, total)) / total);
const percentFree = (used: number, total: number): number => Math.trunc((100 * Math.max(0, total - used)) / total);
function onShape(shape: readonly ShapePoint[], used: number, total: number): number {
  const percent = used > total ? 100 : Math.trunc((100 * used) / total);
  const next = shape.findIndex(({ utilization }) => percent <= utilization);
  if (next <= 0) return 10 * (next === 0 ? shape[0]! : shape.at(-1)!).score;
  const [a, b] = [shape[next - 1]!, shape[next]!];
  return (
    10 * a.score + Math.trunc((10 * (b.score - a.score) * (percent - a.utilization)) / (b.utilization - a.utilization))
  );
}

/** PreScore and Score of a strategy. */
export function scoringBy({ type, resources = defaultResources, shape = [] }: ScoringStrategy) {
  const isRatio = type === "RequestedToCapacityRatio";
  const scoreOf = isRatio
    ? (used: number, total: number): number => onShape(shape, used, total)
    : type === "MostAllocated"
      ? percentUsed
      : percentFree;
  return {
    preScore: (pod: PodInfo) => scoredFor(resources, pod),
    score(state: AmountsOn, node: NodeInfo): number {
      let [sum, weights] = [0, 0];
      for (const { name, weight } of state.resources) {
        const total = totalOf(name, node, state);
        if (total === 0) continue;
        const score = scoreOf(usedOn(name, node, state), total);
        if (isRatio && score === 0) continue;
        sum += score * weight;
        weights += weight;
      }
      return weights === 0 ? 0 : isRatio ? Math.round(sum / weights) : Math.trunc(sum / weights);
    },
  } satisfies Partial<SchedulerPlugin<never, AmountsOn>>;
}

/** The standard deviation of the fractions in use. */
function deviation(fractions: readonly number[]): number {
  const mean = fractions.reduce((a, b) => a + b, 0) / fractions.length;
  return Math.sqrt(fractions.reduce((sum, fraction) => sum + (fraction - mean) ** 2, 0) / fractions.length);
}

/** 100 when resources are used in equal parts, at least 50. */
function balanceOf(state: AmountsOn, used: (name: string) => number, node: NodeInfo): number {
  const fractions: number[] = [];
  for (const { name } of state.resources) {
    const total = totalOf(name, node, state);
    if (total > 0) fractions.push(Math.min(1, used(name) / total));
  }
  if (fractions.length < 2) return 100;
  const spread = fractions.length === 2 ? Math.abs((fractions[0]! - fractions[1]!) / 2) : deviation(fractions);
  return Math.trunc((1 - spread) * 100);
}

/**
 * PreScore and Score by how the pod changes the balance of resources: 75 when it stays as it is, at most 100 when it
 * becomes better. A pod that requests nothing is not scored.
 */
export const balancing = (all: readonly WeightedResource[]) =>
  ({
    preScore: (pod: PodInfo) => (all.every(({ name }) => (pod.requests[name] ?? 0) === 0) ? skip : scoredFor(all, pod)),
    score(state: AmountsOn, node: NodeInfo): number {
      const before = (name: string): number => requestedOf(name, node, state);
      const after = (name: string): number => before(name) + (state.pod.requests[name] ?? 0);
      return 50 + Math.trunc((50 + balanceOf(state, after, node) - balanceOf(state, before, node)) / 2);
    },
  }) satisfies Partial<SchedulerPlugin<never, AmountsOn>>;
