// HighNodeUtilization: frees nodes of which little is used, each wholly or not at all, so that they can be removed or
// take large pods.
import { effectiveRequests } from "../../../api/core/pod/status.ts";
import { percent, type Utilization } from "../../../api/core/utilization.ts";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import { type Draft, utilizationIn } from "../draft.ts";
import { needsNode } from "../evictable.ts";
import type { Strategy } from "../strategy.ts";

const name = "HighNodeUtilization";
/** After so many nodes that cannot be freed the others, of which more is used, are not tried. */
const mostFailures = 50;

const needing = (draft: Draft, { metadata }: Node): readonly Pod[] =>
  draft.simulated.podsOn(metadata.name).filter(needsNode);

/** Large pods first, while there is most room. */
const bySize =
  (resource: string) =>
  (a: Pod, b: Pod): number =>
    (effectiveRequests(b)[resource] ?? 0) - (effectiveRequests(a)[resource] ?? 0) || (keyOf(a) < keyOf(b) ? -1 : 1);

/** Why pods of a node stay, so that it is not freed. */
const unfreed = (node: Node, why: string): string => `${node.metadata.name} is not freed: ${why}`;

/** Moves all pods of a node to nodes in use; none when one of them cannot go. Returns whether they were moved. */
function free(node: Node, { ratio, resource }: Utilization, draft: Draft): boolean {
  const { name: from } = node.metadata;
  const pods = needing(draft, node).toSorted(bySize(resource));
  if (pods.length > draft.room()) {
    draft.notes.push(unfreed(node, `a run evicts ${draft.settings.limits.perRun} pods at most`));
    return false;
  }
  const before = draft.moves.length;
  const because = `it frees ${from}, of whose ${resource} ${percent(ratio)} is requested`;
  const accepts = (to: Node): boolean => needing(draft, to).length > 0;
  for (const pod of pods) {
    const obstacle = draft.move(pod, { strategy: name, because, accepts });
    if (obstacle === undefined) continue;
    draft.undo(before);
    draft.notes.push(unfreed(node, `${keyOf(pod)} stays, because ${obstacle}`));
    return false;
  }
  return true;
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
    let failures = 0;
    for (const { node, utilization } of candidates) {
      if (draft.isFinished() || failures >= mostFailures) return;
      // What pods of this plan have been moved to stays in use.
      const isReceiving = draft.moves.some(({ to }) => to === node.metadata.name);
      const isOnly = !draft.nodes.some((other) => other !== node && needing(draft, other).length > 0);
      if (!isReceiving && !isOnly && !free(node, utilization, draft)) failures++;
    }
  },
};
