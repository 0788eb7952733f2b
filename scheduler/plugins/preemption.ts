// PostFilter for a pod that fits no node. Nothing is evicted yet: the plugin returns Kubernetes' message about
// preemption.
import { histogram } from "../diagnosis.ts";
import type { FilterOutcome, SchedulerPlugin, Rejection, Snapshot } from "../framework.ts";

/**
 * No claim for devices is allocated, so none can be given back. When another plugin's PreFilter rejects the pod,
 * kube-scheduler's plugin fails because its own has not run, and preemption is not tried.
 */
export const dynamicResources: SchedulerPlugin = {
  name: "DynamicResources",
  events: [],
  postFilter: (_, { rejectedBy }) =>
    rejectedBy ? { message: "not found", isLast: true } : { message: "no new claims to deallocate" },
};

const verdict = ({ code }: Rejection): string =>
  code === "Unschedulable"
    ? "No preemption victims found for incoming pod"
    : "Preemption is not helpful for scheduling";

function victimMessage({ nodeStatuses, absentNodes }: FilterOutcome, { nodes }: Snapshot): string {
  const others = nodes.length - nodeStatuses.length;
  const verdicts = histogram([
    ...nodeStatuses.map(({ status }) => [verdict(status), 1] as const),
    ...(others > 0 && absentNodes ? [[verdict(absentNodes), others] as const] : []),
  ]);
  return `0/${nodes.length} nodes are available: ${verdicts}.`;
}

export const defaultPreemption: SchedulerPlugin = {
  name: "DefaultPreemption",
  events: [],
  postFilter: ({ pod }, outcome, snapshot) => ({
    message: `preemption: ${
      pod.spec.preemptionPolicy === "Never"
        ? "not eligible due to preemptionPolicy=Never."
        : victimMessage(outcome, snapshot)
    }`,
  }),
};
