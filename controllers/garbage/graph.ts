// Which object owns which, over every stored kind, and what becomes of an object by the state of its owners. Read from
// views of metadata, and from the API where a view may be behind. Informers start and stop with the kinds.
import { type ApiObject, type OwnerReference, type Key, key, revision } from "../../api/meta.ts";
import { ifFound } from "../../api/errors.ts";
import { apiVersionOf, isStored, type ResourceDefinition } from "../../api/kinds.ts";
import { onAbort, succeeds } from "../../machinery/abort.ts";
import type { Client } from "../../machinery/client.ts";
import type { Informer, SharedViews } from "../../machinery/informer.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { ChangeType, Indexes } from "../../machinery/view.ts";

/** The state of an owner. `waiting` is in foreground deletion; `unknown` is of a kind that is not served. */
export type OwnerState = "solid" | "gone" | "waiting" | "unknown";
type Verdict =
  | { readonly do: "keep" }
  | { readonly do: "release"; readonly owners: readonly OwnerReference[] }
  | { readonly do: "delete"; readonly propagationPolicy: "Background" | "Foreground" };

export const foreground = "foregroundDeletion";
export const orphan = "orphan";

export const isWaiting = (o: ApiObject): boolean =>
  o.metadata.deletionTimestamp !== undefined && o.metadata.finalizers?.includes(foreground) === true;

/** One solid owner keeps an object. A waiting owner is not kept waiting by it. */
export function verdictOf(
  object: ApiObject,
  stateOf: (r: OwnerReference) => OwnerState,
  hasDependents: boolean,
): Verdict {
  const owners = object.metadata.ownerReferences ?? [];
  const of = (s: OwnerState): readonly OwnerReference[] => owners.filter((r) => stateOf(r) === s);
  if (owners.length === 0 || of("unknown").length > 0) return { do: "keep" };
  const left = [...of("gone"), ...of("waiting")];
  if (of("solid").length > 0) return left.length === 0 ? { do: "keep" } : { do: "release", owners: of("solid") };
  if (object.metadata.deletionTimestamp !== undefined) return { do: "keep" };
  return { do: "delete", propagationPolicy: of("waiting").length > 0 && hasDependents ? "Foreground" : "Background" };
}

/** Kind and key in one, because this controller works on all kinds: `apps/v1/ReplicaSet|default/web`. */
export const idOf = (r: ResourceDefinition, k: Key): Key => `${apiVersionOf(r)}/${r.kind}|${k}` as Key;

/** Objects by the uids of all their owners. */
const byOwners: Indexes<ApiObject> = { owners: (o) => (o.metadata.ownerReferences ?? []).map((r) => r.uid) };

/** Events are never collected: they expire, and nothing owns them (Kubernetes ignores them as well). */
const isCollected = (r: ResourceDefinition): boolean => isStored(r) && r.kind !== "Event";

/** An object of a followed kind. Of the object only its metadata is there. */
export interface Found {
  readonly resource: ResourceDefinition;
  readonly object: ApiObject;
}
type Handler = (r: ResourceDefinition, object: ApiObject, before: ApiObject | undefined, type: ChangeType) => void;

/** What the garbage collector reads. */
export interface OwnerGraph {
  /** Follows the kinds served now and later, until the signal aborts. */
  follow(handler: Handler, signal: AbortSignal): void;
  /** Resolves when every view is filled. */
  filled(signal: AbortSignal): Promise<void>;
  find(id: Key): Found | undefined;
  dependentsOf(uid: string): readonly Found[];
  ownersOf(object: ApiObject): readonly Key[];
  stateOf(object: ApiObject, reference: OwnerReference): Promise<OwnerState>;
}

interface Followed {
  readonly informer: Informer<ApiObject>;
  /** Aborted when the kind is no longer served or followed. */
  readonly removed: AbortController;
}

/** The views of every collected kind, kept in step with the served kinds. */
function followedKinds(kinds: KindRegistry, views: SharedViews) {
  const followed = new Map<ResourceDefinition, Followed>();
  let isFilled = false;
  const update = (handler: Handler): void => {
    const served = new Set(kinds.all().filter(isCollected));
    for (const [r, { removed }] of followed) {
      if (served.has(r)) continue;
      followed.delete(r);
      removed.abort();
      views.drop(r);
    }
    for (const r of served) {
      if (followed.has(r)) continue;
      const informer = views.metadataOf(r, byOwners);
      isFilled = false;
      followed.set(r, { informer, removed: new AbortController() });
      informer.onChange((object, before, type) => handler(r, object, before, type));
      for (const object of informer.lister.all()) handler(r, object, undefined, "added");
    }
  };
  return {
    followed: followed as ReadonlyMap<ResourceDefinition, Followed>,
    follow(handler: Handler, signal: AbortSignal) {
      update(handler);
      const off = kinds.changed.listen(() => update(handler));
      onAbort(signal, () => {
        off();
        for (const { removed } of followed.values()) removed.abort(signal.reason);
      });
    },
    filled: async (signal: AbortSignal): Promise<void> => {
      while (!isFilled) {
        const unfilled = [...followed.values()].find(({ informer }) => informer.lister.revision < 0);
        if (unfilled) await succeeds(unfilled.informer.caughtUp(revision(0), unfilled.removed.signal));
        isFilled = unfilled === undefined;
        signal.throwIfAborted();
      }
    },
  };
}

/** The kind under which objects are stored that an owner reference names in one of its versions. */
const storedKind = (r: ResourceDefinition | undefined): ResourceDefinition | undefined => r?.form?.of ?? r;

export function ownerGraph(kinds: KindRegistry, views: SharedViews, client: Client): OwnerGraph {
  const { followed, follow, filled } = followedKinds(kinds, views);
  const dependentsOf = (uid: string): readonly Found[] => {
    const found: Found[] = [];
    for (const [resource, { informer }] of followed)
      for (const object of informer.lister.byIndex("owners", uid)) found.push({ resource, object });
    return found;
  };
  /** Undefined also where a cluster-scoped object names a namespaced owner, which cannot be resolved. */
  const ownerOf = (
    object: ApiObject,
    ref: OwnerReference,
  ): { readonly r: ResourceDefinition; readonly k: Key } | undefined => {
    const r = storedKind(kinds.ofKind(ref.apiVersion, ref.kind));
    const { namespace } = object.metadata;
    if (!r || (r.scope === "Namespaced" && namespace === undefined)) return undefined;
    return { r, k: key(r.scope === "Namespaced" ? namespace : undefined, ref.name) };
  };
  return {
    ...{ follow, filled, dependentsOf },
    ownersOf: (o) =>
      (o.metadata.ownerReferences ?? []).flatMap((ref) => {
        const owner = ownerOf(o, ref);
        return owner ? [idOf(owner.r, owner.k)] : [];
      }),
    async stateOf(object, ref) {
      const owner = ownerOf(object, ref);
      if (!owner) return "unknown";
      const seen = followed.get(owner.r)?.informer.lister.get(owner.k);
      if (seen?.metadata.uid === ref.uid) return isWaiting(seen) ? "waiting" : "solid";
      const live = await ifFound(client.get(owner.r, owner.k));
      return live?.metadata.uid !== ref.uid ? "gone" : isWaiting(live) ? "waiting" : "solid";
    },
    find(id) {
      const [type = "", k = ""] = id.split("|");
      const slash = type.lastIndexOf("/");
      const resource = kinds.ofKind(type.slice(0, slash), type.slice(slash + 1));
      const object = resource && followed.get(resource)?.informer.lister.get(k as Key);
      return object && { resource, object };
    },
  };
}
