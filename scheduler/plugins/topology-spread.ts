// PodTopologySpread: like pods are spread evenly over topology domains. Source: the Kubernetes concepts page, "Pod
// Topology Spread Constraints"; KEP-895, KEP-3022 (minDomains), KEP-3094 (inclusion policies), KEP-3243
// (matchLabelKeys).
import { requiredMatcher } from "../../api/core/pod/node-affinity.ts";
import type { Remedy } from "../../api/explanation/scheduling.ts";
import type { Node, Pod, TopologySpreadConstraint } from "../../api/generated/types.ts";
import { matches, type Requirement } from "../../api/selector.ts";
import { type Change, type SchedulerPlugin, skip, type Snapshot, unresolvable, unschedulable } from "../framework.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";
import type { NodeSet } from "../topology/counts.ts";
import type { DomainCounts } from "../topology/domains.ts";
import { isInGroup, type PodGroup, podGroup, requirementsOrNothing } from "../pod-terms.ts";
import { defaultSelector, selectorKinds } from "./default-selector.ts";
import { hasUntolerated } from "./taints.ts";

const hostname = "kubernetes.io/hostname";

type Action = TopologySpreadConstraint["whenUnsatisfiable"];
/** A constraint with the pods it spreads, counted. */
interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly group: PodGroup;
  readonly counts: DomainCounts;
  /** The pod itself is one of those it spreads. */
  readonly isOne: boolean;
}

/** The constraint's selector, and the pod's own values of the matchLabelKeys. */
function selectorOf(
  { labelSelector, matchLabelKeys = [] }: TopologySpreadConstraint,
  pod: Pod,
): readonly Requirement[] {
  const labels = pod.metadata.labels ?? {};
  const own = matchLabelKeys.flatMap((key): readonly Requirement[] =>
    labels[key] === undefined ? [] : [{ key, operator: "In", values: [labels[key]] }],
  );
  if (own.length === 0) return requirementsOrNothing(labelSelector);
  return labelSelector === undefined ? own : [...own, ...requirementsOrNothing(labelSelector)];
}

/** The nodes over which a constraint spreads pods. */
function nodeSetOf(constraint: TopologySpreadConstraint, keys: readonly string[], { spec }: Pod): NodeSet {
  const honorsAffinity = constraint.nodeAffinityPolicy !== "Ignore";
  const honorsTaints = constraint.nodeTaintsPolicy === "Honor";
  const matcher = honorsAffinity ? requiredMatcher(spec) : undefined;
  const affinity = matcher && [
    spec.nodeSelector,
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
  ];
  return {
    id: JSON.stringify([keys, affinity, honorsTaints ? (spec.tolerations ?? []) : undefined]),
    includes: (node) =>
      keys.every((key) => node.labels[key] !== undefined) &&
      (matcher === undefined || matcher(node)) &&
      !(honorsTaints && hasUntolerated(spec.tolerations, node.taints)),
  };
}

