// The order of groups and versions in discovery, by Kubernetes' priorities, which APIService objects carry too. Pure.
import type { ResourceDefinition } from "../../api/kinds.ts";

interface Priority {
  readonly group: number;
  readonly version: number;
}

/** Group priorities, from the highest. */
const groups: Readonly<Record<string, number>> = {
  ...{ "apiregistration.k8s.io": 20_000, "": 18_000, apps: 17_800, "events.k8s.io": 17_750 },
  ...{ "authentication.k8s.io": 17_700, "authorization.k8s.io": 17_600, autoscaling: 17_500, batch: 17_400 },
  ...{ "certificates.k8s.io": 17_300, "networking.k8s.io": 17_200, policy: 17_100 },
  ...{ "rbac.authorization.k8s.io": 17_000, "storage.k8s.io": 16_800, "apiextensions.k8s.io": 16_700 },
  ...{ "admissionregistration.k8s.io": 16_700, "scheduling.k8s.io": 16_600, "coordination.k8s.io": 16_500 },
  ...{ "node.k8s.io": 16_300, "discovery.k8s.io": 16_200, "flowcontrol.apiserver.k8s.io": 16_100 },
  ...{ "resource.k8s.io": 15_900, "metrics.k8s.io": 100 },
  ...{ "custom.metrics.k8s.io": 100, "external.metrics.k8s.io": 100 },
};
/** Version priorities other than the default. */
const versions: Readonly<Record<string, number>> = {
  "/v1": 1,
  "autoscaling/v2": 30,
  "flowcontrol.apiserver.k8s.io/v1": 21,
  "metrics.k8s.io/v1beta1": 100,
  "custom.metrics.k8s.io/v1beta1": 100,
  "custom.metrics.k8s.io/v1beta2": 200,
  "external.metrics.k8s.io/v1beta1": 100,
};
const usual: Priority = { group: 1000, version: 15 };

/** The priority of a group and a version; by default that of custom resources. */
export const priorityOf = (group: string, version = ""): Priority => ({
  group: groups[group] ?? usual.group,
  version: versions[`${group}/${version}`] ?? usual.version,
});

const maturity = { alpha: 0, beta: 1, "": 2 } as const;

/** Positive when `a` is the newer or the more mature of two versions: v2 before v1 before v2beta1 before v1alpha1. */
function compareVersions(a: string, b: string): number {
  const parsed = (text: string): readonly number[] | undefined => {
    const found = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(text);
    if (!found) return undefined;
    const [, major, stage = "", minor = "0"] = found;
    return [maturity[stage as keyof typeof maturity], Number(major), Number(minor)];
  };
  const [left, right] = [parsed(a), parsed(b)];
  if (!left || !right) return left ? 1 : right ? -1 : a < b ? 1 : a > b ? -1 : 0;
  return left.map((part, i) => part - right[i]!).find((difference) => difference !== 0) ?? 0;
}

/** One version of a group, and the kinds it serves. */
export interface ServedVersion {
  readonly group: string;
  readonly version: string;
  readonly kinds: readonly ResourceDefinition[];
}

/** Groups, each with its versions, both in the order clients should prefer them; kinds by name. */
export function servedGroups(
  kinds: readonly ResourceDefinition[],
): readonly (readonly [string, readonly ServedVersion[]])[] {
  const versionsOf = (group: string, all: readonly ResourceDefinition[]): readonly ServedVersion[] =>
    [...Map.groupBy(all, (r) => r.version)]
      .map(([version, own]) => ({ group, version, kinds: own.toSorted((a, b) => (a.plural < b.plural ? -1 : 1)) }))
      .toSorted(
        (a, b) =>
          priorityOf(group, b.version).version - priorityOf(group, a.version).version ||
          compareVersions(b.version, a.version),
      );
  return [...Map.groupBy(kinds, (r) => r.group)]
    .map(([group, all]) => [group, versionsOf(group, all)] as const)
    .toSorted(([a], [b]) => priorityOf(b).group - priorityOf(a).group || (a < b ? -1 : 1));
}
