// Pods of a group wait for their PodGroup, and those of a gang until there are enough of them. Source: KEP-4671.
import type { Pod, PodGroup } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import { podGroupKeyOf, podGroups } from "../../api/scheduling/podgroups.ts";
import { type Change, type SchedulerPlugin, unresolvable } from "../framework.ts";

const isOfSameGroup = (pod: Pod, { after }: Change<Pod>): boolean =>
  after !== undefined && podGroupKeyOf(after) === podGroupKeyOf(pod);

export const gangSchedulingName = "GangScheduling";
export const gangScheduling: SchedulerPlugin = {
  name: gangSchedulingName,
  reads: [podGroups],
  events: [
    // A new pod without a node that completes a gang takes the others along when it is decided.
    { resource: "AssignedPod", actions: ["Add"], isSchedulableAfter: isOfSameGroup },
    {
      resource: "PodGroup",
      actions: ["Add"],
      isSchedulableAfter: (pod, { after }: Change<PodGroup>) =>
        after !== undefined && keyOf(after) === podGroupKeyOf(pod),
    },
  ],
  preEnqueue(pod, { lister, membersOf }) {
    const group = podGroupKeyOf(pod);
    if (group === undefined) return undefined;
    const policy = lister(podGroups).get(group)?.spec.schedulingPolicy;
    if (!policy) {
      const { podGroupName } = pod.spec.schedulingGroup!;
      return unresolvable(`waiting for pods's pod group "${podGroupName}" to appear in scheduling queue`);
    }
    return membersOf(group).size < (policy.gang?.minCount ?? 0)
      ? unresolvable("waiting for minCount pods from a gang to appear in scheduling queue")
      : undefined;
  },
};
