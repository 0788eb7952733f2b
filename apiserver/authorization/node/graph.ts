// Which nodes reach which objects: through pods that are bound to them, through the volumes of their pods' claims, and
// by name. A change costs what the changed object refers to, a decision one or two look-ups.
import type { PersistentVolume, Pod } from "../../../api/generated/types.ts";
import { type Key, key } from "../../../api/meta.ts";
import { type ObjectId, type ReachedKind, objectId, reachedThrough, secretsToMount } from "./references.ts";

/** What one object lets a node reach. */
interface Reach {
  readonly nodeName: string;
  readonly ids: ReadonlySet<ObjectId>;
}
/** A volume that is bound to a claim. */
interface BoundVolume {
  readonly claim: ObjectId;
  readonly secrets: readonly ObjectId[];
}

export interface NodeGraph {
  /** Undefined when there is no such object any more. */
  setPod(at: Key, pod: Pod | undefined): void;
  setVolume(at: Key, volume: PersistentVolume | undefined): void;
  /** Sets the node that an object names itself. */
  setNamed(kind: "resourceslices" | "volumeattachments", at: Key, nodeName: string | undefined): void;
  /** Whether the node may read the object because of what it runs. */
  reaches(nodeName: string, kind: ReachedKind, at: Key): boolean;
}

/** The nodes that reach each object, and by how many others they do. */
function reachCounts() {
  const nodesOf = new Map<ObjectId, Map<string, number>>();
  const reachOf = new Map<ObjectId, Reach>();
  const count = (id: ObjectId, nodeName: string, by: 1 | -1): void => {
    const nodes = nodesOf.get(id) ?? new Map<string, number>();
    const next = (nodes.get(nodeName) ?? 0) + by;
    if (next > 0) nodes.set(nodeName, next);
    else nodes.delete(nodeName);
    if (nodes.size > 0) nodesOf.set(id, nodes);
    else nodesOf.delete(id);
  };
  return {
    set(source: ObjectId, next: Reach | undefined): void {
      const before = reachOf.get(source);
      // Most updates are of a status, which refers to nothing new.
      if (before && before.nodeName === next?.nodeName && before.ids.symmetricDifference(next.ids).size === 0) return;
      for (const id of before?.ids ?? []) count(id, before!.nodeName, -1);
      for (const id of next?.ids ?? []) count(id, next!.nodeName, 1);
      if (next) reachOf.set(source, next);
      else reachOf.delete(source);
    },
    has: (id: ObjectId, nodeName: string): boolean => nodesOf.get(id)?.has(nodeName) === true,
  };
}

/** The volumes, and those of them that each Secret mounts. */
function boundVolumes() {
  const volumes = new Map<Key, BoundVolume>();
  const mountedWith = new Map<ObjectId, Set<Key>>();
  return {
    set(at: Key, next: BoundVolume | undefined): void {
      for (const secret of volumes.get(at)?.secrets ?? []) {
        const keys = mountedWith.get(secret);
        if (keys?.delete(at) && keys.size === 0) mountedWith.delete(secret);
      }
      for (const secret of next?.secrets ?? [])
        mountedWith.set(secret, (mountedWith.get(secret) ?? new Set<Key>()).add(at));
      if (next) volumes.set(at, next);
      else volumes.delete(at);
    },
    claimOf: (at: Key): ObjectId | undefined => volumes.get(at)?.claim,
    mountedWith: (secret: ObjectId): ReadonlySet<Key> | undefined => mountedWith.get(secret),
  };
}

/** Without objects: no node reaches anything. */
export function nodeGraph(): NodeGraph {
  const reaches = reachCounts();
  const volumes = boundVolumes();
  const reachesVolume = (nodeName: string, at: Key): boolean => {
    const claim = volumes.claimOf(at);
    return claim !== undefined && reaches.has(claim, nodeName);
  };
  return {
    setPod(at, pod) {
      const nodeName = pod?.spec.nodeName;
      reaches.set(objectId("pods", at), pod && nodeName ? { nodeName, ids: reachedThrough(pod) } : undefined);
    },
    setVolume(at, volume) {
      const { namespace, name } = volume?.spec.claimRef ?? {};
      const claim = name ? objectId("persistentvolumeclaims", key(namespace, name)) : undefined;
      volumes.set(at, volume && claim ? { claim, secrets: secretsToMount(volume) } : undefined);
    },
    setNamed(kind, at, nodeName) {
      const id = objectId(kind, at);
      reaches.set(id, nodeName ? { nodeName, ids: new Set([id]) } : undefined);
    },
    reaches(nodeName, kind, at) {
      if (kind === "persistentvolumes") return reachesVolume(nodeName, at);
      const id = objectId(kind, at);
      if (reaches.has(id, nodeName)) return true;
      for (const volume of volumes.mountedWith(id) ?? []) if (reachesVolume(nodeName, volume)) return true;
      return false;
    },
  };
}
