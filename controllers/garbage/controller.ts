// Garbage collector: deletes objects whose owners are deleted, by their propagation policy. Not a pure decision: a
// view can be stale, so the API is read before anything is deleted.
import { sameJson } from "../../api/hash.ts";
import { type ApiObject, type Key, keyOf, type OwnerReference } from "../../api/meta.ts";
import { ownersWithout } from "../../machinery/action.ts";
import type { Client } from "../../machinery/client.ts";
import type { Reconciled, Reconciler } from "../../machinery/controller.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import { reasonOf } from "../../machinery/decisions.ts";
import type { ChangeType } from "../../machinery/view.ts";
import type { SharedViews } from "../../machinery/informer.ts";
import { type Found, idOf, ownerGraph, type OwnerGraph, foreground, isWaiting, verdictOf, orphan } from "./graph.ts";

/** Only ownership, finalizers and deletion matter here; most changes are of none of them. */
const isRelevant = (o: ApiObject, before: ApiObject | undefined): boolean =>
  before === undefined ||
  before.metadata.deletionTimestamp !== o.metadata.deletionTimestamp ||
  !sameJson(before.metadata.ownerReferences, o.metadata.ownerReferences) ||
  !sameJson(before.metadata.finalizers, o.metadata.finalizers);

/** The keys a change concerns: the object's own, its dependents', and those of owners that waited for it. */
function keysOf(
  graph: OwnerGraph,
  { resource, object: o }: Found,
  before: ApiObject | undefined,
  type: ChangeType,
): readonly Key[] {
  const dependents = (): readonly Key[] =>
    graph.dependentsOf(o.metadata.uid).map((d) => idOf(d.resource, keyOf(d.object)));
  if (type === "deleted") return [...dependents(), ...graph.ownersOf(o)];
  if (!isRelevant(o, before)) return [];
  const own = o.metadata.ownerReferences || o.metadata.deletionTimestamp ? [idOf(resource, keyOf(o))] : [];
  // An owner may have waited for a reference that is removed.
  const isReleased = before && !sameJson(before.metadata.ownerReferences, o.metadata.ownerReferences);
  return [...own, ...(isReleased ? graph.ownersOf(before) : []), ...(isWaiting(o) ? dependents() : [])];
}

const line = (done: string, { resource, object }: Found): string => `${done} ${resource.plural} ${keyOf(object)}`;

export function garbageCollector(kinds: KindRegistry, views: SharedViews, client: Client): Reconciler {
  const graph = ownerGraph(kinds, views, client);
  const patchMetadata = ({ resource, object }: Found, change: object): Promise<unknown> => {
    const { uid, resourceVersion } = object.metadata;
    const patch = { metadata: { uid, resourceVersion, ...change } };
    return client.patch(resource, keyOf(object), { type: "merge", patch });
  };
  const without = (found: Found, finalizer: string): Promise<unknown> =>
    patchMetadata(found, { finalizers: found.object.metadata.finalizers?.filter((f) => f !== finalizer) });
  const release = (found: Found, ownerReferences: readonly OwnerReference[]): Promise<unknown> =>
    patchMetadata(found, { ownerReferences });

  const finishDeletion = async (found: Found): Promise<Reconciled | undefined> => {
    const { metadata } = found.object;
    const dependents = graph.dependentsOf(metadata.uid);
    if (metadata.finalizers?.includes(orphan)) {
      for (const d of dependents) await release(d, ownersWithout(d.object, metadata.uid));
      await without(found, orphan);
      return { because: ["its dependents are orphaned"], done: dependents.map((d) => line("release", d)) };
    }
    if (metadata.finalizers?.includes(foreground)) {
      const blocks = (r: OwnerReference): boolean => r.uid === metadata.uid && r.blockOwnerDeletion === true;
      const blocking = dependents.some((d) => d.object.metadata.ownerReferences?.some(blocks));
      // Dependents are deleted under their own keys, and the deletion of each enqueues this one.
      if (blocking) return { because: ["dependents that block its deletion are left"] };
      await without(found, foreground);
      return { because: ["its dependents are deleted"], done: [line("finalize", found)] };
    }
    return undefined;
  };
  const followOwners = async (found: Found): Promise<Reconciled | undefined> => {
    const { object, resource } = found;
    const refs = object.metadata.ownerReferences ?? [];
    const states = new Map(await Promise.all(refs.map(async (r) => [r, await graph.stateOf(object, r)] as const)));
    const verdict = verdictOf(object, (r) => states.get(r)!, graph.dependentsOf(object.metadata.uid).length > 0);
    if (verdict.do === "keep") return undefined;
    if (verdict.do === "release") {
      await release(found, verdict.owners);
      return { because: ["owners are gone, and others are left"], done: [line("release", found)] };
    }
    // Owners in a circle would wait for each other for ever.
    const circles = graph.dependentsOf(object.metadata.uid).some((d) => isWaiting(d.object));
    const unblocked = refs.map((r) => ({ ...r, blockOwnerDeletion: false }));
    if (circles && refs.some((r) => r.blockOwnerDeletion)) await release(found, unblocked);
    // Exactly this version: an object whose owners changed meanwhile is reconciled again.
    const { uid, resourceVersion } = object.metadata;
    const { propagationPolicy } = verdict;
    await client.delete(resource, keyOf(object), { uid, resourceVersion, propagationPolicy });
    return { because: ["all its owners are gone or wait for it"], done: [line("delete", found)] };
  };

  return {
    name: "garbagecollector",
    watches: [],
    listen(enqueue, signal) {
      graph.follow((resource, object, before, type) => {
        const reason = reasonOf(type, object);
        for (const k of keysOf(graph, { resource, object }, before, type)) enqueue(k, reason);
      }, signal);
    },
    async reconcile(id, _views, signal) {
      // A view that is not filled yet would hide dependents.
      await graph.filled(signal);
      const found = graph.find(id);
      if (found === undefined) return undefined;
      return found.object.metadata.deletionTimestamp === undefined ? followOwners(found) : finishDeletion(found);
    },
  };
}
