// Which replica set belongs to which template and revision, as names and annotations record it. Pure.
import type { Deployment, PodTemplateSpec, ReplicaSet } from "../../api/generated/types.ts";
import { canonicalJson, hashName } from "../../api/hash.ts";
import { ownedBy, type Draft } from "../../api/meta.ts";

const hashLabel = "pod-template-hash";
export const revisionAnnotation = "deployment.kubernetes.io/revision";
const historyAnnotation = "deployment.kubernetes.io/revision-history";
const desiredAnnotation = "deployment.kubernetes.io/desired-replicas";
const maxAnnotation = "deployment.kubernetes.io/max-replicas";
/** Annotations that belong to the deployment alone and are not handed down. */
const ownAnnotations = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  "deprecated.deployment.rollback.to",
]);

/** Memoizes a function of a template by identity: templates come from views and are never modified. */
function memoized<T>(compute: (template: PodTemplateSpec) => T): (template: PodTemplateSpec) => T {
  const known = new WeakMap<PodTemplateSpec, T>();
  return (template) => {
    const value = known.get(template) ?? compute(template);
    known.set(template, value);
    return value;
  };
}
const textOf = memoized(canonicalJson);
const firstHashOf = memoized((template) => hashName(`${textOf(template)}/0`, 10));

/** Changes with the template and, should two templates ever share a hash, with the count of such collisions. */
export function templateHash({ spec: { template }, status: { collisionCount = 0 } = {} }: Deployment): string {
  return collisionCount === 0 ? firstHashOf(template) : hashName(`${textOf(template)}/${collisionCount}`, 10);
}

const bareTextOf = memoized(({ metadata, spec }) => {
  const { [hashLabel]: _, ...labels } = metadata?.labels ?? {};
  return canonicalJson({ metadata: { ...metadata, labels }, spec });
});
export const sameTemplate = (a: PodTemplateSpec | undefined, b: PodTemplateSpec): boolean =>
  a !== undefined && bareTextOf(a) === bareTextOf(b);

const revisionIn = (text = ""): bigint => (/^\d+$/.test(text) ? BigInt(text) : 0n);
/** A bigint, because users may set the annotation to any number. */
export const revisionOfSet = (s: ReplicaSet): bigint => revisionIn(s.metadata.annotations?.[revisionAnnotation]);
/** The replicas of the deployment when it last scaled this set; undefined when it never did. */
export const desiredOf = (s: ReplicaSet): number | undefined => numberAt(s, desiredAnnotation);
export const maxOf = (s: ReplicaSet): number | undefined => numberAt(s, maxAnnotation);
const numberAt = (s: ReplicaSet, annotation: string): number | undefined => {
  const text = s.metadata.annotations?.[annotation];
  return text === undefined ? undefined : Number(text);
};

export const sizeAnnotations = (d: Deployment, surge: number): Readonly<Record<string, string>> => ({
  [desiredAnnotation]: String(d.spec.replicas ?? 1),
  [maxAnnotation]: String((d.spec.replicas ?? 1) + surge),
});

const inheritedAnnotations = (d: Deployment): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(d.metadata.annotations ?? {}).filter(([k]) => !ownAnnotations.has(k)));

/** Annotations the newest set should carry; a set that comes back remembers the revisions it had. */
export function annotationsOf(
  d: Deployment,
  set: ReplicaSet | undefined,
  revision: bigint,
  surge: number,
): Readonly<Record<string, string>> {
  const before = set?.metadata.annotations ?? {};
  const past = before[revisionAnnotation];
  const returned = past !== undefined && revisionIn(past) < revision;
  const history = returned ? [before[historyAnnotation], past].filter((h) => h).join(",") : before[historyAnnotation];
  return {
    ...before,
    ...inheritedAnnotations(d),
    ...sizeAnnotations(d, surge),
    [revisionAnnotation]: String(revisionIn(past) > revision ? past : revision),
    ...(history ? { [historyAnnotation]: history } : {}),
  };
}

/** A new replica set for the deployment's present template. */
export function replicaSetFor(d: Deployment, revision: bigint, replicas: number, surge: number): Draft<ReplicaSet> {
  const hash = templateHash(d);
  const { template } = d.spec;
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  return {
    kind: "ReplicaSet",
    metadata: {
      name: `${d.metadata.name}-${hash}`,
      namespace: d.metadata.namespace,
      labels,
      annotations: annotationsOf(d, undefined, revision, surge),
      ownerReferences: [ownedBy(d)],
    },
    spec: {
      replicas,
      minReadySeconds: d.spec.minReadySeconds,
      selector: { ...d.spec.selector, matchLabels: { ...d.spec.selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}
