// Which pods enter the queue, and in which order they leave it.
import { unresolvable, type SchedulerPlugin } from "../framework.ts";

/** A pod with scheduling gates waits until the last of them is removed (KEP-3521). */
export const schedulingGates: SchedulerPlugin = {
  name: "SchedulingGates",
  events: [{ resource: "TargetPod", actions: ["UpdatePodSchedulingGatesEliminated"] }],
  preEnqueue({ spec }) {
    const gates = spec.schedulingGates ?? [];
    return gates.length === 0
      ? undefined
      : unresolvable(`waiting for scheduling gates: [${gates.map((g) => g.name).join(" ")}]`);
  },
};

/** Higher priority first, then whichever has waited longer. */
export const prioritySort: SchedulerPlugin = {
  name: "PrioritySort",
  queueSort: (a, b) => (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0) || a.timestamp - b.timestamp,
};
