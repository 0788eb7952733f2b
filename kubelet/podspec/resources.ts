// Requests and limits in the engine's units, and the cgroup of a pod. Pure.
import type { Container, Pod } from "../../api/generated/types.ts";
import { qosClass } from "../../api/core/pod/status.ts";
import { milliOf, unitsOf } from "../../api/quantity.ts";
import type { ResourceLimits } from "../runtime.ts";

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
