// Deletes what its owners left behind, in the order the deleter chose. Not a pure decision: an owner missing from a
// view may merely be late, so before anything is deleted the API itself is asked, one owner at a time.
import { sameJson } from "../../api/hash.ts";
import { type Key, keyOf, type ApiObject, type OwnerReference } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import type { Reconciler } from "../../machinery/controller.ts";
import type { Informer } from "../../machinery/informer.ts";
import { idOf, ownerGraph, type Found, type OwnerGraph } from "./graph.ts";
import { foreground, isWaiting, judge, orphan } from "./owners.ts";

/** Who owns it, or that it is going, is new: what else changes about an object is no business of ours. */
const concernsUs = (o: ApiObject, before: ApiObject | undefined): boolean =>
  before === undefined ||
  before.metadata.deletionTimestamp !== o.metadata.deletionTimestamp ||
  !sameJson(before.metadata.ownerReferences, o.metadata.ownerReferences) ||
  !sameJson(before.metadata.finalizers, o.metadata.finalizers);

/** What to look at again when an object changes: itself, what depends on it, and who has waited for it. */
function keysOf(graph: OwnerGraph, informer: Informer<ApiObject>, o: ApiObject, before?: ApiObject): readonly Key[] {
  const dependents = (): readonly Key[] =>
    graph.dependentsOf(o.metadata.uid).map((d) => idOf(d.resource, keyOf(d.object)));
  if (informer.lister.get(keyOf(o)) === undefined) return [...dependents(), ...graph.ownersOf(o)];
  if (!concernsUs(o, before)) return [];
  const own = o.metadata.ownerReferences || o.metadata.deletionTimestamp ? [idOf(informer.resource, keyOf(o))] : [];
  // Who waited for it may not have to any more.
  const freed = before && !sameJson(before.metadata.ownerReferences, o.metadata.ownerReferences);
  return [...own, ...(freed ? graph.ownersOf(before) : []), ...(isWaiting(o) ? dependents() : [])];
}

export function garbageCollector(informers: readonly Informer<ApiObject>[], client: Client): Reconciler {
  const graph = ownerGraph(informers, client);
  const without = ({ resource, object }: Found, finalizer: string): Promise<unknown> => {
    const finalizers = object.metadata.finalizers?.filter((f) => f !== finalizer);
    return client.update(resource, { ...object, metadata: { ...object.metadata, finalizers } });
  };
  const release = ({ resource, object }: Found, ownerReferences: readonly OwnerReference[]): Promise<unknown> => {
    const metadata = { uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion, ownerReferences };
    return client.patch(resource, keyOf(object), { type: "merge", patch: { metadata } });
  };

  const finishDeletion = async (found: Found): Promise<void> => {
    const { metadata } = found.object;
    const dependents = graph.dependentsOf(metadata.uid);
    if (metadata.finalizers?.includes(orphan)) {
      for (const d of dependents)
        await release(
          d,
          d.object.metadata.ownerReferences!.filter((r) => r.uid !== metadata.uid),
        );
      await without(found, orphan);
    } else if (metadata.finalizers?.includes(foreground)) {
      const blocking = dependents.some((d) =>
        d.object.metadata.ownerReferences?.some((r) => r.uid === metadata.uid && r.blockOwnerDeletion),
      );
      // The dependents themselves are looked at under their own keys, and each one's end brings us back here.
      if (!blocking) await without(found, foreground);
    }
  };
  const followOwners = async (found: Found): Promise<void> => {
    const { object, resource } = found;
    const refs = object.metadata.ownerReferences ?? [];
    const standings = new Map(
      await Promise.all(refs.map(async (r) => [r, await graph.standingOf(object, r)] as const)),
    );
    const verdict = judge(object, (r) => standings.get(r)!, graph.dependentsOf(object.metadata.uid).length > 0);
    if (verdict.do === "release") await release(found, verdict.owners);
    // Owners in a circle would wait for each other for ever.
    const circles = verdict.do === "delete" && graph.dependentsOf(object.metadata.uid).some((d) => isWaiting(d.object));
    if (circles && refs.some((r) => r.blockOwnerDeletion))
      await release(
        found,
        refs.map((r) => ({ ...r, blockOwnerDeletion: false })),
      );
    if (verdict.do === "delete")
      await client.delete(resource, keyOf(object), {
        uid: object.metadata.uid,
        propagationPolicy: verdict.propagationPolicy,
      });
  };

  return {
    name: "garbagecollector",
    watches: informers.map((informer) => ({
      informer,
      keys: (o: ApiObject, before?: ApiObject) => keysOf(graph, informer, o, before),
    })),
    async reconcile(id) {
      const found = graph.find(id);
      if (found === undefined) return undefined;
      if (found.object.metadata.deletionTimestamp !== undefined) await finishDeletion(found);
      else await followOwners(found);
      return undefined;
    },
  };
}
