// Nodes that take no pod, or not this one: NoSchedule and NoExecute taints that it does not tolerate exclude a node,
// PreferNoSchedule lowers its score; a node may be cordoned, or not the one that the pod names.
import { tolerates } from "../../api/core/pod/tolerations.ts";
import type { Node, Pod, Taint } from "../../api/generated/types.ts";
import { normalized, skip, unresolvable, type Change, type Rejection, type SchedulerPlugin } from "../framework.ts";

const untolerated = unresolvable("node(s) had untolerated taint(s)");

const countUntolerated = ({ spec }: Pod, taints: readonly Taint[], effects: readonly string[]): number =>
  taints.filter((taint) => effects.includes(taint.effect) && !(spec.tolerations ?? []).some((t) => tolerates(t, taint)))
    .length;
const hard = ["NoSchedule", "NoExecute"];
const soft = ["PreferNoSchedule"];
const excludes = (pod: Pod, node: Node): boolean => countUntolerated(pod, node.spec.taints ?? [], hard) > 0;

/** A result per list of taints: nodes with equal taints share one list. */
type ByTaints<T> = Map<readonly Taint[], T>;
function remembered<T>(answers: ByTaints<T>, taints: readonly Taint[], answer: () => T): T {
  const known = answers.get(taints);
  if (known !== undefined || answers.has(taints)) return known as T;
  const found = answer();
  answers.set(taints, found);
  return found;
}

export const taintToleration: SchedulerPlugin<ByTaints<Rejection | undefined>, ByTaints<number>> = {
  name: "TaintToleration",
  weight: 3,
  events: [
    {
      resource: "Node",
      actions: ["Add", "UpdateNodeTaint"],
      isSchedulableAfter: (pod, { before, after }: Change<Node>) =>
        after !== undefined && !excludes(pod, after) && (before === undefined || excludes(pod, before)),
    },
    { resource: "TargetPod", actions: ["UpdatePodToleration"] },
  ],
  preFilter: () => ({ state: new Map() }),
  filter: (state, { taints }, { pod }) =>
    taints.length === 0
      ? undefined
      : remembered(state, taints, () => (countUntolerated(pod, taints, hard) > 0 ? untolerated : undefined)),
  preScore: (_, feasible) => (feasible.some(({ taints }) => taints.length > 0) ? new Map() : skip),
  score: (state, { taints }, { pod }) => remembered(state, taints, () => countUntolerated(pod, taints, soft)),
  normalizeScore: (scores) => normalized(scores, true),
};

const otherName = unresolvable("node(s) didn't match the requested node name");

/** A pod with a node name fits only that node. */
export const nodeName: SchedulerPlugin = {
  name: "NodeName",
  events: [{ resource: "Node", actions: ["Add"] }],
  preFilter: ({ pod }) => (pod.spec.nodeName ? { state: undefined } : skip),
  filter: (_, node, { pod }) => (node.name === pod.spec.nodeName ? undefined : otherName),
};

const cordon: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
const cordoned = unresolvable("node(s) were unschedulable");
const toleratesCordon = ({ spec }: Pod): boolean => (spec.tolerations ?? []).some((t) => tolerates(t, cordon));
const isCordoned = (node: Node | undefined): boolean => node?.spec.unschedulable === true;

/** A cordoned node takes no pod that does not tolerate it. */
export const nodeUnschedulable: SchedulerPlugin = {
  name: "NodeUnschedulable",
  events: [
    {
      resource: "Node",
      actions: ["Add", "UpdateNodeTaint"],
      isSchedulableAfter: (_, { before, after }: Change<Node>) =>
        !isCordoned(after) && (before === undefined || isCordoned(before)),
    },
    { resource: "TargetPod", actions: ["UpdatePodToleration"], isSchedulableAfter: (pod) => toleratesCordon(pod) },
  ],
  preFilter: ({ pod }) => (toleratesCordon(pod) ? skip : { state: undefined }),
  filter: (_, { unschedulable }) => (unschedulable ? cordoned : undefined),
};
