// Room on the node: what pods request must fit in what the node can give.
import type { Node, Pod } from "../../api/generated/types.ts";
import { amountsOf, effectiveRequests, podRequests } from "../../api/core/pod/status.ts";
import { type Change, type Rejection, type SchedulerPlugin, unschedulable } from "../framework.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";
import { type AmountsOn, balancing, type ScoringStrategy, scoringBy } from "./resource-scores.ts";

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

/** Gives a node with these amounts requested a score from 0 to 100. */
export const resourcesFit = (strategy: ScoringStrategy): SchedulerPlugin<readonly ResourceRequest[], AmountsOn> => ({
  name: "NodeResourcesFit",
  events: [
    { resource: "AssignedPod", actions: ["Delete"] },
    { resource: "AssignedPod", actions: ["UpdatePodScaleDown"], isSchedulableAfter: requestsLess },
    { resource: "TargetPod", actions: ["UpdatePodScaleDown"] },
    { resource: "Node", actions: ["Add", "UpdateNodeAllocatable"], isSchedulableAfter: growsEnough },
  ],
  sign: signature,
  preFilter: ({ pod }) => ({ state: requestsOf(pod) }),
  filter: (requests, node) =>
    hasAmounts(requests, node) ? (isFull(node) ? tooManyPods : undefined) : shortage(requests, node),
  ...scoringBy(strategy),
});

/** Prefers nodes whose resources are used in equal parts, so that none is left over when another runs out. */
export const balancedAllocation: SchedulerPlugin<never, AmountsOn> = {
  name: "NodeResourcesBalancedAllocation",
  events: [],
  sign: signature,
  ...balancing,
};
