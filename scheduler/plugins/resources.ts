// Room on the node: what pods request must fit in what the node can give, and how full nodes should be packed.
import { podRequests, type Requests } from "../../api/core/pod/status.ts";
import { fits, podWeight, type NodeView, type SchedulerPlugin, type Verdict } from "../framework.ts";

/** Fill nodes up, so that others stay free (and can be taken away), or keep them equally loaded. */
export type Packing = "MostAllocated" | "LeastAllocated";

function shortage(wanted: Requests, on: NodeView): Verdict {
  const { requested, allocatable, pods } = on;
  const reasons = [
    ...(pods.length + 1 > allocatable.pods ? ["Too many pods"] : []),
    ...(wanted.cpuMillis > 0 && requested.cpuMillis + wanted.cpuMillis > allocatable.cpuMillis
      ? ["Insufficient cpu"]
      : []),
    ...(wanted.memoryBytes > 0 && requested.memoryBytes + wanted.memoryBytes > allocatable.memoryBytes
      ? ["Insufficient memory"]
      : []),
  ];
  return reasons.length === 0 ? fits : { fits: false, reasons, evictable: true };
}

const share = (used: number, total: number): number => (total <= 0 ? 0 : Math.min(1, used / total));

export const resourcesFit = (packing: Packing): SchedulerPlugin => ({
  name: "NodeResourcesFit",
  wakesOn: ["pod-gone", "node-added", "node-changed"],
  prepare: (pod) => {
    const wanted = podRequests(pod.spec);
    const own = podWeight(pod);
    return {
      filter: (on) => shortage(wanted, on),
      score: ({ weight, allocatable }) => {
        const cpu = share(weight.cpuMillis + own.cpuMillis, allocatable.cpuMillis);
        const memory = share(weight.memoryBytes + own.memoryBytes, allocatable.memoryBytes);
        const full = (50 * (cpu + memory)) | 0;
        return packing === "MostAllocated" ? full : 100 - full;
      },
    };
  },
});
