// Which replica set belongs to which template and revision, as names and annotations record it; and the arithmetic of a
// rollout: the surge and unavailability around the desired number, and the size of each set. Pure.
import type { Deployment, PodTemplateSpec, ReplicaSet } from "../../api/generated/types.ts";
import { flatText } from "../../api/flat-text.ts";
import { canonicalJson, canonicalText, hashName, memoized } from "../../api/hash.ts";
import { share } from "../../api/int-or-percent.ts";
import { ownedBy, type Draft, instantOf } from "../../api/meta.ts";

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

const firstHashOf = memoized((template: PodTemplateSpec) => hashName(`${canonicalText(template)}/0`, 10));

/** Changes with the template and, should two templates ever share a hash, with the count of such collisions. */
export function templateHash({ spec: { template }, status: { collisionCount = 0 } = {} }: Deployment): string {
  return collisionCount === 0 ? firstHashOf(template) : hashName(`${canonicalText(template)}/${collisionCount}`, 10);
}

const bareTextOf = memoized(({ metadata, spec }: PodTemplateSpec) => {
  const { [hashLabel]: _, ...labels } = metadata?.labels ?? {};
  return canonicalJson({ metadata: { ...metadata, labels }, spec });
});
export const sameTemplate = (a: PodTemplateSpec | undefined, b: PodTemplateSpec): boolean =>
  a !== undefined && bareTextOf(a) === bareTextOf(b);

const revisionIn = (text = ""): bigint => (/^\d+$/.test(text) ? BigInt(text) : 0n);
/** A bigint, because users may set the annotation to any number. */
export const revisionOfSet = (s: ReplicaSet): bigint => revisionIn(s.metadata.annotations?.[revisionAnnotation]);
/** The replicas of the deployment when it last scaled this set; undefined when it never did. */
const desiredOf = (s: ReplicaSet): number | undefined => numberAt(s, desiredAnnotation);
const maxOf = (s: ReplicaSet): number | undefined => numberAt(s, maxAnnotation);
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

/** Annotations of the newest set; a reused set keeps the list of its former revisions. */
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
      name: flatText(d.metadata.name, "-", hash),
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

export interface Bounds {
  readonly desired: number;
  readonly surge: number;
  readonly unavailable: number;
}

/** Pods allowed above and missing below the desired number. Both zero would never move, so one may then be missing. */
export function boundsOf(d: Deployment): Bounds {
  const desired = d.spec.replicas ?? 1;
  if (d.spec.strategy?.type === "Recreate") return { desired, surge: 0, unavailable: desired };
  const rolling = d.spec.strategy?.rollingUpdate;
  const surge = share(rolling?.maxSurge ?? "25%", desired, Math.ceil);
  const unavailable = Math.min(desired, share(rolling?.maxUnavailable ?? "25%", desired, Math.floor));
  return { desired, surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export const sizeOf = (s: ReplicaSet): number => s.spec.replicas ?? 1;
const availableIn = (s: ReplicaSet): number => s.status?.availableReplicas ?? 0;
const sum = (sets: readonly ReplicaSet[], of: (s: ReplicaSet) => number): number => sets.reduce((n, s) => n + of(s), 0);
export const totalSize = (sets: readonly ReplicaSet[]): number => sum(sets, sizeOf);
export const totalAvailable = (sets: readonly ReplicaSet[]): number => sum(sets, availableIn);
export const totalReplicas = (sets: readonly ReplicaSet[]): number => sum(sets, (s) => s.status?.replicas ?? 0);

/** Oldest first, ties by name. */
export const byAge = (a: ReplicaSet, b: ReplicaSet): number =>
  instantOf(a.metadata.creationTimestamp) - instantOf(b.metadata.creationTimestamp) ||
  (a.metadata.name < b.metadata.name ? -1 : 1);

/** One set and the size it should have next. */
export interface Resize {
  readonly set: ReplicaSet;
  readonly to: number;
}

/** The newest set's size: as much as the surge leaves room for. */
export function newSetSize(current: number, others: number, { desired, surge }: Bounds): number {
  if (current >= desired) return desired;
  return current + Math.max(0, Math.min(desired + surge - current - others, desired - current));
}

/** How far the old sets may shrink now: first what is broken anyway, then what availability allows, oldest first. */
export function shrinkOld(newest: ReplicaSet, old: readonly ReplicaSet[], bounds: Bounds): readonly Resize[] {
  const floor = bounds.desired - bounds.unavailable;
  const ordered = old.filter((s) => sizeOf(s) > 0).toSorted(byAge);
  const missingInNew = Math.max(0, sizeOf(newest) - availableIn(newest));
  let spare = totalSize([newest, ...ordered]) - floor - missingInNew;
  const sizes = new Map(ordered.map((s) => [s, sizeOf(s)]));
  for (const s of ordered) {
    const broken = Math.min(Math.max(0, spare), Math.max(0, sizeOf(s) - availableIn(s)));
    sizes.set(s, sizes.get(s)! - broken);
    spare -= broken;
  }
  let expendable = Math.max(0, Math.min(spare, totalAvailable([newest, ...ordered]) - floor));
  for (const s of ordered) {
    const step = Math.min(expendable, sizes.get(s)!);
    sizes.set(s, sizes.get(s)! - step);
    expendable -= step;
  }
  return ordered.flatMap((set) => (sizes.get(set) === sizeOf(set) ? [] : [{ set, to: sizes.get(set)! }]));
}

/** The deployment was resized since it last sized one of its live sets. */
export const wasResized = (d: Deployment, sets: readonly ReplicaSet[]): boolean =>
  sets.some((s) => sizeOf(s) > 0 && desiredOf(s) !== undefined && desiredOf(s) !== (d.spec.replicas ?? 1));

/**
 * During a rollout a resize is distributed over all live sets in proportion, so that the ratio of versions is kept.
 * The remainder of rounding goes to the largest set.
 */
export function proportional(sets: readonly ReplicaSet[], { desired, surge }: Bounds): readonly Resize[] {
  const live = sets.filter((s) => sizeOf(s) > 0);
  const allowed = desired > 0 ? desired + surge : 0;
  const toAdd = allowed - totalSize(live);
  const growing = toAdd > 0;
  const ordered = live.toSorted((a, b) => sizeOf(b) - sizeOf(a) || (growing ? byAge(b, a) : byAge(a, b)));
  let left = toAdd;
  const sizes = ordered.map((set) => {
    const base = maxOf(set) || totalSize(live);
    const fraction = Math.round((sizeOf(set) * allowed) / base) - sizeOf(set);
    const step = growing ? Math.max(0, Math.min(fraction, left)) : Math.min(0, Math.max(fraction, left));
    left -= step;
    return { set, to: sizeOf(set) + step };
  });
  return sizes.map(({ set, to }, i) => ({ set, to: Math.max(0, i === 0 ? to + left : to) }));
}
