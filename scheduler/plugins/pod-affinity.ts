// InterPodAffinity: pods that must, must not or had better be in a topology domain with others. Source: the Kubernetes
// concepts page, "Assigning Pods to Nodes"; KEP-3633 (matchLabelKeys, which the API server merges into selectors).
import { namespaces } from "../../api/core/namespaces.ts";
import type { Remedy } from "../../api/explanation/scheduling.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { key } from "../../api/meta.ts";
import { matches } from "../../api/selector.ts";
import {
  type Change,
  type QueueingHint,
  type SchedulerPlugin,
  skip,
  type Snapshot,
  unresolvable,
  unschedulable,
} from "../framework.ts";
import { type NodeInfo, type PodInfo, podInfoOf } from "../node-info.ts";
import type { DomainCounts } from "../topology/domains.ts";
import {
  type AffinityTerm,
  type LabelsOfNamespace,
  podGroup,
  type PodGroup,
  type PodTerm,
  isInGroup,
  selectsPod,
} from "../pod-terms.ts";

const namespaceLabels =
  ({ lister }: Pick<Snapshot, "lister">): LabelsOfNamespace =>
  (name) =>
    lister(namespaces).get(key(undefined, name))?.metadata.labels;

/** The term with the names of all namespaces that it selects: such a group does not depend on namespaces any more. */
function resolved(term: PodTerm, { lister }: Pick<Snapshot, "lister">): PodTerm {
  const { namespaceSelector, namespaces: names = [], labels } = term;
  if (namespaceSelector === undefined) return term;
  const selected = lister(namespaces)
    .all()
    .filter(({ metadata }) => matches(namespaceSelector, metadata.labels))
    .map(({ metadata }) => metadata.name);
  return { namespaces: [...new Set([...names, ...selected])].toSorted(), labels };
}

/** Pods that differ from the snapshot, on the one node that is looked at. */
interface Difference {
  /** Pods in the groups of the required terms, by term. */
  readonly affinity: number;
  readonly anti: readonly number[];
  /** Pods whose required anti-affinity selects the pod. */
  readonly existing: number;
}
interface AffinityState {
  /** Pods that all required terms select, by the topology of each term. */
  readonly group: PodGroup;
  readonly affinity: readonly DomainCounts[];
  /** The pod is one of the group that it requires: the first of them may go anywhere. */
  readonly isSelfAffine: boolean;
  readonly antiGroups: readonly PodGroup[];
  readonly anti: readonly DomainCounts[];
  readonly existing: readonly DomainCounts[];
  readonly labelsOf: LabelsOfNamespace;
  readonly difference?: Difference;
}

function stateOf(info: PodInfo, snapshot: Snapshot): AffinityState | undefined {
  const labelsOf = namespaceLabels(snapshot);
  const of = (kind: AffinityTerm["kind"]) => info.terms.filter((term) => term.kind === kind);
  const [required, forbidden] = [of("affinity"), of("anti-affinity")];
  const existing = snapshot.topology.termsSelecting(info, labelsOf).filter(({ kind }) => kind === "anti-affinity");
  if (required.length + forbidden.length + existing.length === 0) return undefined;
  const group = podGroup(required.map(({ term }) => resolved(term, snapshot)));
  const antiGroups = forbidden.map(({ term }) => podGroup([resolved(term, snapshot)]));
  return {
    group,
    affinity: required.map(({ topologyKey }) => snapshot.topology.of(group, topologyKey)),
    isSelfAffine: isInGroup(group, info.pod),
    antiGroups,
    anti: forbidden.map(({ topologyKey }, i) => snapshot.topology.of(antiGroups[i]!, topologyKey)),
    existing: existing.map(({ counts }) => counts),
    labelsOf,
  };
}

/** Pods in the domain of a node; none when the node is in no domain. */
const podsIn = ({ topology, pods }: DomainCounts, slot: number): number => pods[topology.domainOf[slot] ?? -1] ?? 0;

function isAttracted({ affinity, isSelfAffine, difference }: AffinityState, slot: number): boolean {
  let hasPods = true;
  const more = difference?.affinity ?? 0;
  for (const { topology, pods } of affinity) {
    const domain = topology.domainOf[slot] ?? -1;
    if (domain < 0) return false;
    if ((pods[domain] ?? 0) + more <= 0) hasPods = false;
  }
  return hasPods || (isSelfAffine && affinity.every((counts) => counts.total + more <= 0));
}
function isRepelled({ anti, difference }: AffinityState, slot: number): boolean {
  for (let i = 0; i < anti.length; i++) {
    const { topology, pods } = anti[i]!;
    const domain = topology.domainOf[slot] ?? -1;
    if (domain >= 0 && (pods[domain] ?? 0) + (difference?.anti[i] ?? 0) > 0) return true;
  }
  return false;
}
function isForbidden({ existing, difference }: AffinityState, slot: number): boolean {
  let pods = difference?.existing ?? 0;
  for (const counts of existing) pods += podsIn(counts, slot);
  return pods > 0;
}

