// Pod affinity terms and pod groups: which pods a term selects, and the terms of a pod. Source: the API reference of
// PodAffinityTerm.
import type { Pod, PodAffinityTerm } from "../api/generated/types.ts";
import { type Labels, matches, type Requirement, requirementsOf } from "../api/selector.ts";

/** Selects pods by namespace and labels. */
export interface PodTerm {
  /** Absent: of all namespaces. */
  readonly namespaces?: readonly string[];
  /** Also of namespaces with such labels. */
  readonly namespaceSelector?: readonly Requirement[];
  readonly labels: readonly Requirement[];
}
export type LabelsOfNamespace = (name: string) => Labels | undefined;

/** Whether the term selects the pod. */
export function selectsPod(term: PodTerm, pod: Pod, labelsOf: LabelsOfNamespace): boolean {
  const { namespace = "", labels } = pod.metadata;
  const { namespaces, namespaceSelector } = term;
  const isInNamespace =
    namespaces === undefined ||
    namespaces.includes(namespace) ||
    (namespaceSelector !== undefined && matches(namespaceSelector, labelsOf(namespace)));
  return isInNamespace && matches(term.labels, labels);
}

/** A label selector that is absent selects nothing. */
const nothing: readonly Requirement[] = [{ key: "", operator: "In", values: [] }];
export const requirementsOrNothing = (selector: PodAffinityTerm["labelSelector"]): readonly Requirement[] =>
  selector === undefined ? nothing : requirementsOf(selector);

function podTerm(term: PodAffinityTerm, pod: Pod): PodTerm {
  const labels = requirementsOrNothing(term.labelSelector);
  const { namespaces = [], namespaceSelector } = term;
  if (namespaceSelector === undefined)
    return { namespaces: namespaces.length > 0 ? namespaces : [pod.metadata.namespace ?? ""], labels };
  const selector = requirementsOf(namespaceSelector);
  return selector.length === 0 ? { labels } : { namespaces, namespaceSelector: selector, labels };
}

/** How a pod attracts or repels others, and is attracted or repelled by them. */
export interface AffinityTerm {
  /** Equal for equal terms of all pods. */
  readonly id: string;
  readonly kind: "affinity" | "anti-affinity" | "preference";
  readonly topologyKey: string;
  readonly term: PodTerm;
  /** Of a preference; less than zero when it repels. */
  readonly weight: number;
}

function affinityTerm(kind: AffinityTerm["kind"], term: PodAffinityTerm, pod: Pod, weight = 0): AffinityTerm {
  const { topologyKey } = term;
  const selected = podTerm(term, pod);
  return { id: JSON.stringify([kind, weight, topologyKey, selected]), kind, topologyKey, term: selected, weight };
}

const none: readonly AffinityTerm[] = [];
/** All terms of a pod. */
export function affinityTermsOf(pod: Pod): readonly AffinityTerm[] {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  if (!podAffinity && !podAntiAffinity) return none;
  return [
    ...(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => affinityTerm("affinity", t, pod)),
    ...(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((t) =>
      affinityTerm("anti-affinity", t, pod),
    ),
    ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) =>
      affinityTerm("preference", t.podAffinityTerm, pod, t.weight),
    ),
    ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) =>
      affinityTerm("preference", t.podAffinityTerm, pod, -t.weight),
    ),
  ];
}

/** Pods that are counted together: those that all terms select. */
export interface PodGroup {
  readonly id: string;
  readonly terms: readonly PodTerm[];
  /** Leaves out pods that are being deleted. */
  readonly ignoresTerminating: boolean;
}
export const podGroup = (terms: readonly PodTerm[], ignoresTerminating = false): PodGroup => ({
  id: JSON.stringify([terms, ignoresTerminating]),
  terms,
  ignoresTerminating,
});

const noLabels = (): undefined => undefined;
/** Terms of a group name their namespaces; see {@link PodGroup}. */
export const isInGroup = ({ terms, ignoresTerminating }: PodGroup, pod: Pod): boolean =>
  !(ignoresTerminating && pod.metadata.deletionTimestamp !== undefined) &&
  terms.every((term) => selectsPod(term, pod, noLabels));
