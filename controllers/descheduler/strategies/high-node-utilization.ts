// HighNodeUtilization: frees nodes of which little is used, each wholly or not at all, so that they can be removed or
// take large pods.
import { percent, type Utilization } from "../../../api/core/utilization.ts";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import { type Draft, utilizationIn } from "../draft.ts";
import { needsNode } from "../evictable.ts";
import type { Strategy } from "../strategy.ts";
import { effectiveRequests } from "../../../api/core/pod/status.ts";

const name = "HighNodeUtilization";

const needing = (draft: Draft, { metadata }: Node): readonly Pod[] =>
  draft.picture.podsOn(metadata.name).filter(needsNode);

/** Large pods first, while there is most room. */
const bySize =
  (resource: string) =>
  (a: Pod, b: Pod): number =>
    (effectiveRequests(b)[resource] ?? 0) - (effectiveRequests(a)[resource] ?? 0) || (keyOf(a) < keyOf(b) ? -1 : 1);

/** Moves all pods of a node to nodes in use; none when one of them cannot go. */
function free(node: Node, { ratio, resource }: Utilization, draft: Draft): void {
  const { name: from } = node.metadata;
  const before = draft.moves.length;
  const because = `it frees ${from}, of whose ${resource} ${percent(ratio)} is requested`;
  const accepts = (to: Node): boolean => needing(draft, to).length > 0;
  for (const pod of needing(draft, node).toSorted(bySize(resource))) {
    const obstacle = draft.move(pod, { strategy: name, because, accepts });
    if (obstacle === undefined) continue;
    draft.undo(before);
    draft.notes.push(`${from} is not freed: ${keyOf(pod)} stays, because ${obstacle}`);
    return;
  }
}

export const highNodeUtilization: Strategy = {
  name,
  summary: "all pods of nodes of which little is used, where they fit on others",
  isDefault: true,
  apply(draft) {
    const candidates = draft.nodes
      .filter((node) => needing(draft, node).length > 0)
      .map((node) => ({ node, utilization: utilizationIn(draft, node) }))
      .filter(({ utilization }) => utilization.ratio < draft.settings.freeBelow)
      // The last by name among equals: the scheduler prefers the first.
      .toSorted(
        (a, b) => a.utilization.ratio - b.utilization.ratio || (a.node.metadata.name < b.node.metadata.name ? 1 : -1),
      );
    for (const { node, utilization } of candidates) {
      // What pods of this plan have been moved to stays in use.
      const isReceiving = draft.moves.some(({ to }) => to === node.metadata.name);
      if (!isReceiving) free(node, utilization, draft);
    }
  },
};
