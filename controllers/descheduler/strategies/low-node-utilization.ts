// LowNodeUtilization: moves pods from nodes of which much is used to nodes of which little is, for a scheduler that
// spreads pods.
import { effectiveRequests } from "../../../api/core/pod/status.ts";
import { percent, utilizationOf } from "../../../api/core/utilization.ts";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { type Draft, utilizationIn } from "../draft.ts";
import { needsNode } from "../evictable.ts";
import type { Strategy } from "../strategy.ts";

const name = "LowNodeUtilization";

/** Relieves a node until no more than `high` of it is used. */
function relieve(from: Node, draft: Draft): void {
  const { low, high } = draft.settings;
  const accepts =
    (pod: Pod) =>
    (to: Node): boolean =>
      utilizationIn(draft, to).ratio < low &&
      utilizationOf(to, [...draft.simulated.podsOn(to.metadata.name), pod]).ratio <= high;
  const movable = new Set(draft.candidates());
  for (const pod of draft.simulated.podsOn(from.metadata.name).filter((p) => needsNode(p) && movable.has(p))) {
    const { ratio, resource } = utilizationIn(draft, from);
    if (ratio <= high || draft.isFinished()) return;
    if (!((effectiveRequests(pod)[resource] ?? 0) > 0)) continue;
    const because = `${percent(ratio)} of the ${resource} of ${from.metadata.name} is requested`;
    draft.move(pod, { strategy: name, because, accepts: accepts(pod) });
  }
}

export const lowNodeUtilization: Strategy = {
  name,
  summary: "pods of nodes of which much is used, while little is used of others",
  isDefault: false,
  apply(draft) {
    const ratioOf = (node: Node): number => utilizationIn(draft, node).ratio;
    const used = draft.nodes
      .filter((node) => ratioOf(node) > draft.settings.high)
      .toSorted((a, b) => ratioOf(b) - ratioOf(a) || (a.metadata.name < b.metadata.name ? -1 : 1));
    for (const node of used) relieve(node, draft);
  },
};
