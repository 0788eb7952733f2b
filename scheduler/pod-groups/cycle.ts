// One pod group from the queue: all its pods that wait are decided together, and bound together or not at all. Source:
// KEP-4671.
import type { Pod, PodGroup } from "../../api/generated/types.ts";
import { type Key, keyOf } from "../../api/meta.ts";
import { quoted } from "../../api/quote.ts";
import { podGroupKeyOf, podGroups } from "../../api/scheduling/podgroups.ts";
import type { Binder } from "../binding.ts";
import type { PodDecider } from "../decider.ts";
import type { QueuedPod } from "../framework.ts";
import { gangSchedulingName } from "../plugins/gang-scheduling.ts";
import { type CyclePorts, isPending } from "../ports.ts";
import type { Profile } from "../profiles.ts";
import { explained } from "../report.ts";
import { assumptions, type Assumptions } from "./assumptions.ts";
import { type GroupOutcome, outcomeWriter } from "./conditions.ts";
import { type GroupDecision, isAssumed, placeGroup, type Quorum } from "./place-group.ts";
import { belowQuorum, rejections, unschedulableGroup } from "./rejections.ts";

/** Whether the pod is decided with others. */
export const isGrouped = ({ spec }: Pod, { plugins }: Profile): boolean =>
  spec.schedulingGroup !== undefined && plugins.some(({ name }) => name === gangSchedulingName);

/** The pods of a group that are decided together. */
interface Attempt {
  readonly group: PodGroup;
  readonly profile: Profile;
  readonly pods: readonly Pod[];
}

/** Higher priority first, then whichever was first decided earlier. */
const byRank = (a: QueuedPod, b: QueuedPod): number =>
  (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0) || (a.firstAttempt ?? 0) - (b.firstAttempt ?? 0);

/** All pods of the group that wait, as the view shows them. */
function waitingWith({ view, queue, cache }: CyclePorts, first: QueuedPod, group: Key): readonly Pod[] {
  const mates = [...cache.membersOf(group).keys()].filter((key) => key !== first.key && !cache.hasNode(key));
  return [first, ...queue.takeAlong(mates)]
    .toSorted(byRank)
    .flatMap(({ key }) => view.lister.get(key) ?? [])
    .filter((pod) => isPending(pod) && !cache.isAssumed(pod));
}
const quorumOf = ({ spec }: PodGroup, group: Key, { cache }: CyclePorts): Quorum => ({
  minCount: spec.schedulingPolicy.gang?.minCount ?? 0,
  scheduled: [...cache.membersOf(group).keys()].filter(cache.hasNode).length,
});

function record(decider: PodDecider, profile: Profile, { isScheduled, members }: GroupDecision): void {
  for (const member of members) {
    const isInVain = isAssumed(member) && !isScheduled;
    const explanation = isInVain ? { because: [belowQuorum], actions: [] } : explained(member.placement);
    decider.record(keyOf(member.pod), profile, explanation);
  }
}

/** Decides a group; what it returns settles when its outcome is written. */
export function groupCycle(
  ports: CyclePorts,
  decider: PodDecider,
  binder: Binder,
  signal: AbortSignal,
): (first: QueuedPod, pod: Pod) => Promise<void> {
  const { views, client, world, profileOf } = ports;
  const writeOutcome = outcomeWriter(client, world, signal);
  const { member: reject, fail } = rejections(ports);

  const settle = async (attempt: Attempt, decision: GroupDecision, assumed: Assumptions): Promise<void> => {
    const { isScheduled, members } = decision;
    record(decider, attempt.profile, decision);
    if (isScheduled) assumed.bind();
    else assumed.undo();
    const outcome: GroupOutcome = isScheduled
      ? { reason: "Scheduled", message: "" }
      : { reason: "Unschedulable", message: unschedulableGroup };
    const rejected = members.filter((member) => !(isScheduled && isAssumed(member)));
    await Promise.all([...rejected.map(reject), writeOutcome(attempt.group, outcome)]);
  };

  const decide = async (attempt: Attempt): Promise<void> => {
    const { group, profile, pods } = attempt;
    const assumed = assumptions(ports, decider, binder, profile);
    try {
      await settle(attempt, await placeGroup(pods, quorumOf(group, keyOf(group), ports), assumed.trial), assumed);
    } catch (e) {
      assumed.undo();
      if (signal.aborted) throw e;
      const { message } = e as Error;
      world.log("scheduling failed", { podGroup: keyOf(group), error: message });
      const forOthers = `failed to schedule other pod from a pod group: ${message}`;
      await fail(pods, (pod) => (pod === assumed.latest() ? message : forOthers));
      await writeOutcome(group, { reason: "SchedulerError", message: forOthers });
    }
  };

  return async (first, pod) => {
    const key = podGroupKeyOf(pod)!;
    const pods = waitingWith(ports, first, key);
    const profiles = new Map(pods.flatMap((one) => profileOf(one) ?? []).map((profile) => [profile.name, profile]));
    const [profile, other] = profiles.values();
    const group = views.lister(podGroups).get(key);
    const { podGroupName } = pod.spec.schedulingGroup!;
    if (!profile) return;
    if (other) {
      const names = `${quoted(profile.name)} and ${quoted(other.name)}`;
      const rule = "all pods in a single pod group should have the same .spec.schedulerName set";
      await fail(pods, () => `${rule}, got: ${names}`);
    } else if (!group)
      await fail(pods, () => `failed to get podGroup ${key}: podgroup.scheduling.k8s.io "${podGroupName}" not found`);
    else await decide({ group, profile, pods });
  };
}
