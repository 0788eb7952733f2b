// The identity of a stateful set's pods: ordinal, name, host name, labels, and the claims that belong to it. Pure.
import { flatText } from "../../api/flat-text.ts";
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet, Volume } from "../../api/generated/types.ts";
import { type Draft, ownedBy } from "../../api/meta.ts";

/** The label with the name of the revision that a pod was made from. */
const revisionLabel = "controller-revision-hash";
const nameLabel = "statefulset.kubernetes.io/pod-name";
const indexLabel = "apps.kubernetes.io/pod-index";

export const firstOrdinal = ({ spec }: StatefulSet): number => spec.ordinals?.start ?? 0;
export const desiredReplicas = ({ spec }: StatefulSet): number => spec.replicas ?? 1;
/** Whether the set wants a pod of this ordinal. */
export const isInRange = (set: StatefulSet, ordinal: number): boolean =>
  ordinal >= firstOrdinal(set) && ordinal < firstOrdinal(set) + desiredReplicas(set);

export const podName = (set: StatefulSet, ordinal: number): string => flatText(set.metadata.name, "-", String(ordinal));

/** The ordinal in the name of a set's pod; undefined for a name that no pod of the set has. */
export function ordinalOf(set: StatefulSet, name: string): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  return /^\d+$/.test(digits) ? Number(digits) : undefined;
}

/** The name of the revision that a pod was made from. */
export const revisionOf = ({ metadata }: Pod): string => metadata.labels?.[revisionLabel] ?? "";

const identityLabels = (set: StatefulSet, ordinal: number): Readonly<Record<string, string>> => ({
  [nameLabel]: podName(set, ordinal),
  [indexLabel]: String(ordinal),
});

/** The pod with the labels of its identity; the same pod when it has them. */
export function withIdentity(set: StatefulSet, ordinal: number, pod: Pod): Pod {
  const labels = identityLabels(set, ordinal);
  const hasAll = Object.entries(labels).every(([name, value]) => pod.metadata.labels?.[name] === value);
  return hasAll ? pod : { ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, ...labels } } };
}

/** The claims of an ordinal, by the name of their volume. */
export const claimDrafts = (
  { metadata, spec }: StatefulSet,
  ordinal: number,
): ReadonlyMap<string, Draft<PersistentVolumeClaim>> =>
  new Map(
    (spec.volumeClaimTemplates ?? []).map((template) => {
      const volume = template.metadata.name;
      const name = flatText(volume, "-", metadata.name, "-", String(ordinal));
      const labels = { ...template.metadata.labels, ...spec.selector.matchLabels };
      const own = { labels, annotations: template.metadata.annotations };
      return [
        volume,
        {
          kind: "PersistentVolumeClaim",
          metadata: { ...own, name, namespace: metadata.namespace },
          spec: template.spec,
        },
      ];
    }),
  );

/** The volumes of a pod, with its claims in the place of volumes of the same name. */
function volumesOf(set: StatefulSet, ordinal: number, template: PodTemplateSpec): readonly Volume[] {
  const claims = claimDrafts(set, ordinal);
  return [
    ...[...claims].map(([name, { metadata }]) => ({ name, persistentVolumeClaim: { claimName: metadata.name! } })),
    ...(template.spec?.volumes ?? []).filter(({ name }) => !claims.has(name)),
  ];
}

/** The pod of an ordinal as a revision describes it. */
export function podDraft(set: StatefulSet, ordinal: number, template: PodTemplateSpec, revision: string): Draft<Pod> {
  const name = podName(set, ordinal);
  const volumes = volumesOf(set, ordinal, template);
  return {
    kind: "Pod",
    metadata: {
      ...template.metadata,
      ...{ name, generateName: `${set.metadata.name}-`, namespace: set.metadata.namespace },
      labels: { ...template.metadata?.labels, ...identityLabels(set, ordinal), [revisionLabel]: revision },
      ownerReferences: [ownedBy(set)],
    },
    spec: {
      ...template.spec!,
      hostname: name,
      ...(set.spec.serviceName && { subdomain: set.spec.serviceName }),
      ...(volumes.length > 0 && { volumes }),
    },
  };
}
