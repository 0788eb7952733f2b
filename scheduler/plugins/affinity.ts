// Node affinity: the node selector of a pod, and its required and preferred terms.
import {
  labelledNode,
  nodeNameField,
  type NodeMatcher,
  requiredMatcher,
  requiredTerms,
  termMatcher,
} from "../../api/core/pod/node-affinity.ts";
import type { Node, NodeAffinity, Pod } from "../../api/generated/types.ts";
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
    preScore({ pod }) {
      const preferences = [...addedPreferences, ...preferencesOf(pod.spec.affinity?.nodeAffinity)];
      return preferences.length === 0 ? skip : preferences;
    },
    score: (preferences, node) => preferences.reduce((sum, p) => sum + (p.match(node) ? p.weight : 0), 0),
    normalizeScore: (scores) => normalized(scores),
  };
}
