// Kubelet admission: whether this node accepts a pod that was bound to it. Pure.
import type { Container, Node, Pod, PodSpec } from "../api/generated/types.ts";
import { hostPortsOf, overlap } from "../api/core/pod/host-ports.ts";
import { requiredMatcher } from "../api/core/pod/node-affinity.ts";
import { requiredNodeFeatures } from "../api/core/pod/node-features.ts";
import { amountsOf, podRequests } from "../api/core/pod/status.ts";
import { tolerates } from "../api/core/pod/tolerations.ts";
import { isExtended } from "../api/resource-names.ts";
import type { PendingResize } from "./podspec/resources.ts";

/** Why this node does not run the pod. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

/** The node's properties that admission reads. */
export interface Room {
  readonly labels: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly taints: NonNullable<Node["spec"]["taints"]>;
}

/** A resource of which the node has too little left. */
interface Shortage {
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}
const notEnough = ({ resource, requested, used, capacity }: Shortage): string =>
  `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;

/** The pod without requests for which it has devices: the node does not have these resources itself. */
function withoutDevices({ spec, status }: Pod): PodSpec {
  const mappings = status?.extendedResourceClaimStatus?.requestMappings;
  if (!mappings) return spec;
  const isOwn = (container: string, resource: string): boolean =>
    !mappings.some(({ containerName, resourceName }) => containerName === container && resourceName === resource);
  const own = (c: Container): Container => {
    const requests = Object.entries(c.resources?.requests ?? {}).filter(([resource]) => isOwn(c.name, resource));
    return { ...c, resources: { ...c.resources, requests: Object.fromEntries(requests) } };
  };
  const { initContainers } = spec;
  return {
    ...spec,
    containers: spec.containers.map(own),
    ...(initContainers && { initContainers: initContainers.map(own) }),
  };
}

/** Extended resources that the node does not list are left to whatever provides them, as Kubernetes' kubelet does. */
function shortage(pod: Pod, others: readonly Pod[], { allocatable }: Room): Shortage | undefined {
  const used = others.map((p) => podRequests(p.spec));
  const capacities = amountsOf(allocatable);
  return Object.entries({ pods: 1, ...podRequests(withoutDevices(pod)) })
    .filter(([resource]) => !isExtended(resource) || capacities[resource] !== undefined)
    .map(([resource, requested]) => ({
      resource,
      requested,
      used: resource === "pods" ? others.length : used.reduce((sum, r) => sum + (r[resource] ?? 0), 0),
      capacity: capacities[resource] ?? 0,
    }))
    .find((s) => s.requested > 0 && s.used + s.requested > s.capacity);
}

function resourcesFit(pod: Pod, others: readonly Pod[], room: Room): Rejection | undefined {
  const found = shortage(pod, others, room);
  return found && { reason: `OutOf${found.resource}`, message: notEnough(found) };
}

const portsFit = (pod: Pod, others: readonly Pod[]): Rejection | undefined =>
  overlap(hostPortsOf(pod), others.flatMap(hostPortsOf))
    ? {
        reason: "NodePorts",
        message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
      }
    : undefined;

/** A NoExecute taint without a toleration would evict the pod at once. */
const toleratesTaints = (spec: PodSpec, taints: Room["taints"]): boolean =>
  taints
    .filter((taint) => taint.effect === "NoExecute")
    .every((taint) => (spec.tolerations ?? []).some((t) => tolerates(t, taint)));

const podOs = "linux";
const osLabel = "kubernetes.io/os";

function rejectedOs({ metadata, spec }: Pod): Rejection | undefined {
  const label = metadata.labels?.[osLabel];
  if (label !== undefined && label !== podOs)
    return {
      reason: "PodOSSelectorNodeLabelDoesNotMatch",
      message: `Failed to admit pod as the \`${osLabel}\` label doesn't match node label`,
    };
  if (spec.os !== undefined && spec.os.name !== podOs)
    return { reason: "PodOSNotSupported", message: "Failed to admit pod as the OS field doesn't match node OS" };
  return undefined;
}

/** `others` are the pods that already hold resources of this node. */
export function admission(pod: Pod, others: readonly Pod[], room: Room): Rejection | undefined {
  const os = rejectedOs(pod);
  if (os) return os;
  const features = requiredNodeFeatures(pod.spec);
  // This kubelet has none of those that pods are placed by.
  if (features.length > 0)
    return {
      reason: "PodFeatureUnsupported",
      message: `Pod requires node features that are not available: ${features.join(", ")}`,
    };
  if (requiredMatcher(pod.spec)?.({ name: pod.spec.nodeName ?? "", labels: room.labels }) === false)
    return {
      reason: "NodeAffinity",
      message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    };
  if (!toleratesTaints(pod.spec, room.taints))
    return { reason: "TaintToleration", message: "Predicate TaintToleration failed: node(s) had untolerated taint(s)" };
  return resourcesFit(pod, others, room) ?? portsFit(pod, others);
}

/** Why a resize must wait: the node can never provide it (Infeasible), or not while other pods use it (Deferred). */
export function pendingResize(pod: Pod, others: readonly Pod[], room: Room): PendingResize | undefined {
  const infeasible = shortage(pod, [], room);
  if (infeasible) {
    const { resource, requested, capacity } = infeasible;
    const message = `Node didn't have enough capacity: ${resource}, requested: ${requested}, capacity: ${capacity}`;
    return { reason: "Infeasible", message };
  }
  const deferred = shortage(pod, others, room);
  return deferred && { reason: "Deferred", message: notEnough(deferred) };
}
