// The next step of a deployment: create a replica set for a new template, scale sets, roll back, clean up. Pure.
import { isTerminal } from "../../api/core/pod/status.ts";
import type { Deployment, Pod, ReplicaSet } from "../../api/generated/types.ts";
import { deployments } from "../../api/apps/deployments.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import type { Instant } from "../../api/meta.ts";
import { type Action, recordEvent, statusTo, updateTo } from "../../machinery/action.ts";
import { claim } from "../../machinery/selector-index.ts";
import type { Decision } from "../../machinery/controller.ts";
import {
  boundsOf,
  byAge,
  newSetSize,
  proportional,
  shrinkOld,
  sizeOf,
  totalSize,
  wasResized,
  type Bounds,
  type Resize,
  annotationsOf,
  replicaSetFor,
  revisionAnnotation,
  revisionOfSet,
  sameTemplate,
  sizeAnnotations,
  templateHash,
} from "./rollout.ts";
import { isComplete, statusOf } from "./status.ts";

export interface Observed {
  readonly deployment: Deployment;
  /** Replica sets it controls, and uncontrolled ones that its selector picks. */
  readonly sets: readonly ReplicaSet[];
  /** Pods of those sets; observed for the strategy Recreate only. */
  readonly pods: readonly Pod[];
  /** The name the next set would get is taken by a set of another owner. */
  readonly nameTaken: boolean;
}

const scaledEvent = (d: Deployment, set: { readonly name: string }, from: number, to: number): Action => {
  const message = `Scaled ${to > from ? "up" : "down"} replica set ${set.name} from ${from} to ${to}`;
  return recordEvent(d, "Normal", "ScalingReplicaSet", message);
};

/** Scales a set, and annotates the size it is part of. A set that has both is not written. */
function resize(d: Deployment, { set, to }: Resize, bounds: Bounds): readonly Action[] {
  const annotations = { ...set.metadata.annotations, ...sizeAnnotations(d, bounds.surge) };
  const object = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas: to } };
  const update = updateTo<ReplicaSet>(replicaSets, set, object);
  return to === sizeOf(set) ? update : [...update, scaledEvent(d, set.metadata, sizeOf(set), to)];
}

interface Sorted {
  readonly newest: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  readonly revision: bigint;
}
/** The oldest set with the current template is the new version: one template has one set. */
function sortSets({ deployment: d, sets }: Observed): Sorted {
  const newest = sets.toSorted(byAge).find((s) => sameTemplate(s.spec.template, d.spec.template));
  const old = sets.filter((s) => s !== newest);
  const highest = old
    .map(revisionOfSet)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .at(-1);
  return { newest, old, revision: (highest ?? 0n) + 1n };
}

/** Gives the set of the current template the highest revision, also when the template was rolled back to. */
function withRevision(d: Deployment, { newest, revision }: Sorted, bounds: Bounds): readonly Action[] {
  if (newest === undefined) return [];
  const annotations = annotationsOf(d, newest, revision, bounds.surge);
  const spec = { ...newest.spec, minReadySeconds: d.spec.minReadySeconds };
  return updateTo<ReplicaSet>(replicaSets, newest, { ...newest, metadata: { ...newest.metadata, annotations }, spec });
}

function create({ deployment: d, nameTaken }: Observed, { old, revision }: Sorted, bounds: Bounds): readonly Action[] {
  if (nameTaken) {
    const status = { ...d.status, collisionCount: (d.status?.collisionCount ?? 0) + 1 };
    return [{ do: "status", resource: deployments, object: d, status }];
  }
  const replicas = newSetSize(0, totalSize(old), bounds);
  const draft = replicaSetFor(d, revision, replicas, bounds.surge);
  const made: Action = { do: "create", resource: replicaSets, draft };
  return replicas === 0 ? [made] : [made, scaledEvent(d, { name: draft.metadata.name! }, 0, replicas)];
}

function rolling(observed: Observed, sorted: Sorted, bounds: Bounds): readonly Action[] {
  const { newest, old } = sorted;
  const d = observed.deployment;
  if (newest === undefined) return create(observed, sorted, bounds);
  const to = newSetSize(sizeOf(newest), totalSize(old), bounds);
  const grown = resize(d, { set: newest, to }, bounds);
  // One direction at a time: availability is judged by what the view shows, not by what was just requested.
  return grown.length > 0 ? grown : shrinkOld(newest, old, bounds).flatMap((r) => resize(d, r, bounds));
}