/** The state as if a pod came to a node (`by` is 1) or left it (-1). */
function changed(state: AffinityState, other: PodInfo, node: NodeInfo, pod: PodInfo, by: 1 | -1): AffinityState {
  const before = state.difference;
  const existing = other.terms.filter(
    ({ kind, topologyKey, term }) =>
      kind === "anti-affinity" && node.labels[topologyKey] !== undefined && selectsPod(term, pod.pod, state.labelsOf),
  ).length;
  const isIn = (group: PodGroup): number => (group.terms.length > 0 && isInGroup(group, other.pod) ? by : 0);
  return {
    ...state,
    difference: {
      affinity: (before?.affinity ?? 0) + isIn(state.group),
      anti: state.antiGroups.map((group, i) => (before?.anti[i] ?? 0) + isIn(group)),
      existing: (before?.existing ?? 0) + by * existing,
    },
  };
}

/** Pods in a domain of such a kind raise or lower its score. */
interface Attraction {
  readonly counts: DomainCounts;
  readonly weight: number;
}
/** Attractions and repulsions from both sides: what the pod prefers, and what pods on nodes prefer. */
function attractionsOf(info: PodInfo, snapshot: Snapshot, hardWeight: number): readonly Attraction[] {
  const own = info.terms
    .filter(({ kind }) => kind === "preference")
    .map(({ term, topologyKey, weight }) => ({
      counts: snapshot.topology.of(podGroup([resolved(term, snapshot)]), topologyKey),
      weight,
    }));
  const others = snapshot.topology
    .termsSelecting(info, namespaceLabels(snapshot))
    .filter(({ kind }) => kind !== "anti-affinity")
    .map(({ kind, counts, weight }) => ({ counts, weight: kind === "affinity" ? hardWeight : weight }));
  return [...own, ...others].filter(({ counts, weight }) => weight !== 0 && counts.total > 0);
}

/** The least score becomes 0, the greatest 100. */
function scaledBetween(scores: readonly number[]): readonly number[] {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const score of scores) {
    if (score < least) least = score;
    if (score > greatest) greatest = score;
  }
  const range = greatest - least;
  return scores.map((score) => (range > 0 ? Math.trunc(100 * ((score - least) / range)) : 0));
}

const requiredOf = (pod: Pod, kind: AffinityTerm["kind"]): readonly AffinityTerm[] =>
  podInfoOf(pod).terms.filter((term) => term.kind === kind);
/** Without the labels of namespaces a selector of namespaces may match any. */
const maySelect = ({ term }: AffinityTerm, pod: Pod): boolean =>
  selectsPod(term.namespaceSelector ? { labels: term.labels } : term, pod, () => undefined);

function isHelpedByPod(pod: Pod, { before, after }: Change<Pod>): boolean {
  const [attracting, repelling] = [requiredOf(pod, "affinity"), requiredOf(pod, "anti-affinity")];
  const isIn = (terms: readonly AffinityTerm[], other: Pod | undefined, all: boolean): boolean =>
    other !== undefined &&
    terms.length > 0 &&
    (all ? terms.every((t) => maySelect(t, other)) : terms.some((t) => maySelect(t, other)));
  if (!isIn(attracting, before, true) && isIn(attracting, after, true)) return true;
  // The last of a group leaves: the next pod may be its first.
  if (after === undefined && isIn(attracting, before, true) && attracting.every((t) => maySelect(t, pod))) return true;
  if (isIn(repelling, before, false) && !isIn(repelling, after, false)) return true;
  const forbids = (other: Pod | undefined): boolean =>
    other !== undefined && requiredOf(other, "anti-affinity").some((t) => maySelect(t, pod));
  return forbids(before) && !forbids(after);
}
/** A node joins a domain that required terms speak of. */
function isHelpedByNode(pod: Pod, { before, after }: Change<Node>): boolean {
  const [then, now] = [before?.metadata.labels, after?.metadata.labels];
  const keys = podInfoOf(pod).terms.filter(({ kind }) => kind !== "preference");
  if (requiredOf(pod, "affinity").some(({ topologyKey }) => now?.[topologyKey] === undefined)) return false;
  // Anti-affinity of other pods may concern any label.
  return (
    keys.length === 0 ||
    before === undefined ||
    keys.some(({ topologyKey }) => then?.[topologyKey] !== now?.[topologyKey])
  );
}

