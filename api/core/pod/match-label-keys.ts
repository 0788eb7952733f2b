// Label keys whose values a new pod adds to its own selectors: so it is placed among pods of its own revision. Source:
// KEP-3633 (pod affinity), KEP-3243 (topology spread).
import type { LabelSelector, PodAffinityTerm, PodSpec } from "../../generated/types.ts";
import type { Labels } from "../../selector.ts";

interface Keyed {
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
  readonly mismatchLabelKeys?: readonly string[];
}

/** The selector with the pod's own values. A pod without such a label adds nothing. */
function merged<T extends Keyed>(keyed: T, labels: Labels): T {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = keyed;
  if (!labelSelector || matchLabelKeys.length + mismatchLabelKeys.length === 0) return keyed;
  const requirement = (key: string, operator: "In" | "NotIn") =>
    Object.hasOwn(labels, key) ? [{ key, operator, values: [labels[key]!] }] : [];
  const own = [
    ...matchLabelKeys.flatMap((key) => requirement(key, "In")),
    ...mismatchLabelKeys.flatMap((key) => requirement(key, "NotIn")),
  ];
  const matchExpressions = [...(labelSelector.matchExpressions ?? []), ...own];
  return own.length === 0 ? keyed : { ...keyed, labelSelector: { ...labelSelector, matchExpressions } };
}

interface Terms {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
    readonly weight: number;
    readonly podAffinityTerm: PodAffinityTerm;
  }[];
}
function mergedTerms<T extends Terms>(terms: T, labels: Labels): T {
  const required = terms.requiredDuringSchedulingIgnoredDuringExecution?.map((term) => merged(term, labels));
  const preferred = terms.preferredDuringSchedulingIgnoredDuringExecution?.map((preference) => ({
    ...preference,
    podAffinityTerm: merged(preference.podAffinityTerm, labels),
  }));
  return {
    ...terms,
    ...(required && { requiredDuringSchedulingIgnoredDuringExecution: required }),
    ...(preferred && { preferredDuringSchedulingIgnoredDuringExecution: preferred }),
  };
}

/** The spec of a new pod with these labels, its selectors completed. */
export function withOwnLabels(spec: PodSpec, labels: Labels = {}): PodSpec {
  const { affinity, topologySpreadConstraints } = spec;
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  if (!podAffinity && !podAntiAffinity && !topologySpreadConstraints) return spec;
  return {
    ...spec,
    ...((podAffinity || podAntiAffinity) && {
      affinity: {
        ...affinity,
        ...(podAffinity && { podAffinity: mergedTerms(podAffinity, labels) }),
        ...(podAntiAffinity && { podAntiAffinity: mergedTerms(podAntiAffinity, labels) }),
      },
    }),
    ...(topologySpreadConstraints && {
      topologySpreadConstraints: topologySpreadConstraints.map((constraint) => merged(constraint, labels)),
    }),
  };
}
