// One pod group from the queue: all its pods that wait are decided together, and bound together or not at all. Source:
// KEP-4671.
import type { Pod, PodGroup } from "../../api/generated/types.ts";
import { type Key, keyOf } from "../../api/meta.ts";
import { quoted } from "../../api/quote.ts";
import { podGroupKeyOf, podGroups } from "../../api/scheduling/podgroups.ts";
import type { Binder } from "../binding.ts";
import type { PodDecider } from "../decider.ts";
import type { QueuedPod } from "../framework.ts";
import type { PodInfo } from "../node-info.ts";
import { gangSchedulingName } from "../plugins/gang-scheduling.ts";
import { type CyclePorts, isPending } from "../ports.ts";
import type { Preemption as Preempting } from "../preempting.ts";
import type { Profile } from "../profiles.ts";
import { explained } from "../report.ts";
import { assumptions, type Assumptions } from "./assumptions.ts";
import { outcomeWriter } from "./conditions.ts";
import { type GroupDecision, isAssumed, type MemberDecision, placeGroup, type Quorum } from "./place-group.ts";
import { type Attempt, groupPreemption, type Preemption } from "./preemption.ts";
import { belowQuorum, type Expectation, rejections, unschedulableGroup } from "./rejections.ts";

/** Whether the pod is decided with others. */
export const isGrouped = ({ spec }: Pod, { plugins }: Profile): boolean =>
  spec.schedulingGroup !== undefined && plugins.some(({ name }) => name === gangSchedulingName);

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

/** The decisions about single pods, with the pods that are preempted for all of them. */
function record(
  decider: PodDecider,
  { profile, group }: Attempt,
  { isScheduled, members }: GroupDecision,
  victims: readonly PodInfo[],
): void {
  const preempted = victims.map((victim) => victim.key).join(", ");
  const actions = preempted ? [`preempt ${preempted} for ${keyOf(group)}`] : [];
  for (const member of members) {
    const isInVain = isAssumed(member) && !isScheduled;
    const explanation = () => ({
      ...(isInVain ? { because: [belowQuorum], actions: [] } : explained(member.placement)),
      ...(!isScheduled && { actions }),
    });
    const { placement } = member;
    decider.record(keyOf(member.pod), profile, { placement, explanation, ...(isInVain && { inVain: belowQuorum }) });
  }
}

/** What decides and carries out. */
interface Stages {
  readonly decider: PodDecider;
  readonly binder: Binder;
  readonly preempt: (preemption: Preempting) => void;
}

const withReason = (message: string, preemption: Preemption): string =>
  preemption !== "waiting" && "reason" in preemption ? `${message}, ${preemption.reason}` : message;

/** What the search for room means for a pod. */
function expectationOf({ pod }: MemberDecision, preemption: Preemption): Expectation {
  if (preemption === "waiting") return "kept";
  const nodeName = "victims" in preemption ? preemption.nodeNames.get(keyOf(pod)) : undefined;
  return nodeName === undefined ? "none" : { nodeName };
}

/** Decides a group; what it returns settles when its outcome is written. */
export function groupCycle(
  ports: CyclePorts,
  { decider, binder, preempt }: Stages,
  signal: AbortSignal,
): (first: QueuedPod, pod: Pod) => Promise<void> {
  const { views, client, world, profileOf } = ports;
  const writeOutcome = outcomeWriter(client, world, signal);
  const { member: reject, fail } = rejections(ports);

  const bindAll = async (attempt: Attempt, decision: GroupDecision, assumed: Assumptions): Promise<void> => {
    record(decider, attempt, decision, []);
    assumed.bind();
    const rest = decision.members.filter((member) => !isAssumed(member));
    const outcome = writeOutcome(attempt.group, { reason: "Scheduled", message: "" });
    await Promise.all([...rest.map((member) => reject(member, "kept")), outcome]);
  };
  const rejectAll = async (attempt: Attempt, decision: GroupDecision, preemption: Preemption): Promise<void> => {
    const { group, profile, pods } = attempt;
    const plan = preemption !== "waiting" && "victims" in preemption ? preemption : undefined;
    record(decider, attempt, decision, plan?.victims ?? []);
    if (plan)
      preempt({
        preemptor: { type: "podgroup", uid: group.metadata.uid, priority: group.spec.priority ?? 0 },
        expected: pods.map((pod) => [pod, plan.nodeNames.get(keyOf(pod))]),
        ...{ place: "cluster", victims: plan.victims, profile: profile.name, events: profile.events },
      });
    const outcome = { reason: "Unschedulable", message: withReason(unschedulableGroup, preemption) } as const;
    const rejected = decision.members.map((member) => reject(member, expectationOf(member, preemption)));
    await Promise.all([...rejected, writeOutcome(group, outcome)]);
  };

  const decide = async (attempt: Attempt): Promise<void> => {
    const { group, profile, pods, quorum } = attempt;
    const assumed = assumptions(ports, decider, binder, profile);
    try {
      const decision = await placeGroup(pods, quorum, assumed.trial);
      if (decision.isScheduled) return await bindAll(attempt, decision, assumed);
      assumed.undo(); // All of them.
      const newTrial = (): Assumptions => assumptions(ports, decider, binder, profile);
      await rejectAll(attempt, decision, await groupPreemption(ports, attempt, newTrial));
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
    else await decide({ group, profile, pods, quorum: quorumOf(group, key, ports) });
  };
}
