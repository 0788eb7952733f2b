// A reference implementation of pod affinity and topology spread: counts all pods for every node, without indexes.
import { requiredMatcher } from "../../../api/core/pod/node-affinity.ts";
import { tolerates } from "../../../api/core/pod/tolerations.ts";
import type { Namespace, Pod, PodAffinityTerm, TopologySpreadConstraint } from "../../../api/generated/types.ts";
import { selects } from "../../../api/selector.ts";
import type { Occupied } from "./reference.ts";

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const valueOn = ({ node }: Occupied, key: string): string | undefined => node.metadata.labels?.[key];

/** Whether a term of the owner selects the other pod. */
function selected(term: PodAffinityTerm, owner: Pod, other: Pod, namespaces: readonly Namespace[]): boolean {
  const { namespace = "" } = other.metadata;
  const names = term.namespaces ?? [];
  const isInNamespace =
    names.length === 0 && term.namespaceSelector === undefined
      ? namespace === owner.metadata.namespace
      : names.includes(namespace) ||
        selects(
          term.namespaceSelector,
          namespaces.find(({ metadata }) => metadata.name === namespace)?.metadata.labels,
        );
  return isInNamespace && selects(term.labelSelector, other.metadata.labels);
}

/** Pods in the same domain as a node. */
const domainPods = (all: readonly Occupied[], on: Occupied, key: string): readonly Pod[] =>
  all
    .filter((other) => valueOn(on, key) !== undefined && valueOn(other, key) === valueOn(on, key))
    .flatMap((o) => o.pods);
const labelledPods = (all: readonly Occupied[], key: string): readonly Pod[] =>
  all.filter((other) => valueOn(other, key) !== undefined).flatMap((o) => o.pods);

const affinityOf = ({ spec: { affinity } }: Pod) => ({
  required: affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [],
  forbidden: affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [],
  preferences: [
    ...(affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => ({
      ...p,
      weight: -p.weight,
    })),
  ],
});

/** Why a node will not do for the pod's affinity to other pods and theirs to it. */
export function affinityRefusal(
  pod: Pod,
  on: Occupied,
  all: readonly Occupied[],
  namespaces: readonly Namespace[],
): string | undefined {
  const { required, forbidden } = affinityOf(pod);
  const isInGroup = (other: Pod): boolean => required.every((t) => selected(t, pod, other, namespaces));
  const isFirst = isInGroup(pod) && !required.some(({ topologyKey }) => labelledPods(all, topologyKey).some(isInGroup));
  const isAttracted = required.every(
    ({ topologyKey }) =>
      valueOn(on, topologyKey) !== undefined && (isFirst || domainPods(all, on, topologyKey).some(isInGroup)),
  );
  if (!isAttracted) return "node(s) didn't match pod affinity rules";
  if (forbidden.some((t) => domainPods(all, on, t.topologyKey).some((other) => selected(t, pod, other, namespaces))))
    return "node(s) didn't match pod anti-affinity rules";
  const isForbidden = all.some((other) =>
    other.pods.some((o) =>
      affinityOf(o).forbidden.some(
        (t) =>
          valueOn(on, t.topologyKey) !== undefined &&
          valueOn(on, t.topologyKey) === valueOn(other, t.topologyKey) &&
          selected(t, o, pod, namespaces),
      ),
    ),
  );
  return isForbidden ? "node(s) didn't satisfy existing pods anti-affinity rules" : undefined;
}

/** How much pods attract each other on a node, before it is made 0 to 100. */
export function attraction(pod: Pod, on: Occupied, all: readonly Occupied[], namespaces: readonly Namespace[]): number {
  const own = affinityOf(pod).preferences.flatMap(({ weight, podAffinityTerm: t }) =>
    domainPods(all, on, t.topologyKey).map((other) => (selected(t, pod, other, namespaces) ? weight : 0)),
  );
  const theirs = all
    .flatMap(({ pods }) => pods)
    .flatMap((other) => {
      const { required, preferences } = affinityOf(other);
      const terms = [...required.map((podAffinityTerm) => ({ weight: 1, podAffinityTerm })), ...preferences];
      return terms.map(({ weight, podAffinityTerm: t }) =>
        domainPods(all, on, t.topologyKey).includes(other) && selected(t, other, pod, namespaces) ? weight : 0,
      );
    });
  return sum([...own, ...theirs]);
}
export function scaledAttractions(raw: readonly number[]): readonly number[] {
  const [least, greatest] = [Math.min(...raw), Math.max(...raw)];
  return raw.map((s) => (greatest === least ? 0 : Math.floor(100 * ((s - least) / (greatest - least)))));
}

