// What must be true of pod groups: no pod of a gang is bound unless enough of them are, or are about to be, and no gang
// waits that fits.
import { isTerminal } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Pod } from "../../../api/generated/types.ts";
import { type Key, keyOf } from "../../../api/meta.ts";
import { podGroupKeyOf, podGroups } from "../../../api/scheduling/podgroups.ts";
import type { Committed, Rule, SchedulingDecision } from "../judge.ts";
import { committedState, fits } from "./placement-rules.ts";
import { schedulerViews, type SchedulerViews, type State } from "./scheduler-views.ts";

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

const wholeGangs = (views: SchedulerViews, minCounts: ReadonlyMap<Key, number>): Rule<Pod> => ({
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
    const minCount = minCounts.get(group) ?? 0;
    return count < minCount ? `${keyOf(after)} as one of ${count} instead of ${minCount}` : undefined;
  },
});

/** The rules of one life. */
export function gangRules(minCounts: ReadonlyMap<Key, number>): readonly Rule[] {
  const views = schedulerViews();
  return [...views.rules, wholeGangs(views, minCounts)];
}

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

/** Gangs that wait though enough of their pods fit. */
export function idleGangs(committed: Committed): readonly string[] {
  const all = committedState(committed);
  const members = committed.all(pods).filter((pod) => !isTerminal(pod) && podGroupKeyOf(pod) !== undefined);
  const byGroup = Map.groupBy(members, (pod) => podGroupKeyOf(pod)!);
  return committed.all(podGroups).flatMap((group) => {
    const own = byGroup.get(keyOf(group)) ?? [];
    const waiting = own.filter(
      ({ spec, metadata }) => spec.nodeName === undefined && metadata.deletionTimestamp === undefined,
    );
    const count = placeable(waiting, all);
    const scheduled = own.filter(({ spec }) => spec.nodeName !== undefined).length;
    const minCount = group.spec.schedulingPolicy.gang?.minCount ?? 0;
    return count > 0 && scheduled + count >= minCount
      ? [`${keyOf(group)} waits with ${waiting.length} pods, of which ${count} fit beside ${scheduled}`]
      : [];
  });
}
