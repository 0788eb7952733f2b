// Node affinity: the node selector of a pod, and its required and preferred terms.
import {
  type LabelledNode,
  labelledNode,
  nodeNameField,
  type NodeMatcher,
  requiredMatcher,
  requiredTerms,
  termMatcher,
} from "../../api/core/pod/node-affinity.ts";
import type { Remedy } from "../../api/explanation/scheduling.ts";
import type { Node, NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm, Pod } from "../../api/generated/types.ts";
import { normalized, skip, unresolvable, type Change, type SchedulerPlugin } from "../framework.ts";

const mismatch = unresolvable("node(s) didn't match Pod's node affinity/selector");
const conflict = unresolvable("pod affinity terms conflict");

/** The nodes named by the required terms; nothing when one of the terms names none. */
function namedNodes(pod: Pod): ReadonlySet<string> | undefined {
  const all = new Set<string>();
  for (const { matchFields = [] } of requiredTerms(pod.spec) ?? []) {
    const named = matchFields
      .filter((r) => r.key === nodeNameField && r.operator === "In")
      .map((r): ReadonlySet<string> => new Set(r.values));
    if (named.length === 0) return undefined;
    for (const name of named.reduce((a, b) => a.intersection(b))) all.add(name);
  }
  return requiredTerms(pod.spec)?.length ? all : undefined;
}

interface Preference {
  readonly weight: number;
  readonly match: NodeMatcher;
}
const preferencesOf = (affinity: NodeAffinity | undefined): readonly Preference[] =>
  (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => ({
    weight: p.weight,
    match: termMatcher(p.preference),
  }));

interface AffinityState {
  readonly match: NodeMatcher | undefined;
}
const isHelped = (pod: Pod, { before, after }: Change<Node>): boolean => {
  const match = requiredMatcher(pod.spec);
  if (!match) return true;
  return after !== undefined && match(labelledNode(after)) && (before === undefined || !match(labelledNode(before)));
};

const requirementText = ({ key, operator, values = [] }: NodeSelectorRequirement): string => {
  switch (operator) {
    case "In":
      return values.length === 1 ? `label ${key}=${values[0]}` : `label ${key} one of ${values.join(", ")}`;
    case "NotIn":
      return `label ${key} none of ${values.join(", ")}`;
    case "Exists":
      return `a label ${key}`;
    case "DoesNotExist":
      return `no label ${key}`;
    default:
      return `label ${key} ${operator === "Gt" ? "above" : "below"} ${values.join()}`;
  }
};
/** What a node lacks of a term. A name cannot be changed. */
function lacking({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: LabelledNode): readonly Remedy[] {
  return [
    ...matchFields
      .filter((field) => !termMatcher({ matchFields: [field] })(node))
      .map(({ values = [] }) => ({ change: `another node: the pod names ${values.join(", ")}`, effort: 10 })),
    ...matchExpressions
      .filter((expression) => !termMatcher({ matchExpressions: [expression] })(node))
      .map((expression) => ({ change: requirementText(expression), effort: 1 })),
  ];
}
/** The labels of the selector that a node lacks, and of the term that it lacks least of. */
function lackingLabels({ spec }: Pod, node: LabelledNode): readonly Remedy[] {
  const selector = Object.entries(spec.nodeSelector ?? {})
    .filter(([key, value]) => node.labels[key] !== value)
    .map(([key, value]) => ({ change: `label ${key}=${value}`, effort: 1 }));
  const effort = (remedies: readonly Remedy[]): number => remedies.reduce((sum, remedy) => sum + remedy.effort, 0);
  const terms = (requiredTerms(spec) ?? [])
    .map((term) => lacking(term, node))
    .toSorted((a, b) => effort(a) - effort(b));
  return [...selector, ...(terms[0] ?? [])];
}

const notAdded = unresolvable("node(s) didn't match scheduler-enforced node affinity");

/** `added` holds for all pods of the profile, beside their own affinity. */
export function nodeAffinity(added?: NodeAffinity): SchedulerPlugin<AffinityState, readonly Preference[]> {
  const enforced = requiredMatcher({ affinity: { nodeAffinity: added } });
  const addedPreferences = preferencesOf(added);
  return {
    name: "NodeAffinity",
    weight: 2,
    events: [{ resource: "Node", actions: ["Add", "UpdateNodeLabel"], isSchedulableAfter: isHelped }],
    sign: ({ pod: { spec } }) =>
      spec.nodeSelector || spec.affinity?.nodeAffinity
        ? JSON.stringify([spec.nodeSelector, spec.affinity?.nodeAffinity])
        : "",
    preFilter({ pod }) {
      const match = requiredMatcher(pod.spec);
      if (!match) return enforced ? { state: { match } } : skip;
      const nodeNames = namedNodes(pod);
      if (nodeNames?.size === 0) return conflict;
      return { state: { match }, ...(nodeNames && { nodeNames }) };
    },
    filter({ match }, node) {
      if (enforced && !enforced(node)) return notAdded;
      return match === undefined || match(node) ? undefined : mismatch;
    },
    remedies: (_, node, { pod }) => lackingLabels(pod, node),
    preScore({ pod }) {
      const preferences = [...addedPreferences, ...preferencesOf(pod.spec.affinity?.nodeAffinity)];
      return preferences.length === 0 ? skip : preferences;
    },
    score: (preferences, node) => preferences.reduce((sum, p) => sum + (p.match(node) ? p.weight : 0), 0),
    normalizeScore: (scores) => normalized(scores),
  };
}