const constraintsOf = ({ spec }: Pod, action: string): readonly TopologySpreadConstraint[] =>
  (spec.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === action);
/** The pods that a constraint spreads. */
function isSpread(c: TopologySpreadConstraint, pod: Pod, other: Pod): boolean {
  const keys = (c.matchLabelKeys ?? []).filter((key) => pod.metadata.labels?.[key] !== undefined);
  return (
    other.metadata.namespace === pod.metadata.namespace &&
    selects(c.labelSelector, other.metadata.labels) &&
    keys.every((key) => other.metadata.labels?.[key] === pod.metadata.labels?.[key])
  );
}
const countOf = (c: TopologySpreadConstraint, pod: Pod, pods: readonly Pod[]): number =>
  pods.filter((other) => other.metadata.deletionTimestamp === undefined && isSpread(c, pod, other)).length;
function isIncluded(c: TopologySpreadConstraint, pod: Pod, { node }: Occupied): boolean {
  const match = requiredMatcher(pod.spec);
  const labels = node.metadata.labels ?? {};
  if (c.nodeAffinityPolicy !== "Ignore" && match && !match({ name: node.metadata.name, labels })) return false;
  const isTolerated = (node.spec.taints ?? [])
    .filter(({ effect }) => effect !== "PreferNoSchedule")
    .every((taint) => (pod.spec.tolerations ?? []).some((t) => tolerates(t, taint)));
  return c.nodeTaintsPolicy !== "Honor" || isTolerated;
}

/** Why a node will not do for the hard constraints. */
export function spreadRefusal(pod: Pod, on: Occupied, all: readonly Occupied[]): string | undefined {
  const constraints = constraintsOf(pod, "DoNotSchedule");
  const labelled = all.filter((o) => constraints.every(({ topologyKey }) => valueOn(o, topologyKey) !== undefined));
  for (const c of constraints) {
    const value = valueOn(on, c.topologyKey);
    if (value === undefined) return "node(s) didn't match pod topology spread constraints (missing required label)";
    const domains = Map.groupBy(
      labelled.filter((o) => isIncluded(c, pod, o)),
      (o) => valueOn(o, c.topologyKey),
    );
    const counts = new Map(
      [...domains].map(([name, members]) => [
        name,
        countOf(
          c,
          pod,
          members.flatMap((m) => m.pods),
        ),
      ]),
    );
    const least = counts.size < (c.minDomains ?? 1) ? 0 : Math.min(...counts.values());
    if ((counts.get(value) ?? 0) + (isSpread(c, pod, pod) ? 1 : 0) - least > c.maxSkew)
      return "node(s) didn't match pod topology spread constraints";
  }
  return undefined;
}

/** The scores of the soft constraints, from 0 to 100. */
export function spreadScores(pod: Pod, feasible: readonly Occupied[], all: readonly Occupied[]): readonly number[] {
  const constraints = constraintsOf(pod, "ScheduleAnyway");
  const hasAll = (o: Occupied): boolean =>
    constraints.every(({ topologyKey }) => valueOn(o, topologyKey) !== undefined);
  const scored = feasible.filter(hasAll);
  const raw = feasible.map((on) => {
    if (!hasAll(on)) return undefined;
    const parts = constraints.map((c) => {
      const isNode = c.topologyKey === "kubernetes.io/hostname";
      const size = isNode ? scored.length : new Set(scored.map((o) => valueOn(o, c.topologyKey))).size;
      const members = isNode
        ? [on]
        : all.filter(
            (o) => hasAll(o) && isIncluded(c, pod, o) && valueOn(o, c.topologyKey) === valueOn(on, c.topologyKey),
          );
      return (
        countOf(
          c,
          pod,
          members.flatMap((m) => m.pods),
        ) *
          Math.log(size + 2) +
        c.maxSkew -
        1
      );
    });
    return Math.round(sum(parts));
  });
  const known = raw.filter((s) => s !== undefined);
  const [least, greatest] = [Math.min(...known), Math.max(0, ...known)];
  return raw.map((s) => {
    if (s === undefined) return 0;
    return greatest === 0 ? 100 : Math.floor((100 * (greatest + least - s)) / greatest);
  });
}
