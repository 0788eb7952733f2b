// Whether a pod may run on a node by its node selector and node affinity. Source: the API reference of
// NodeSelectorTerm.
import type { Node, NodeSelectorTerm, Pod } from "../../generated/types.ts";
import { type Labels, matches, requirementsOf } from "../../selector.ts";

/** The one field that nodes can be selected by. */
export const nodeNameField = "metadata.name";

/** What terms match a node by. */
export interface LabelledNode {
  readonly name: string;
  readonly labels: Labels;
}
export type NodeMatcher = (node: LabelledNode) => boolean;

export const labelledNode = ({ metadata: { name, labels = {} } }: Node): LabelledNode => ({ name, labels });

/** Terms match by labels and by the name. An empty term matches nothing. */
export function termMatcher({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): NodeMatcher {
  if (matchExpressions.length + matchFields.length === 0) return () => false;
  const expressions = requirementsOf({ matchExpressions });
  const fields = requirementsOf({ matchExpressions: matchFields });
  return ({ name, labels }) => {
    if (!matches(expressions, labels)) return false;
    const named: Labels = { [nodeNameField]: name };
    return fields.length === 0 || matches(fields, named);
  };
}

type Placed = Pick<Pod["spec"], "affinity" | "nodeSelector">;
export const requiredTerms = ({ affinity }: Placed): readonly NodeSelectorTerm[] | undefined =>
  affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;

/** Undefined when the pod may go anywhere. */
export function requiredMatcher(spec: Placed): NodeMatcher | undefined {
  const selector = Object.entries(spec.nodeSelector ?? {});
  const terms = requiredTerms(spec)?.map(termMatcher);
  if (selector.length === 0 && terms === undefined) return undefined;
  return (node) => {
    for (const [key, value] of selector) if (node.labels[key] !== value) return false;
    return terms === undefined || terms.some((match) => match(node));
  };
}
