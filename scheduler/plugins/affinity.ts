// Node affinity: the node selector of a pod, and its required and preferred terms.
import type { Node, NodeSelectorTerm, Pod } from "../../api/generated/types.ts";
import { matches, requirementsOf, type Labels } from "../../api/selector.ts";
import { normalized, skip, unresolvable, type Change, type SchedulerPlugin } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";

const nameField = "metadata.name";
const mismatch = unresolvable("node(s) didn't match Pod's node affinity/selector");
const conflict = unresolvable("pod affinity terms conflict");

type Labelled = Pick<NodeInfo, "name" | "labels">;
type Matcher = (node: Labelled) => boolean;
const labelled = ({ metadata: { name, labels = {} } }: Node): Labelled => ({ name, labels });
/** Terms match by labels and by the one field nodes can be selected by. An empty term matches nothing. */
function termMatcher({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): Matcher {
  if (matchExpressions.length + matchFields.length === 0) return () => false;
  const expressions = requirementsOf({ matchExpressions });
  const fields = requirementsOf({ matchExpressions: matchFields });
  return ({ name, labels }) => {
    if (!matches(expressions, labels)) return false;
    const named: Labels = { [nameField]: name };
    return fields.length === 0 || matches(fields, named);
  };
}

const requiredTerms = ({ spec }: Pod): readonly NodeSelectorTerm[] | undefined =>
  spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;

/** Nothing when the pod may go anywhere. */
function requiredMatcher(pod: Pod): Matcher | undefined {
  const selector = Object.entries(pod.spec.nodeSelector ?? {});
  const terms = requiredTerms(pod)?.map(termMatcher);
  if (selector.length === 0 && terms === undefined) return undefined;
  return (node) => {
    for (const [key, value] of selector) if (node.labels[key] !== value) return false;
    return terms === undefined || terms.some((match) => match(node));
  };
}

/** The nodes named by the required terms; nothing when one of the terms names none. */
function namedNodes(pod: Pod): ReadonlySet<string> | undefined {
  const all = new Set<string>();
  for (const { matchFields = [] } of requiredTerms(pod) ?? []) {
    const named = matchFields
      .filter((r) => r.key === nameField && r.operator === "In")
      .map((r): ReadonlySet<string> => new Set(r.values));
    if (named.length === 0) return undefined;
    for (const name of named.reduce((a, b) => a.intersection(b))) all.add(name);
  }
  return requiredTerms(pod)?.length ? all : undefined;
}

interface Preference {
  readonly weight: number;
  readonly match: Matcher;
}
const preferencesOf = ({ spec }: Pod): readonly Preference[] =>
  (spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => ({
    weight: p.weight,
    match: termMatcher(p.preference),
  }));

export const nodeAffinity: SchedulerPlugin<Matcher, readonly Preference[]> = {
  name: "NodeAffinity",
  weight: 2,
  events: [
    {
      resource: "Node",
      actions: ["Add", "UpdateNodeLabel"],
      isSchedulableAfter(pod, { before, after }: Change<Node>) {
        const match = requiredMatcher(pod);
        if (!match) return true;
        return after !== undefined && match(labelled(after)) && (before === undefined || !match(labelled(before)));
      },
    },
  ],
  preFilter({ pod }) {
    const state = requiredMatcher(pod);
    if (!state) return skip;
    const nodeNames = namedNodes(pod);
    if (nodeNames?.size === 0) return conflict;
    return { state, ...(nodeNames && { nodeNames }) };
  },
  filter: (matches, node) => (matches(node) ? undefined : mismatch),
  preScore({ pod }) {
    const preferences = preferencesOf(pod);
    return preferences.length === 0 ? skip : preferences;
  },
  score: (preferences, node) => preferences.reduce((sum, p) => sum + (p.match(node) ? p.weight : 0), 0),
  normalizeScore: (scores) => normalized(scores),
};