/** All old pods must be removed, not only terminating, before the first new one starts. */
function recreate(observed: Observed, sorted: Sorted, bounds: Bounds): readonly Action[] {
  const { newest, old } = sorted;
  const d = observed.deployment;
  const live = old.filter((s) => sizeOf(s) > 0);
  if (live.length > 0) return live.flatMap((set) => resize(d, { set, to: 0 }, bounds));
  const uids = new Set(old.map((s) => s.metadata.uid));
  const isOld = (p: Pod): boolean => p.metadata.ownerReferences?.some((r) => uids.has(r.uid)) === true;
  if (observed.pods.some((p) => isOld(p) && !isTerminal(p))) return [];
  return newest ? resize(d, { set: newest, to: bounds.desired }, bounds) : create(observed, sorted, bounds);
}

/** A change of replicas alone: between rollouts of the one live set, during one of all sets in proportion. */
function scale({ deployment: d, sets }: Observed, { newest, old }: Sorted, bounds: Bounds): readonly Action[] {
  const live = sets.filter((s) => sizeOf(s) > 0);
  const only = live.length <= 1 ? (live[0] ?? newest) : undefined;
  if (only) return resize(d, { set: only, to: bounds.desired }, bounds);
  if (newest && sizeOf(newest) === bounds.desired && (newest.status?.availableReplicas ?? 0) === bounds.desired)
    return old.filter((s) => sizeOf(s) > 0).flatMap((set) => resize(d, { set, to: 0 }, bounds));
  if (d.spec.strategy?.type === "Recreate") return [];
  return proportional(sets, bounds).flatMap((r) => resize(d, r, bounds));
}

/** Deletes empty sets beyond the history limit, the oldest revisions first. */
function cleanUp(d: Deployment, old: readonly ReplicaSet[]): readonly Action[] {
  const empty = (s: ReplicaSet): boolean =>
    sizeOf(s) === 0 &&
    (s.status?.replicas ?? 0) === 0 &&
    s.metadata.deletionTimestamp === undefined &&
    s.status?.observedGeneration === s.metadata.generation;
  const candidates = old.filter(empty).toSorted((a, b) => Number(revisionOfSet(a) - revisionOfSet(b)) || byAge(a, b));
  const excess = Math.max(0, old.length - (d.spec.revisionHistoryLimit ?? 10));
  return candidates.slice(0, excess).map((object) => ({ do: "delete", resource: replicaSets, object }) as const);
}

function scalingOf(observed: Observed, sorted: Sorted, bounds: Bounds): readonly Action[] {
  const d = observed.deployment;
  if (d.spec.paused === true) return scale(observed, sorted, bounds);
  const annotated = withRevision(d, sorted, bounds);
  if (wasResized(d, observed.sets)) return scale(observed, sorted, bounds);
  if (annotated.length > 0) return annotated;
  return d.spec.strategy?.type === "Recreate" ? recreate(observed, sorted, bounds) : rolling(observed, sorted, bounds);
}

/** Annotates the deployment with its revision: `kubectl rollout history` and `undo` read it there. */
function ownRevision(d: Deployment, newest: ReplicaSet | undefined): readonly Action[] {
  const revision = newest?.metadata.annotations?.[revisionAnnotation];
  if (revision === undefined || d.metadata.annotations?.[revisionAnnotation] === revision) return [];
  const patch = { metadata: { annotations: { [revisionAnnotation]: revision } } };
  return [{ do: "patch", resource: deployments, object: d, patch: { type: "merge", patch } }];
}

export function decide(observed: Observed, now: Instant): Decision {
  const { deployment: d, sets } = observed;
  const claims = claim({ kind: deployments, object: d, selector: d.spec.selector }, replicaSets, sets).actions;
  // Claims are a decision of their own: the next one uses the sets after them.
  if (claims.length > 0) return { actions: claims, because: ["replica sets are adopted or released first"] };
  const bounds = boundsOf(d);
  const sorted = sortSets(observed);
  const { status, deadline } = statusOf(d, sets, sorted.newest, now);
  const isDeleted = d.metadata.deletionTimestamp !== undefined;
  const scaling = isDeleted ? [] : scalingOf(observed, sorted, bounds);
  const cleaning = isDeleted || scaling.length > 0 || !isComplete(d, status) ? [] : cleanUp(d, sorted.old);
  const revision = isDeleted ? [] : ownRevision(d, sorted.newest);
  // A status written beside a patch of the same object would lose the race with it.
  const isWritten = revision.length > 0 || scaling.some((m) => m.do === "status");
  const report = isWritten ? [] : statusTo(deployments, d, status);
  return {
    actions: [...scaling, ...revision, ...report, ...cleaning],
    because: [
      `${bounds.desired} wanted, up to ${bounds.surge} more and ${bounds.unavailable} fewer while rolling out ${templateHash(d)}`,
    ],
    ...(deadline === undefined ? {} : { requeueAfter: Math.max(0, deadline - now) + 1 }),
  };
}
