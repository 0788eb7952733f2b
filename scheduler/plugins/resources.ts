// Room on the node: what pods request must fit in what the node can give.
import type { Node, Pod } from "../../api/generated/types.ts";
import { amountsOf, effectiveRequests, podRequests } from "../../api/core/pod/status.ts";
import type { Remedy } from "../../api/explanation/scheduling.ts";
import { cpuQuantity, memoryQuantity } from "../../api/quantity.ts";
import { isExtended } from "../../api/resource-names.ts";
import { type Change, type Rejection, type SchedulerPlugin, unschedulable } from "../framework.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";
import {
  type AmountsOn,
  balancing,
  defaultResources,
  type ScoringStrategy,
  scoringBy,
  type WeightedResource,
} from "./resource-scores.ts";

interface ResourceRequest {
  readonly resource: string;
  readonly amount: number;
  readonly reason: string;
}
const requestsOf = (pod: Pod): readonly ResourceRequest[] =>
  Object.entries(podRequests(pod.spec))
    .filter(([, amount]) => amount > 0)
    .map(([resource, amount]) => ({ resource, amount, reason: `Insufficient ${resource}` }));

const isFull = ({ pods, allocatable }: NodeInfo): boolean => pods.size + 1 > (allocatable["pods"] ?? 0);
/** What most rejected nodes of a packed cluster lack: one value for all of them. */
const tooManyPods: Rejection = unschedulable("Too many pods");

/** Equal rejections are one value: a large cluster has as many as nodes. */
const rejections = new Map<string, Rejection>();
function rejectionOf(code: Rejection["code"], reasons: readonly string[]): Rejection {
  const id = `${code} ${reasons.join()}`;
  const known = rejections.get(id) ?? { code, reasons };
  // Two values for the same reasons cost time, not correctness.
  if (rejections.size >= 1_000) rejections.clear();
  rejections.set(id, known);
  return known;
}

/** Evicting pods cannot help where the node is too small even when empty. */
function shortage(requests: readonly ResourceRequest[], node: NodeInfo): Rejection {
  const { allocatable, requested } = node;
  const scarce = requests.filter((w) => w.amount > (allocatable[w.resource] ?? 0) - (requested[w.resource] ?? 0));
  const isTooSmall = scarce.some((w) => w.amount > (allocatable[w.resource] ?? 0));
  return rejectionOf(isTooSmall ? "UnschedulableAndUnresolvable" : "Unschedulable", [
    ...(isFull(node) ? ["Too many pods"] : []),
    ...scarce.map((w) => w.reason),
  ]);
}
function hasAmounts(requests: readonly ResourceRequest[], { allocatable, requested }: NodeInfo): boolean {
  for (const { resource, amount } of requests)
    if (amount > (allocatable[resource] ?? 0) - (requested[resource] ?? 0)) return false;
  return true;
}

const amountText = (resource: string, amount: number): string =>
  resource === "cpu"
    ? cpuQuantity(amount)
    : resource === "memory" || resource === "ephemeral-storage"
      ? memoryQuantity(amount)
      : String(amount);

/** How much more of what the node would need; more than it has in all is no part of it. */
function missing(requests: readonly ResourceRequest[], node: NodeInfo): readonly Remedy[] {
  const all = [...requests, { resource: "pods", amount: 1 }];
  return all.flatMap(({ resource, amount }) => {
    const total = node.allocatable[resource] ?? 0;
    const used = resource === "pods" ? node.pods.size : (node.requested[resource] ?? 0);
    const lacks = amount - (total - used);
    if (lacks <= 0) return [];
    if (resource === "pods")
      return [{ change: `room for ${lacks} more pod${lacks > 1 ? "s" : ""}`, effort: lacks / Math.max(1, total) }];
    const text = `${amountText(resource, lacks)} more ${resource}`;
    if (amount <= total) return [{ change: text, effort: lacks / total }];
    return [{ change: `${text} (a larger node: it has ${amountText(resource, total)} in all)`, effort: 10 }];
  });
}

/** Whether the pod fits on the empty node, and the node now has more of a resource that the pod requests. */
function growsEnough(pod: Pod, { before, after }: Change<Node>): boolean {
  const [then, now] = [amountsOf(before?.status?.allocatable), amountsOf(after?.status?.allocatable)];
  const requests = [...requestsOf(pod), { resource: "pods", amount: 1 }];
  if (requests.some(({ resource, amount }) => amount > (now[resource] ?? 0))) return false;
  return before === undefined || requests.some(({ resource }) => (now[resource] ?? 0) > (then[resource] ?? 0));
}
/** Whether the pod now requests less of a resource that the other requests. */
function requestsLess(pod: Pod, { before, after }: Change<Pod>): boolean {
  if (before === undefined || after === undefined) return true;
  const [then, now] = [effectiveRequests(before), effectiveRequests(after)];
  return requestsOf(pod).some(({ resource }) => (now[resource] ?? 0) < (then[resource] ?? 0));
}

const signature = ({ requests, nonZeroRequests }: PodInfo): string => JSON.stringify([requests, nonZeroRequests]);

/** Extended resources that an extender of the scheduler looks after: they are not counted here. */
export interface IgnoredResources {
  readonly names: readonly string[];
  /** The parts of names before the slash. */
  readonly groups: readonly string[];
}
const isIgnored = (name: string, { names, groups }: IgnoredResources): boolean =>
  isExtended(name) && (names.includes(name) || groups.includes(name.slice(0, name.indexOf("/"))));
const nothing: IgnoredResources = { names: [], groups: [] };

/** A pod goes where its requests fit; nodes are scored by the strategy. */
export const resourcesFit = (
  strategy: ScoringStrategy,
  ignored: IgnoredResources = nothing,
): SchedulerPlugin<readonly ResourceRequest[], AmountsOn> => ({
  name: "NodeResourcesFit",
  events: [
    { resource: "AssignedPod", actions: ["Delete"] },
    { resource: "AssignedPod", actions: ["UpdatePodScaleDown"], isSchedulableAfter: requestsLess },
    { resource: "TargetPod", actions: ["UpdatePodScaleDown"] },
    { resource: "Node", actions: ["Add", "UpdateNodeAllocatable"], isSchedulableAfter: growsEnough },
  ],
  sign: signature,
  preFilter: ({ pod }) => ({ state: requestsOf(pod).filter(({ resource }) => !isIgnored(resource, ignored)) }),
  filter: (requests, node) =>
    hasAmounts(requests, node) ? (isFull(node) ? tooManyPods : undefined) : shortage(requests, node),
  remedies: missing,
  ...scoringBy(strategy),
});

/** Prefers nodes whose resources are used in equal parts, so that none is left over when another runs out. */
export const balancedAllocation = (
  resources: readonly WeightedResource[] = defaultResources,
): SchedulerPlugin<never, AmountsOn> => ({
  name: "NodeResourcesBalancedAllocation",
  events: [],
  sign: signature,
  ...balancing(resources),
});
