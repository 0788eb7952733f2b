// RemoveDuplicates: several pods of one controller on a node, where other nodes have fewer.
import { labelledNode, requiredMatcher } from "../../../api/core/pod/node-affinity.ts";
import { tolerates } from "../../../api/core/pod/tolerations.ts";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { controllerOf } from "../../../api/meta.ts";
import type { Draft } from "../draft.ts";
import { needsNode } from "../evictable.ts";
import type { Strategy } from "../strategy.ts";

const name = "RemoveDuplicates";

/** Equal for pods that can stand in for one another. */
const groupOf = (pod: Pod): string =>
  JSON.stringify([controllerOf(pod)?.uid, pod.spec.containers.map(({ image }) => image).toSorted()]);

/** Whether a node may have such pods at all. */
function isFor({ spec }: Pod, node: Node): boolean {
  const match = requiredMatcher(spec);
  const isTolerated = (node.spec.taints ?? []).every(
    (taint) => taint.effect === "PreferNoSchedule" || spec.tolerations?.some((t) => tolerates(t, taint)),
  );
  return isTolerated && (match === undefined || match(labelledNode(node)));
}

/** Moves pods of a group from nodes that have more than an equal part, to nodes that have less. */
function level(group: readonly Pod[], draft: Draft): void {
  const id = groupOf(group[0]!);
  const countOn = (nodeName: string): number =>
    draft.simulated.podsOn(nodeName).filter((pod) => needsNode(pod) && groupOf(pod) === id).length;
  const possible = draft.nodes.filter((node) => isFor(group[0]!, node)).length;
  const part = Math.ceil(group.length / Math.max(1, possible));
  for (const pod of group) {
    const from = pod.spec.nodeName!;
    if (draft.isFinished()) return;
    const count = countOn(from);
    if (count <= part) continue;
    const because = `${count} pods of ${controllerOf(pod)!.name} are on ${from}`;
    draft.move(pod, { strategy: name, because, accepts: ({ metadata }) => countOn(metadata.name) < part });
  }
}

export const duplicates: Strategy = {
  name,
  summary: "pods of a controller that are on one node, while others have none",
  isDefault: false,
  apply(draft) {
    const controlled = draft.candidates().filter((pod) => controllerOf(pod) !== undefined);
    for (const group of Map.groupBy(controlled, groupOf).values()) if (group.length > 1) level(group, draft);
  },
};