/** Kubernetes' own defaults, for the pods of services and workloads that have no constraints. */
export const systemConstraints: readonly TopologySpreadConstraint[] = [
  { topologyKey: hostname, whenUnsatisfiable: "ScheduleAnyway", maxSkew: 3 },
  { topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway", maxSkew: 5 },
];
interface SpreadOptions {
  /** For pods without constraints of their own. They select what the services and the owner of the pod select. */
  readonly defaults?: readonly TopologySpreadConstraint[];
}

/** Constraints with their selectors; those of the pod or else the defaults. */
function selecting(pod: Pod, action: Action, defaults: SpreadOptions["defaults"], snapshot: Snapshot) {
  const own = pod.spec.topologySpreadConstraints ?? [];
  const constraints = (own.length > 0 ? own : (defaults ?? [])).filter((c) => c.whenUnsatisfiable === action);
  if (own.length > 0 || constraints.length === 0)
    return constraints.map((constraint) => ({ constraint, selector: selectorOf(constraint, pod) }));
  const selector = defaultSelector(pod, snapshot.lister);
  return selector.length === 0 ? [] : constraints.map((constraint) => ({ constraint, selector }));
}

/** Nothing is selected by an empty selector. */
const groupOf = (selector: readonly Requirement[], { metadata }: Pod): PodGroup =>
  podGroup([{ namespaces: selector.length === 0 ? [] : [metadata.namespace ?? ""], labels: selector }], true);

function constraintsOf(
  pod: Pod,
  action: Action,
  { defaults }: SpreadOptions,
  snapshot: Snapshot,
): readonly Constraint[] {
  const all = selecting(pod, action, defaults, snapshot);
  if (all.length === 0) return [];
  // Kubernetes' defaults also spread over nodes that have a name but no zone.
  const isLenient = !pod.spec.topologySpreadConstraints?.length && defaults === systemConstraints;
  const keys = [...new Set(all.map(({ constraint }) => constraint.topologyKey))].toSorted();
  return all.map(({ constraint, selector }) => {
    const { topologyKey, maxSkew, minDomains = 1 } = constraint;
    const group = groupOf(selector, pod);
    const counts = snapshot.topology.of(group, topologyKey, nodeSetOf(constraint, isLenient ? [] : keys, pod));
    return { topologyKey, maxSkew, minDomains, group, counts, isOne: matches(selector, pod.metadata.labels) };
  });
}

interface HardState {
  readonly constraints: readonly Constraint[];
  /** How many more pods of each constraint are on the one node that is looked at than in the snapshot. */
  readonly more?: readonly number[];
}

const podsIn = ({ pods, topology }: DomainCounts, slot: number): number => pods[topology.domainOf[slot]!] ?? 0;

/** More pods than the least domain has, if the pod goes to the node. */
function skewOn({ counts, minDomains, isOne }: Constraint, slot: number, more: number): number {
  const here = podsIn(counts, slot) + (counts.counts(slot) ? more : 0);
  const least = counts.domains < minDomains ? 0 : counts.minimum(slot, more);
  return here + (isOne ? 1 : 0) - least;
}

const unlabelled = unresolvable("node(s) didn't match pod topology spread constraints (missing required label)");
const uneven = unschedulable("node(s) didn't match pod topology spread constraints");

function rejection({ constraints, more }: HardState, { slot }: NodeInfo) {
  for (let i = 0; i < constraints.length; i++) {
    const constraint = constraints[i]!;
    if ((constraint.counts.topology.domainOf[slot] ?? -1) < 0) return unlabelled;
    if (skewOn(constraint, slot, more?.[i] ?? 0) > constraint.maxSkew) return uneven;
  }
  return undefined;
}

/** The labels that a node lacks, and the domains that have too many pods already. */
const remedies = ({ constraints }: HardState, { slot, labels }: NodeInfo): readonly Remedy[] =>
  constraints.flatMap((constraint) => {
    const { topologyKey, maxSkew } = constraint;
    if (!hasDomain(constraint, slot)) return [{ change: `a label ${topologyKey}`, effort: 1 }];
    const excess = skewOn(constraint, slot, 0) - maxSkew;
    if (excess <= 0) return [];
    const pods = `${excess} pod${excess > 1 ? "s" : ""}`;
    return [{ change: `${pods} fewer in ${topologyKey}=${labels[topologyKey]}, or more elsewhere`, effort: excess }];
  });

const changed = ({ constraints, more }: HardState, { pod }: PodInfo, by: 1 | -1): HardState => ({
  constraints,
  more: constraints.map(({ group }, i) => (more?.[i] ?? 0) + (isInGroup(group, pod) ? by : 0)),
});

interface SoftState {
  readonly constraints: readonly Constraint[];
  /** What a pod in a domain counts, by constraint: of few domains less than of many. */
  readonly weights: readonly number[];
  /** Nodes without one of the keys are not scored. */
  readonly isLenient: boolean;
}

const hasDomain = ({ counts }: Constraint, slot: number): boolean => (counts.topology.domainOf[slot] ?? -1) >= 0;
const isScored = (constraints: readonly Constraint[], slot: number): boolean => {
  for (const constraint of constraints) if (!hasDomain(constraint, slot)) return false;
  return true;
};

function softState(constraints: readonly Constraint[], isLenient: boolean, feasible: readonly NodeInfo[]): SoftState {
  const scored = isLenient ? feasible : feasible.filter(({ slot }) => isScored(constraints, slot));
  const weights = constraints.map(({ topologyKey, counts: { topology } }) => {
    const size =
      topologyKey === hostname ? scored.length : new Set(scored.map(({ slot }) => topology.domainOf[slot] ?? -1)).size;
    return Math.log(size + 2);
  });
  return { constraints, weights, isLenient };
}

const notScored = -1;
function scoreOf({ constraints, weights, isLenient }: SoftState, slot: number): number {
  if (!isLenient && !isScored(constraints, slot)) return notScored;
  let score = 0;
  for (let i = 0; i < constraints.length; i++) {
    const constraint = constraints[i]!;
    if (!hasDomain(constraint, slot)) continue;
    const { counts, topologyKey, maxSkew } = constraint;
    const pods = topologyKey === hostname ? counts.onNode(slot) : podsIn(counts, slot);
    score += pods * weights[i]! + (maxSkew - 1);
  }
  return Math.round(score);
}

/** The fewest pods become 100. */
function reversed(scores: readonly number[]): readonly number[] {
  let [least, greatest] = [Number.POSITIVE_INFINITY, 0];
  for (const score of scores) {
    if (score === notScored) continue;
    if (score < least) least = score;
    if (score > greatest) greatest = score;
  }
  return scores.map((score) => {
    if (score === notScored) return 0;
    return greatest === 0 ? 100 : Math.trunc((100 * (greatest + least - score)) / greatest);
  });
}

/** Whether a pod that came, went or changed its labels is one of those that a constraint spreads. */
function isSpreadWith(pod: Pod, { before, after }: Change<Pod>): boolean {
  const constraints = (pod.spec.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === "DoNotSchedule");
  if (constraints.length === 0) return true;
  const isIn = (constraint: TopologySpreadConstraint, other: Pod | undefined): boolean =>
    other !== undefined && isInGroup(groupOf(selectorOf(constraint, pod), pod), other);
  return constraints.some((c) => isIn(c, before) !== isIn(c, after));
}
/** Whether a node has all keys now, or had them and has not. */
function isPartOf(pod: Pod, { before, after }: Change<Node>): boolean {
  const keys = (pod.spec.topologySpreadConstraints ?? [])
    .filter((c) => c.whenUnsatisfiable === "DoNotSchedule")
    .map((c) => c.topologyKey);
  const has = (node: Node | undefined): boolean => keys.every((key) => node?.metadata.labels?.[key] !== undefined);
  if (before === undefined || after === undefined) return has(after ?? before);
  return (
    has(before) !== has(after) ||
    (has(after) && keys.some((key) => before.metadata.labels?.[key] !== after.metadata.labels?.[key]))
  );
}

export const podTopologySpread = (options: SpreadOptions = {}): SchedulerPlugin<HardState, SoftState> => ({
  name: "PodTopologySpread",
  weight: 2,
  reads: options.defaults?.length ? selectorKinds : [],
  events: [
    {
      resource: "AssignedPod",
      actions: ["Add", "Delete", "Update", "UpdatePodLabel"],
      isSchedulableAfter: isSpreadWith,
    },
    { resource: "TargetPod", actions: ["UpdatePodLabel"] },
    { resource: "Node", actions: ["Add", "Delete", "UpdateNodeLabel"], isSchedulableAfter: isPartOf },
    { resource: "Node", actions: ["UpdateNodeTaint"] },
  ],
  preFilter({ pod }, snapshot) {
    const constraints = constraintsOf(pod, "DoNotSchedule", options, snapshot);
    return constraints.length === 0 ? skip : { state: { constraints } };
  },
  addPod: (state, added) => changed(state, added, 1),
  removePod: (state, removed) => changed(state, removed, -1),
  filter: rejection,
  remedies,
  filterTopologies: ({ constraints }) => constraints.map(({ counts }) => counts.topology),
  preScore({ pod }, feasible, snapshot) {
    const constraints = constraintsOf(pod, "ScheduleAnyway", options, snapshot);
    if (constraints.length === 0) return skip;
    const isLenient = !pod.spec.topologySpreadConstraints?.length && options.defaults === systemConstraints;
    return softState(constraints, isLenient, feasible());
  },
  score: (state, { slot }) => scoreOf(state, slot),
  // Pods are counted by node for the hostname, also where nodes have no such label.
  scoreTopologies: ({ constraints }) =>
    constraints.some(({ topologyKey }) => topologyKey === hostname)
      ? undefined
      : constraints.map(({ counts }) => counts.topology),
  normalizeScore: reversed,
});