const events: readonly QueueingHint[] = [
  { resource: "AssignedPod", actions: ["Add", "Delete", "UpdatePodLabel"], isSchedulableAfter: isHelpedByPod },
  { resource: "TargetPod", actions: ["UpdatePodLabel"] },
  { resource: "Node", actions: ["Add", "UpdateNodeLabel"], isSchedulableAfter: isHelpedByNode },
  {
    resource: "Namespace",
    actions: ["Add", "Update"],
    isSchedulableAfter: (_, { before, after }) => !sameJson(before?.metadata.labels, after?.metadata.labels),
  },
];

const unattracted = unresolvable("node(s) didn't match pod affinity rules");
const repelled = unschedulable("node(s) didn't match pod anti-affinity rules");
const forbidden = unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");

/** Where terms of a pod look for others around a node: ` in zone=a`. */
const domainsOf = ({ terms }: PodInfo, kind: AffinityTerm["kind"], { labels }: NodeInfo): string => {
  const keys = [...new Set(terms.filter((term) => term.kind === kind).map(({ topologyKey }) => topologyKey))];
  return ` in ${keys.map((topologyKey) => `${topologyKey}=${labels[topologyKey] ?? ""}`).join(" or ")}`;
};
function attractingIn(info: PodInfo, node: NodeInfo): readonly Remedy[] {
  const required = info.terms.filter(({ kind }) => kind === "affinity");
  const unlabelled = required.filter(({ topologyKey }) => node.labels[topologyKey] === undefined);
  if (unlabelled.length > 0)
    return unlabelled.map(({ topologyKey }) => ({ change: `a label ${topologyKey}`, effort: 1 }));
  return [{ change: `a pod that its affinity selects${domainsOf(info, "affinity", node)}`, effort: 1 }];
}

interface AffinityOptions {
  /** How much a pod that requires the presence of another attracts it. */
  readonly hardPodAffinityWeight?: number;
  /** Pods without preferences of their own are not scored. */
  readonly ignorePreferredTermsOfExistingPods?: boolean;
}

export const interPodAffinity = ({
  hardPodAffinityWeight = 1,
  ignorePreferredTermsOfExistingPods = false,
}: AffinityOptions = {}): SchedulerPlugin<AffinityState, readonly Attraction[]> => ({
  name: "InterPodAffinity",
  weight: 2,
  reads: [namespaces],
  events,
  preFilter(info, snapshot) {
    const state = stateOf(info, snapshot);
    return state ? { state } : skip;
  },
  addPod: (state, added, node, pod) => changed(state, added, node, pod, 1),
  removePod: (state, removed, node, pod) => changed(state, removed, node, pod, -1),
  filter(state, { slot }) {
    if (!isAttracted(state, slot)) return unattracted;
    if (isRepelled(state, slot)) return repelled;
    return isForbidden(state, slot) ? forbidden : undefined;
  },
  remedies: (state, node, info) => [
    ...(isAttracted(state, node.slot) ? [] : attractingIn(info, node)),
    ...(isRepelled(state, node.slot)
      ? [{ change: `none of the pods its anti-affinity selects${domainsOf(info, "anti-affinity", node)}`, effort: 1 }]
      : []),
    ...(isForbidden(state, node.slot)
      ? [{ change: "none of the pods there whose anti-affinity selects it", effort: 1 }]
      : []),
  ],
  filterTopologies: ({ affinity, anti, existing }) => [...affinity, ...anti, ...existing].map((c) => c.topology),
  preScore(info, _, snapshot) {
    if (ignorePreferredTermsOfExistingPods && !info.terms.some(({ kind }) => kind === "preference")) return skip;
    const attractions = attractionsOf(info, snapshot, hardPodAffinityWeight);
    return attractions.length === 0 ? skip : attractions;
  },
  score(attractions, { slot }) {
    let sum = 0;
    for (const { counts, weight } of attractions) sum += weight * podsIn(counts, slot);
    return sum;
  },
  scoreTopologies: (attractions) => attractions.map(({ counts }) => counts.topology),
  normalizeScore: scaledBetween,
});
