// Where pods may stand: every binding obeys the rules that the pod and the others require, and pods are preempted for
// more important ones alone, and no more of them than that takes.
import { hostPortsOf, overlap } from "../../../api/core/pod/host-ports.ts";
import { labelledNode, requiredMatcher } from "../../../api/core/pod/node-affinity.ts";
import { amountsOf, conditionOf, isTerminal, podRequests } from "../../../api/core/pod/status.ts";
import { tolerates } from "../../../api/core/pod/tolerations.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Pod, Taint } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import { podGroupKeyOf, podGroups } from "../../../api/scheduling/podgroups.ts";
import { affinityRefusal, spreadRefusal } from "../../unit/scheduler/reference-topology.ts";
import type { Occupied } from "../../unit/scheduler/reference.ts";
import type { Committed, Rule } from "../judge.ts";
import { priorityOf, schedulerViews, type SchedulerViews, type SeenDecision, type State } from "./scheduler-views.ts";

const cordoned: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** Why a node will not do for the pod, whatever is on other nodes. */
function nodeRefusal(pod: Pod, { node, pods: others }: Occupied): string | undefined {
  const match = requiredMatcher(pod.spec);
  if (match && !match(labelledNode(node))) return "node affinity";
  const taints = [...(node.spec.taints ?? []), ...(node.spec.unschedulable ? [cordoned] : [])];
  const isTolerated = (taint: Taint): boolean => (pod.spec.tolerations ?? []).some((t) => tolerates(t, taint));
  const taint = taints.find((one) => one.effect !== "PreferNoSchedule" && !isTolerated(one));
  if (taint) return `taint ${taint.key}`;
  if (others.some((other) => overlap(hostPortsOf(pod), hostPortsOf(other)))) return "host port";
  const room = amountsOf(node.status?.allocatable);
  if (others.length >= (room["pods"] ?? 0)) return "number of pods";
  for (const [name, amount] of Object.entries(podRequests(pod.spec))) {
    const used = others.reduce((sum, other) => sum + (podRequests(other.spec)[name] ?? 0), 0);
    if (amount > 0 && used + amount > (room[name] ?? 0)) return name;
  }
  return undefined;
}
const refusal = (pod: Pod, on: Occupied, all: State): string | undefined =>
  nodeRefusal(pod, on) ?? affinityRefusal(pod, on, all, []) ?? spreadRefusal(pod, on, all);

/** Whether the pod fits on a node. */
export const fits = (pod: Pod, nodeName: string, all: State): boolean =>
  all.some((on) => on.node.metadata.name === nodeName && refusal(pod, on, all) === undefined);
export const without = (all: State, isLeaving: (pod: Pod) => boolean): State =>
  all.map((on) => ({ ...on, pods: on.pods.filter((other) => !isLeaving(other)) }));
const hasVolumes = ({ spec }: Pod): boolean => (spec.volumes ?? []).some((v) => v.persistentVolumeClaim || v.ephemeral);

/** A rule of bindings. The reason is that of one state; it is broken if there is one for each that may have been seen. */
const bindingRule = (
  name: string,
  views: SchedulerViews,
  refused: (pod: Pod, on: Occupied, all: State) => string | undefined,
): Rule<Pod> => ({
  name,
  kind: pods,
  broken(after, before, committed) {
    const nodeName = after?.spec.nodeName;
    if (!after || nodeName === undefined || before?.spec.nodeName !== undefined) return undefined;
    const seen = views.find(committed, ({ key, binds }) => key === keyOf(after) && binds === nodeName);
    if (!seen) return `${keyOf(after)} on ${nodeName} without a decision`;
    if (seen.states.length === 0) return undefined;
    const reasons = seen.states.map((all) => {
      const on = all.find(({ node }) => node.metadata.name === nodeName);
      return on && refused(seen.pod, on, all);
    });
    return reasons.includes(undefined) ? undefined : `${keyOf(after)} on ${nodeName}: ${reasons[0]}`;
  },
});

/** Whether the pod may be scheduled: nothing is kept for a gang that has lost members. */
function isSchedulable(pod: Pod, members: readonly Pod[], committed: Committed): boolean {
  const name = podGroupKeyOf(pod);
  if (name === undefined) return true;
  const group = committed.all(podGroups).find((each) => keyOf(each) === name);
  const count = members.filter((each) => podGroupKeyOf(each) === name && !isTerminal(each)).length;
  return group !== undefined && count >= (group.spec.schedulingPolicy.gang?.minCount ?? 0);
}

/** Room that is nominated to a pod is left to it by those that are not more important. */
export const nominationRule = (views: SchedulerViews): Rule<Pod> => ({
  name: "room of a nominated pod taken",
  kind: pods,
  broken(after, before, committed) {
    const nodeName = after?.spec.nodeName;
    if (!after || nodeName === undefined || before?.spec.nodeName !== undefined) return undefined;
    const isBinding = ({ key, binds }: SeenDecision["decision"]): boolean => key === keyOf(after) && binds === nodeName;
    const { decisions } = committed;
    const position = decisions.findLastIndex(isBinding);
    const seen = position < 0 ? undefined : views.find(committed, isBinding);
    if (!seen || seen.states.length === 0) return undefined;
    const expected = views
      .expectedOn(nodeName, position, decisions)
      .filter((other) => priorityOf(other) >= priorityOf(seen.pod))
      .filter((other) => isSchedulable(other, views.podsAt(seen.decision), committed));
    if (expected.length === 0) return undefined;
    const reasons = seen.states.map((all) => {
      const on = all.find(({ node }) => node.metadata.name === nodeName);
      return on && nodeRefusal(seen.pod, { ...on, pods: [...on.pods, ...expected] });
    });
    const names = expected.map(keyOf).join(", ");
    return reasons.includes(undefined) ? undefined : `${keyOf(after)} on ${nodeName} before ${names}: ${reasons[0]}`;
  },
});

