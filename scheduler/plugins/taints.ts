// Nodes that take no pod, or not this one: NoSchedule and NoExecute taints that it does not tolerate exclude a node,
// PreferNoSchedule lowers its score; a node may be cordoned, or not the one that the pod names.
import { tolerates } from "../../api/core/pod/tolerations.ts";
import type { Node, Pod, Taint, Toleration } from "../../api/generated/types.ts";
import { normalized, skip, unresolvable, type Change, type Rejection, type SchedulerPlugin } from "../framework.ts";

const untolerated = unresolvable("node(s) had untolerated taint(s)");

const hard = ["NoSchedule", "NoExecute"];
const countUnwelcome = ({ spec }: Pod, taints: readonly Taint[]): number =>
  taints.filter(
    (taint) => taint.effect === "PreferNoSchedule" && !(spec.tolerations ?? []).some((t) => tolerates(t, taint)),
  ).length;
/** Whether the taints keep out a pod with these tolerations. */
export const hasUntolerated = (tolerations: readonly Toleration[] = [], taints: readonly Taint[]): boolean =>
  taints.some((taint) => hard.includes(taint.effect) && !tolerations.some((t) => tolerates(t, taint)));
const taintText = ({ key, value, effect }: Taint): string => `${key}${value ? `=${value}` : ""}:${effect}`;
const excludes = ({ spec }: Pod, node: Node): boolean => hasUntolerated(spec.tolerations, node.spec.taints ?? []);

/** A result per list of taints: nodes with equal taints share one list. */
type ByTaints<T> = WeakMap<readonly Taint[], T>;
function remembered<T>(results: ByTaints<T>, taints: readonly Taint[], compute: () => T): T {
  const known = results.get(taints);
  if (known !== undefined || results.has(taints)) return known as T;
  const result = compute();
  results.set(taints, result);
  return result;
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
  sign: ({ pod }) => JSON.stringify(pod.spec.tolerations ?? []),
  preFilter: () => ({ state: new WeakMap() }),
  filter: (state, { taints }, { pod }) =>
    taints.length === 0
      ? undefined
      : remembered(state, taints, () => (hasUntolerated(pod.spec.tolerations, taints) ? untolerated : undefined)),
  remedies: (_, { taints }, { pod }) =>
    taints
      .filter((taint) => hasUntolerated(pod.spec.tolerations, [taint]))
      .map((taint) => ({ change: `remove taint ${taintText(taint)}, or tolerate it`, effort: 1 })),
  preScore: () => new WeakMap(),
  score: (state, { taints }, { pod }) =>
    taints.length === 0 ? 0 : remembered(state, taints, () => countUnwelcome(pod, taints)),
  normalizeScore: (scores) => normalized(scores, true),
};

const otherName = unresolvable("node(s) didn't match the requested node name");

/** A pod with a node name fits only that node. */
export const nodeName: SchedulerPlugin = {
  name: "NodeName",
  events: [{ resource: "Node", actions: ["Add"] }],
  sign: ({ pod }) => pod.spec.nodeName ?? "",
  preFilter: ({ pod }) => (pod.spec.nodeName ? { state: undefined } : skip),
  filter: (_, node, { pod }) => (node.name === pod.spec.nodeName ? undefined : otherName),
  remedies: (_, __, { pod }) => [{ change: `another pod: this one names ${pod.spec.nodeName}`, effort: 10 }],
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
  sign: ({ pod }) => String(toleratesCordon(pod)),
  preFilter: ({ pod }) => (toleratesCordon(pod) ? skip : { state: undefined }),
  filter: (_, { unschedulable }) => (unschedulable ? cordoned : undefined),
  remedies: () => [{ change: "uncordon it", effort: 1 }],
};
