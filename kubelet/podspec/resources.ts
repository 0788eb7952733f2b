// Requests and limits in the engine's terms, and the cgroup a pod lives in. Pure.
import type { Container, Pod } from "../../api/generated/types.ts";
import { qosClass } from "../../api/core/pod/status.ts";
import { milliOf, unitsOf } from "../../api/quantity.ts";
import type { ResourceLimits } from "../runtime.ts";

const leastShares = 2;
const mostShares = 262_144;
/** The kernel deals out no less. */
const leastCpuMillis = 10;

/**
 * A request of one core is 1024 shares; who asks for nothing still gets a crumb. A limit alone counts as the request
 * too.
 */
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

/** Where the pod's containers are accounted together, laid out as Kubernetes lays it out. */
export function cgroupParentOf(pod: Pod): string {
  const quality = pod.status?.qosClass ?? qosClass(pod.spec);
  const folder = quality === "Guaranteed" ? "" : `/${quality.toLowerCase()}`;
  return `/kubepods${folder}/pod${pod.metadata.uid}`;
}