/** Pods come to nodes by the scheduler alone, which knows all that it bound: no view is too old for this. */
const exclusion: Rule<Pod> = {
  name: "pods together that exclude each other",
  kind: pods,
  broken(after, before, committed) {
    const nodeName = after?.spec.nodeName;
    if (!after || nodeName === undefined || before?.spec.nodeName !== undefined) return undefined;
    const all = without(committedState(committed), (pod) => pod.metadata.uid === after.metadata.uid);
    const on = all.find(({ node }) => node.metadata.name === nodeName);
    if (!on) return undefined;
    const isTaken = on.pods.some((other) => overlap(hostPortsOf(after), hostPortsOf(other)));
    const refused = affinityRefusal(after, on, all, []);
    const isExcluded = isTaken || refused?.includes("anti-affinity");
    return isExcluded ? `${keyOf(after)} on ${nodeName}` : undefined;
  },
};

const isPreempted = (pod: Pod | undefined): boolean =>
  conditionOf(pod?.status?.conditions, "DisruptionTarget")?.reason === "PreemptionByScheduler";
/** A rule of preemptions, which are known by their evictions. */
const preemptionRule = (
  name: string,
  views: SchedulerViews,
  broken: (victim: Pod, seen: SeenDecision) => string | undefined,
): Rule<Pod> => ({
  name,
  kind: pods,
  broken(after, before, committed) {
    if (!after || !before || !isPreempted(after) || isPreempted(before)) return undefined;
    const isOf = ({ preempts }: SeenDecision["decision"]): boolean => preempts?.victims.includes(keyOf(after)) === true;
    const seen = views.find(committed, isOf, { withNominated: true });
    return seen ? broken(after, seen) : `${keyOf(after)} for no pod`;
  },
});

const lesser = (victim: Pod, { pod }: SeenDecision): string | undefined =>
  priorityOf(victim) < priorityOf(pod) ? undefined : `${keyOf(victim)} for ${keyOf(pod)}`;

/** The pod fits where it was, or would have with one victim less. */
function needless(victim: Pod, seen: SeenDecision): string | undefined {
  const { pod, states, decision } = seen;
  const { nodeName, victims } = decision.preempts!;
  if (hasVolumes(pod) || states.length === 0) return undefined;
  const names = states[0]!.map(({ node }) => node.metadata.name);
  const fitted = names.find((name) => states.every((all) => fits(pod, name, all)));
  if (fitted) return `${keyOf(victim)} for ${keyOf(pod)}, which fitted on ${fitted}`;
  const isOther = (other: Pod): boolean => victims.includes(keyOf(other)) && keyOf(other) !== keyOf(victim);
  const mayStay = states.every((all) => fits(pod, nodeName, without(all, isOther)));
  return mayStay ? `${keyOf(victim)} could stay beside ${keyOf(pod)} on ${nodeName}` : undefined;
}

/** The rules of one life. */
export function placementRules(): readonly Rule[] {
  const views = schedulerViews();
  return [
    ...views.rules,
    bindingRule("bound to a node that does not fit", views, nodeRefusal),
    bindingRule("affinity between pods broken", views, (pod, on, all) => affinityRefusal(pod, on, all, [])),
    bindingRule("spread broken", views, spreadRefusal),
    nominationRule(views),
    exclusion,
    preemptionRule("preempted for a less important pod", views, lesser),
    preemptionRule("preempted without need", views, needless),
  ];
}

/** Every node and the pods that are bound to it. */
export function committedState(committed: Committed): State {
  const occupying = committed.all(pods).filter((pod) => !isTerminal(pod));
  return committed
    .all(nodes)
    .map((node) => ({ node, pods: occupying.filter(({ spec }) => spec.nodeName === node.metadata.name) }));
}

/** A pod, not one of a group, that waits though it fits, or could make itself fit. */
export function starving(committed: Committed): readonly string[] {
  const all = committedState(committed);
  return committed.all(pods).flatMap((pod) => {
    const { spec, metadata } = pod;
    if (spec.nodeName !== undefined || metadata.deletionTimestamp !== undefined || hasVolumes(pod)) return [];
    if (spec.schedulingGroup) return [];
    const isLesser = (other: Pod): boolean => spec.preemptionPolicy !== "Never" && priorityOf(other) < priorityOf(pod);
    const names = all.map(({ node }) => node.metadata.name);
    const fitting = names.find((name) => fits(pod, name, all));
    const yielding = names.find((name) =>
      fits(
        pod,
        name,
        all.map((on) => (on.node.metadata.name === name ? without([on], isLesser)[0]! : on)),
      ),
    );
    const where = fitting ?? yielding;
    return where === undefined ? [] : [`${keyOf(pod)} waits, and fits on ${where}${fitting ? "" : " by preemption"}`];
  });
}
