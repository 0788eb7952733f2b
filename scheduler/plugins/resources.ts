// Room on the node: what pods request must fit in what the node can give.
import type { DeviceClass, Node, Pod } from "../../api/generated/types.ts";
import { amountsOf, effectiveRequests, podRequests } from "../../api/core/pod/status.ts";
import type { Remedy } from "../../api/explanation/scheduling.ts";
import { cpuQuantity, memoryQuantity } from "../../api/quantity.ts";
import { deviceClasses } from "../../api/resource/deviceclasses.ts";
import { classPrefix, isDeviceResource } from "../../api/extended-resources.ts";
import { resourceClaims } from "../../api/resource/resourceclaims.ts";
import { resourceSlices } from "../../api/resource/resourceslices.ts";
import { isExtended } from "../../api/resource-names.ts";
import { deviceTotals } from "../devices/totals.ts";
import {
  type Change,
  type QueueingHint,
  type Rejection,
  type SchedulerPlugin,
  skip,
  type Snapshot,
  unschedulable,
} from "../framework.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";
import { providedResources } from "./dynamic-resources/extended-claim.ts";
import { devicesInUse } from "./dynamic-resources/in-flight.ts";
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
  /** A class of devices provides it to nodes that do not have it: DynamicResources decides about these. */
  readonly isProvided?: true;
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

const isScarce = ({ resource, amount, isProvided }: ResourceRequest, { allocatable, requested }: NodeInfo): boolean => {
  const total = allocatable[resource] ?? 0;
  return amount > total - (requested[resource] ?? 0) && !(isProvided && total === 0);
};
/** Evicting pods cannot help where the node is too small even when empty. */
function shortage(requests: readonly ResourceRequest[], node: NodeInfo): Rejection {
  const { allocatable } = node;
  const scarce = requests.filter((request) => isScarce(request, node));
  const isTooSmall = scarce.some((w) => w.amount > (allocatable[w.resource] ?? 0));
  return rejectionOf(isTooSmall ? "UnschedulableAndUnresolvable" : "Unschedulable", [
    ...(isFull(node) ? ["Too many pods"] : []),
    ...scarce.map((w) => w.reason),
  ]);
}
function hasAmounts(requests: readonly ResourceRequest[], node: NodeInfo): boolean {
  for (const request of requests) if (isScarce(request, node)) return false;
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
  const all = [...requests.filter((request) => isScarce(request, node)), { resource: "pods", amount: 1 }];
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

/**
 * Whether the pod fits on the empty node, and the node now has more of a resource that the pod requests. What the node
 * does not have may be devices.
 */
function growsEnough(pod: Pod, { before, after }: Change<Node>): boolean {
  const [then, now] = [amountsOf(before?.status?.allocatable), amountsOf(after?.status?.allocatable)];
  const requests = [...requestsOf(pod), { resource: "pods", amount: 1 }];
  const mayBeDevices = (name: string): boolean => !now[name] && isDeviceResource(name);
  if (requests.some(({ resource, amount }) => amount > (now[resource] ?? 0) && !mayBeDevices(resource))) return false;
  return before === undefined || requests.some(({ resource }) => (now[resource] ?? 0) > (then[resource] ?? 0));
}
/** Whether the pod now requests less of a resource that the other requests. */
function requestsLess(pod: Pod, { before, after }: Change<Pod>): boolean {
  if (before === undefined || after === undefined) return true;
  const [then, now] = [effectiveRequests(before), effectiveRequests(after)];
  return requestsOf(pod).some(({ resource }) => (now[resource] ?? 0) < (then[resource] ?? 0));
}

/** A class now provides a resource that the pod requests. */
function isProvidedNow(pod: Pod, { before, after }: Change<DeviceClass>): boolean {
  if (!after) return false;
  const name = after.spec.extendedResourceName;
  const names = [
    ...(before ? [] : [classPrefix + after.metadata.name]),
    ...(name !== undefined && name !== before?.spec.extendedResourceName ? [name] : []),
  ];
  return requestsOf(pod).some(({ resource }) => names.includes(resource));
}

const noProviders: readonly string[] = [];
/** The resources that devices may provide; of most pods there is none. */
function providedTo(info: PodInfo, lister: Snapshot["lister"]): readonly string[] {
  for (const name in info.requests) if (name.includes("/")) return [...providedResources(info, lister).keys()];
  return noProviders;
}
function signature(info: PodInfo, { lister }: Snapshot): string {
  const provided = providedTo(info, lister);
  return JSON.stringify([info.requests, info.nonZeroRequests, ...provided]);
}

interface Scoring {
  preScore(pod: PodInfo): AmountsOn | typeof skip;
  score(state: AmountsOn, node: NodeInfo): number;
}
/** Counts devices on all nodes where a scored resource may be devices: scores then change with every allocation. */
function withDevices(scoring: Scoring, resources: readonly WeightedResource[] = []) {
  if (!resources.some(({ name }) => isDeviceResource(name))) return scoring;
  return {
    ...scoring,
    scoresByCluster: true,
    preScore(info: PodInfo, _: unknown, { lister, nodes }: Snapshot): AmountsOn | typeof skip {
      const state = scoring.preScore(info);
      if (state === skip) return skip;
      const scored = state.resources.map(({ name }) => name);
      const provided = [...providedResources(info, lister)].filter(([name]) => scored.includes(name));
      if (provided.length === 0) return state;
      const [slices, inUse] = [lister(resourceSlices).all(), devicesInUse(lister)];
      const totals = (name: string, deviceClass: DeviceClass) =>
        nodes
          .filter(({ allocatable }) => !allocatable[name])
          .map(({ node, name: nodeName }) => [nodeName, deviceTotals(deviceClass, slices, node, inUse)] as const);
      const devices = provided.map(([name, found]) => [name, Object.fromEntries(totals(name, found))] as const);
      return { ...state, devices: Object.fromEntries(devices) };
    },
  };
}

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
  reads: [deviceClasses, resourceClaims, resourceSlices],
  events: [
    { resource: "DeviceClass", actions: ["Add", "Update"], isSchedulableAfter: isProvidedNow } as QueueingHint,
    { resource: "AssignedPod", actions: ["Delete"] },
    { resource: "AssignedPod", actions: ["UpdatePodScaleDown"], isSchedulableAfter: requestsLess },
    { resource: "TargetPod", actions: ["UpdatePodScaleDown"] },
    { resource: "Node", actions: ["Add", "UpdateNodeAllocatable"], isSchedulableAfter: growsEnough },
  ],
  sign: signature,
  preFilter(info, { lister }) {
    const provided = providedTo(info, lister);
    const counted = requestsOf(info.pod).filter(({ resource }) => !isIgnored(resource, ignored));
    const state =
      provided.length === 0
        ? counted
        : counted.map((r) => (provided.includes(r.resource) ? { ...r, isProvided: true as const } : r));
    return { state };
  },
  filter: (requests, node) =>
    hasAmounts(requests, node) ? (isFull(node) ? tooManyPods : undefined) : shortage(requests, node),
  remedies: missing,
  ...withDevices(scoringBy(strategy), strategy.resources),
});

/** Prefers nodes whose resources are used in equal parts, so that none is left over when another runs out. */
export const balancedAllocation = (
  resources: readonly WeightedResource[] = defaultResources,
): SchedulerPlugin<never, AmountsOn> => ({
  name: "NodeResourcesBalancedAllocation",
  reads: [deviceClasses, resourceClaims, resourceSlices],
  events: [],
  sign: signature,
  ...withDevices(balancing(resources), resources),
});
