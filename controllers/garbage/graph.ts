// Who owns whom, over all kinds: asked of the views first, and of the API where a view may be behind.
import { hasReason } from "../../api/errors.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import { key, type ApiObject, type Key, type OwnerReference } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import type { Informer } from "../../machinery/informer.ts";
import { isWaiting, type Standing } from "./owners.ts";

/** Kind and key in one, because this controller works on all kinds: `apps/v1/ReplicaSet|default/web`. */
export const idOf = (r: ResourceDefinition, k: Key): Key => `${apiVersionOf(r)}/${r.kind}|${k}` as Key;

export interface Found {
  readonly resource: ResourceDefinition;
  readonly object: ApiObject;
}

/** The questions the garbage collector asks. Informers must be indexed by `dependent`. */
export interface OwnerGraph {
  find(id: Key): Found | undefined;
  dependentsOf(uid: string): readonly Found[];
  ownersOf(object: ApiObject): readonly Key[];
  standingOf(object: ApiObject, reference: OwnerReference): Promise<Standing>;
}

export function ownerGraph(informers: readonly Informer<ApiObject>[], client: Client): OwnerGraph {
  const byKind = new Map(informers.map((i) => [`${apiVersionOf(i.resource)}/${i.resource.kind}`, i]));
  const dependentsOf = (uid: string): readonly Found[] =>
    informers.flatMap((i) => i.lister.byIndex("dependent", uid).map((object) => ({ resource: i.resource, object })));
  const ownerKey = (object: ApiObject, ref: OwnerReference, owner: ResourceDefinition): Key =>
    key(owner.scope === "Namespaced" ? object.metadata.namespace : undefined, ref.name);
  const ownersOf = (o: ApiObject): readonly Key[] =>
    (o.metadata.ownerReferences ?? []).flatMap((ref) => {
      const owner = byKind.get(`${ref.apiVersion}/${ref.kind}`)?.resource;
      return owner ? [idOf(owner, ownerKey(o, ref, owner))] : [];
    });

  const standingOf = async (object: ApiObject, ref: OwnerReference): Promise<Standing> => {
    const informer = byKind.get(`${ref.apiVersion}/${ref.kind}`);
    if (!informer) return "unknown";
    const k = ownerKey(object, ref, informer.resource);
    const seen = informer.lister.get(k);
    if (seen?.metadata.uid === ref.uid) return isWaiting(seen) ? "waiting" : "solid";
    try {
      const live = await client.get(informer.resource, k);
      return live.metadata.uid !== ref.uid ? "gone" : isWaiting(live) ? "waiting" : "solid";
    } catch (e) {
      if (hasReason(e, "NotFound")) return "gone";
      throw e;
    }
  };
  return {
    dependentsOf,
    ownersOf,
    standingOf,
    find(id) {
      const [kind = "", k = ""] = id.split("|");
      const informer = byKind.get(kind);
      const object = informer?.lister.get(k as Key);
      return informer && object && { resource: informer.resource, object };
    },
  };
}
