// Requests and limits in the engine's units, the cgroup of a pod, and in-place resize of containers (KEP-1287):
// allocated resources, those of the spec, and how to get there. Pure.
import type { Container, Pod, ResourceRequirements } from "../../api/generated/types.ts";
import { qosClass } from "../../api/core/pod/status.ts";
import { milliOf, unitsOf } from "../../api/quantity.ts";
import type { ResourceLimits, RuntimeContainer } from "../runtime.ts";
import { sameJson } from "../../api/hash.ts";
import { containerStatusesOf } from "./containers.ts";

const leastShares = 2;
const mostShares = 262_144;
/** The smallest CPU quota of the kernel. */
const leastCpuMillis = 10;

/** One core is 1024 shares, and the minimum is two. A limit without a request counts as the request. */
export function limitsOf(c: Container): ResourceLimits {
  const { requests, limits } = c.resources ?? {};
  const requested = milliOf(requests?.cpu ?? limits?.cpu);
  const cpuMillis = milliOf(limits?.cpu);
  const memoryBytes = unitsOf(limits?.memory);
  return {
    cpuShares: Math.min(mostShares, Math.max(leastShares, Math.floor((requested * 1_024) / 1_000))),
    ...(cpuMillis > 0 ? { cpuMillis: Math.max(leastCpuMillis, cpuMillis) } : {}),
    ...(memoryBytes > 0 ? { memoryBytes } : {}),
  };
}

/** The parent cgroup of the pod's containers, named as by Kubernetes' cgroupfs driver. */
export function cgroupParentOf(pod: Pod): string {
  const quality = pod.status?.qosClass ?? qosClass(pod.spec);
  const folder = quality === "Guaranteed" ? "" : `/${quality.toLowerCase()}`;
  return `/kubepods${folder}/pod${pod.metadata.uid}`;
}

/** Why a resize is pending. */
export interface PendingResize {
  readonly reason: "Deferred" | "Infeasible";
  readonly message: string;
}

/** The requests and limits of the spec, as a status shows them. */
export const amountsOf = ({ resources }: Container): ResourceRequirements => {
  const { requests, limits } = resources ?? {};
  return { ...(requests && { requests }), ...(limits && { limits }) };
};

/** The resources that the status shows as given to a container. */
const allocatedTo = (pod: Pod, { name }: Container): ResourceRequirements | undefined =>
  containerStatusesOf(pod).find((s) => s.name === name)?.resources;

/** Whether the spec differs from the given resources. */
export const isResized = (pod: Pod): boolean =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some((c) => {
    const allocated = allocatedTo(pod, c);
    return allocated !== undefined && !sameJson(allocated, amountsOf(c));
  });

/** The pod with the resources that it was given, which count until the node can give those of the spec. */
export function withAllocated(pod: Pod): Pod {
  const content = (c: Container): Container => {
    const allocated = allocatedTo(pod, c);
    const { requests: _, limits: __, ...rest } = c.resources ?? {};
    return allocated ? { ...c, resources: { ...rest, ...allocated } } : c;
  };
  const { containers, initContainers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(content),
      ...(initContainers && { initContainers: initContainers.map(content) }),
    },
  };
}

/** How a run gets the resources of the spec: it has them, in place, or by a restart. */
export function resizeOf(c: Container, { limits: now }: RuntimeContainer): "none" | "inPlace" | "restart" {
  const desired = limitsOf(c);
  const changed = [
    ...(desired.cpuShares !== now.cpuShares || desired.cpuMillis !== now.cpuMillis ? ["cpu"] : []),
    ...(desired.memoryBytes !== now.memoryBytes ? ["memory"] : []),
  ];
  if (changed.length === 0) return "none";
  const restarts = (c.resizePolicy ?? []).some(
    (p) => p.restartPolicy === "RestartContainer" && changed.includes(p.resourceName),
  );
  return restarts ? "restart" : "inPlace";
}
