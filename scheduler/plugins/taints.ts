// Taints that a pod does not tolerate: NoSchedule and NoExecute exclude a node, PreferNoSchedule lowers its score.
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

/** An answer per list of taints: nodes with equal taints share one list. */
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
