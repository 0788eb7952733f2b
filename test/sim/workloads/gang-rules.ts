// What must be true of pod groups: no pod of a gang is bound unless enough of them are, or are about to be, and no gang
// waits that fits.
import { conditionOf, isTerminal } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Pod } from "../../../api/generated/types.ts";
import { type Key, keyOf } from "../../../api/meta.ts";
import { podGroupKeyOf, podGroups } from "../../../api/scheduling/podgroups.ts";
import type { Committed, Rule, SchedulingDecision } from "../judge.ts";
import { committedState, fits, nominationRule, without } from "./placement-rules.ts";
import { priorityOf, schedulerViews, type SchedulerViews, type State } from "./scheduler-views.ts";

export interface ExpectedGroup {
  /** Zero for one whose pods are scheduled each on its own. */
  readonly minCount: number;
  readonly priority: number;
  /** All its pods are preempted together. */
  readonly leavesAsOne: boolean;
}
type Groups = ReadonlyMap<Key, ExpectedGroup>;

/** The last decision that was made together with this one. */
function endOf(position: number, decisions: readonly SchedulingDecision[]): number {
  const { at } = decisions[position]!;
  return position + decisions.slice(position).findLastIndex((decision) => decision.at === at);
}

/** Pods of a gang that had a node when this decision was carried out: in the scheduler's view, or by a decision. */
function countAt(position: number, group: Key, decisions: readonly SchedulingDecision[], views: SchedulerViews) {
  const until = decisions.slice(0, endOf(position, decisions) + 1);
  return views.podsAt(decisions[position]!).filter((pod) => {
    if (podGroupKeyOf(pod) !== group || isTerminal(pod)) return false;
    if (pod.spec.nodeName !== undefined) return true;
    return until.findLast(({ key }) => key === keyOf(pod))?.binds !== undefined;
  }).length;
}

const wholeGangs = (views: SchedulerViews, groups: Groups): Rule<Pod> => ({
  name: "gang bound in part",
  kind: pods,
  broken(after, before, { decisions }) {
    const nodeName = after?.spec.nodeName;
    if (!after || nodeName === undefined || before?.spec.nodeName !== undefined) return undefined;
    const group = podGroupKeyOf(after);
    if (group === undefined) return undefined;
    const position = decisions.findLastIndex(({ key, binds }) => key === keyOf(after) && binds === nodeName);
    if (position < 0) return `${keyOf(after)} without a decision`;
    const count = countAt(position, group, decisions, views);
    const minCount = groups.get(group)?.minCount ?? 0;
    return count < minCount ? `${keyOf(after)} as one of ${count} instead of ${minCount}` : undefined;
  },
});

/** How many of these pods find a node, one beside the other. Exact for pods that are equal. */
function placeable(waiting: readonly Pod[], all: State): number {
  let state = all;
  let count = 0;
  for (const pod of waiting) {
    const found = state.find(({ node }) => fits(pod, node.metadata.name, state));
    if (!found) continue;
    count++;
    state = state.map((on) => (on === found ? { ...on, pods: [...on.pods, pod] } : on));
  }
  return count;
}

const isWaiting = ({ spec, metadata, status }: Pod): boolean =>
  spec.nodeName === undefined && metadata.deletionTimestamp === undefined && status?.phase !== "Failed";
const isPreempted = (pod: Pod | undefined): boolean =>
  conditionOf(pod?.status?.conditions, "DisruptionTarget")?.reason === "PreemptionByScheduler";

/** Pods are preempted for a more important group, which would not fit if this one stayed. */
const preemption = (views: SchedulerViews, groups: Groups): Rule<Pod> => ({
  name: "preempted for a group without need",
  kind: pods,
  broken(after, before, committed) {
    if (!after || !before || !isPreempted(after) || isPreempted(before)) return undefined;
    const isOf = ({ preemptsFor }: SchedulingDecision): boolean => preemptsFor?.victims.includes(keyOf(after)) === true;
    const seen = views.find(committed, isOf, { withNominated: true });
    const { group: name, victims } = seen?.decision.preemptsFor ?? { group: "", victims: [] };
    const group = groups.get(name as Key);
    if (!seen || !group) return `${keyOf(after)} for no group`;
    const ownGroup = podGroupKeyOf(after);
    const own = ownGroup === undefined ? undefined : groups.get(ownGroup);
    const priority = own?.leavesAsOne ? own.priority : priorityOf(after);
    if (priority >= group.priority) return `${keyOf(after)} of priority ${priority} for ${name}`;
    const staysToo = (pod: Pod): boolean =>
      keyOf(pod) === keyOf(after) || (own?.leavesAsOne === true && podGroupKeyOf(pod) === ownGroup);
    const members = views.podsAt(seen.decision).filter((pod) => podGroupKeyOf(pod) === name && !isTerminal(pod));
    const fitsBeside = seen.states.every((all) => {
      // Some that the view showed waiting may have been on their way to a node.
      const placed = new Set(all.flatMap((on) => on.pods.map(keyOf)));
      const waiting = members.filter((pod) => isWaiting(pod) && !placed.has(keyOf(pod)));
      const needed = Math.max(1, group.minCount - (members.length - waiting.length));
      const left = without(all, (pod) => victims.includes(keyOf(pod)) && !staysToo(pod));
      return placeable(waiting, left) >= needed;
    });
    return seen.states.length > 0 && fitsBeside ? `${keyOf(after)} could stay beside ${name}` : undefined;
  },
});

/** The rules of one life. */
export function gangRules(groups: Groups): readonly Rule[] {
  const views = schedulerViews();
  return [...views.rules, wholeGangs(views, groups), nominationRule(views), preemption(views, groups)];
}

/** Gangs that wait though enough of their pods fit, at once or when less important pods have left. */
export function idleGangs(committed: Committed): readonly string[] {
  const all = committedState(committed);
  const members = committed.all(pods).filter((pod) => !isTerminal(pod) && podGroupKeyOf(pod) !== undefined);
  const byGroup = Map.groupBy(members, (pod) => podGroupKeyOf(pod)!);
  return committed.all(podGroups).flatMap((group) => {
    const own = byGroup.get(keyOf(group)) ?? [];
    const waiting = own.filter(isWaiting);
    const scheduled = own.filter(({ spec }) => spec.nodeName !== undefined).length;
    const needed = Math.max(1, (group.spec.schedulingPolicy.gang?.minCount ?? 0) - scheduled);
    const count = placeable(waiting, all);
    if (count >= needed) return [`${keyOf(group)} waits, though ${count} pods fit beside ${scheduled}`];
    // Pods beyond those that are needed preempt when something has them decided again, as in Kubernetes.
    if (scheduled > 0 && scheduled >= (group.spec.schedulingPolicy.gang?.minCount ?? 0)) return [];
    const isLesser = (pod: Pod): boolean => priorityOf(pod) < (group.spec.priority ?? 0);
    return placeable(waiting, without(all, isLesser)) >= needed ? [`${keyOf(group)} waits, and could preempt`] : [];
  });
}
