// Which nodes a pod wants by their labels: node selector, required and preferred node affinity.
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod } from "../../api/generated/types.ts";
import { matches, type Labels, type Requirement } from "../../api/selector.ts";
import { fits, refused, type SchedulerPlugin } from "../framework.ts";

const asRequirement = (r: NodeSelectorRequirement): Requirement => ({
  key: r.key,
  operator: r.operator as Requirement["operator"],
  values: r.values ?? [],
});

/** Terms match by labels and by the one field nodes can be asked for. An empty term matches nothing. */
const termMatches = (term: NodeSelectorTerm, node: Node): boolean => {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length + fields.length === 0) return false;
  const named: Labels = { "metadata.name": node.metadata.name };
  return matches(expressions.map(asRequirement), node.metadata.labels) && matches(fields.map(asRequirement), named);
};

function isWanted(pod: Pod): ((node: Node) => boolean) | undefined {
  const selector = Object.entries(pod.spec.nodeSelector ?? {});
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (selector.length === 0 && terms === undefined) return undefined;
  return (node) =>
    selector.every(([k, v]) => node.metadata.labels?.[k] === v) &&
    (terms === undefined || terms.some((t) => termMatches(t, node)));
}

export const nodeAffinity: SchedulerPlugin = {
  name: "NodeAffinity",
  weight: 2,
  wakesOn: ["node-added", "node-changed"],
  prepare: (pod) => {
    const wanted = isWanted(pod);
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (!wanted && preferred.length === 0) return undefined;
    const total = preferred.reduce((sum, p) => sum + p.weight, 0);
    return {
      filter: (on) =>
        (wanted?.(on.node) ?? true) ? fits : refused("node(s) didn't match Pod's node affinity/selector"),
      score: (on) => {
        const met = preferred.filter((p) => termMatches(p.preference, on.node));
        return total === 0 ? 0 : (100 * met.reduce((sum, p) => sum + p.weight, 0)) / total;
      },
    };
  },
};
