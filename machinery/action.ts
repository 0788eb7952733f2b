// Everything a controller can do to the cluster, as data, and the table that executes it.
import type { ResourceDefinition } from "../api/kinds.ts";
import { ApiError, hasReason, isAmbiguous } from "../api/errors.ts";
import { sameJson } from "../api/hash.ts";
import {
  type ApiObject,
  type Draft,
  type DraftMeta,
  keyOf,
  ownedBy,
  type OwnerReference,
  type Revision,
  revisionOf,
} from "../api/meta.ts";
import type { Client, DeleteOptions, Patch } from "./client.ts";
import type { EventRecorder, EventType } from "./events.ts";

/** An action on an object of a kind. */
interface On<D extends string> {
  readonly do: D;
  readonly resource: ResourceDefinition<any>;
  readonly object: ApiObject;
}
/** The only ways in which a controller changes the cluster. */
export type Action =
  | {
      readonly do: "create";
      readonly resource: ResourceDefinition<any>;
      readonly draft: Draft<any>;
      /** What follows when the server refuses the create, by its message: an event, or a condition in a status. */
      readonly refused?: (message: string) => readonly Action[];
    }
  | On<"update">
  | (On<"delete"> & { readonly options?: DeleteOptions })
  /** Deletes a pod by the eviction API, which its disruption budget may refuse. */
  | On<"evict">
  | (On<"status"> & { readonly status: unknown })
  /** Writes the conditions by which a request for a certificate is approved. */
  | (On<"approve"> & { readonly status: unknown })
  | (On<"patch"> & { readonly patch: Patch })
  /** Makes `owner` the controller of an object without one. Fails with Conflict when it has another one by then. */
  | (On<"adopt"> & Owned & { readonly ownerKind: ResourceDefinition<any> })
  | (On<"release"> & Owned)
  | EventAction;
/** The owner, and a finalizer that its objects have for as long as they are its own. */
interface Owned {
  readonly owner: ApiObject;
  readonly finalizer?: string;
}
interface EventAction {
  readonly do: "event";
  readonly object: ApiObject;
  readonly type: EventType;
  readonly reason: string;
  readonly message: string;
}

/** Records an event about an object. */
export const recordEvent = (object: ApiObject, type: EventType, reason: string, message: string): EventAction => ({
  ...{ do: "event", object, type, reason, message },
});
/** The event of an owner whose pod the server refuses, as Kubernetes words it. */
export const failedCreate =
  (owner: ApiObject) =>
  (message: string): readonly Action[] => [recordEvent(owner, "Warning", "FailedCreate", `Error creating: ${message}`)];
/** Updates an object, unless nothing about it changes. */
export const updateTo = <T extends ApiObject>(
  resource: ResourceDefinition<T>,
  before: T,
  object: T,
): readonly Action[] => (sameJson(object, before) ? [] : [{ do: "update", resource, object }]);
/** Writes the status of an object, unless it has this status. */
export const statusTo = <T extends ApiObject & { readonly status?: unknown }>(
  resource: ResourceDefinition<any>,
  object: T,
  status: T["status"],
): readonly Action[] => (sameJson(status, object.status) ? [] : [{ do: "status", resource, object, status }]);

type Claim = Extract<Action, { do: "adopt" | "release" }>;
type Executors = {
  readonly [D in Action["do"]]: (
    action: Extract<Action, { do: D }>,
    client: Client,
    events: EventRecorder,
  ) => Promise<Revision | undefined>;
};

/** The owners of an object with this controller added. */
export const ownersWith = ({ metadata }: ApiObject, owner: ApiObject): readonly OwnerReference[] => [
  ...(metadata.ownerReferences ?? []),
  ownedBy(owner),
];
/** The owners of an object without this one. */
export const ownersWithout = ({ metadata }: ApiObject, uid: string): readonly OwnerReference[] =>
  (metadata.ownerReferences ?? []).filter((r) => r.uid !== uid);

const orNull = <T>(list: readonly T[]): readonly T[] | null => (list.length > 0 ? list : null);

/** Patches the owners, and the finalizer they put, of exactly this version of this object. */
async function patchOwners(a: Claim, owners: readonly OwnerReference[], client: Client) {
  const { resource, object, finalizer } = a;
  const { uid, resourceVersion, finalizers = [] } = object.metadata;
  const others = finalizers.filter((f) => f !== finalizer);
  const kept =
    finalizer === undefined ? {} : { finalizers: orNull(a.do === "adopt" ? [...others, finalizer] : others) };
  const patch = { metadata: { uid, resourceVersion, ownerReferences: orNull(owners), ...kept } };
  return revisionOf(await client.patch(resource, keyOf(object), { type: "merge", patch }));
}

/** Views may be behind: an owner that was deleted, or deleted and made again, must not adopt. */
async function failUnlessAlive(client: Client, kind: ResourceDefinition<any>, owner: ApiObject): Promise<void> {
  const { metadata } = (await client.get(kind, keyOf(owner))) as ApiObject;
  const { uid } = owner.metadata;
  if (metadata.uid !== uid || metadata.deletionTimestamp !== undefined)
    throw new ApiError("Conflict", `${owner.kind} ${keyOf(owner)} with uid ${uid} is gone or being deleted`);
}

/** A new action without an executor does not compile. Each returns the revision it wrote, if it wrote one. */
const executors: Executors = {
  async create(a, client, events) {
    try {
      return revisionOf(await client.create(a.resource, a.draft));
    } catch (e) {
      // A name that exists is no failure, and a request of unknown fate may have succeeded.
      const isRefused = !isAmbiguous(e) && !hasReason(e, "AlreadyExists");
      // A report that fails is made again with the next attempt.
      for (const action of (isRefused && a.refused?.((e as Error).message)) || [])
        await act(action, client, events).catch(() => {});
      throw e;
    }
  },
  update: async (a, client) => revisionOf(await client.update(a.resource, a.object)),
  delete: (a, client) => client.delete(a.resource, keyOf(a.object), { uid: a.object.metadata.uid, ...a.options }),
  async evict({ object }, client) {
    await client.evict(keyOf(object), { uid: object.metadata.uid });
    return undefined;
  },
  status: async (a, client) =>
    revisionOf(await client.update(a.resource, { ...a.object, status: a.status } as ApiObject, "status")),
  approve: async (a, client) =>
    revisionOf(await client.update(a.resource, { ...a.object, status: a.status } as ApiObject, "approval")),
  patch: async (a, client) => revisionOf(await client.patch(a.resource, keyOf(a.object), a.patch)),
  async adopt(a, client) {
    await failUnlessAlive(client, a.ownerKind, a.owner);
    return patchOwners(a, ownersWith(a.object, a.owner), client);
  },
  release: (a, client) => patchOwners(a, ownersWithout(a.object, a.owner.metadata.uid), client),
  // No controller observes events, so none waits to see them.
  event: async (a, _client, events) => {
    events.record(a.object, a.type, a.reason, a.message);
    return undefined;
  },
};

/** A line that describes the action and its object. */
export function describeAction(action: Action): string {
  if (action.do === "event") return `event ${action.reason}: ${action.message}`;
  const { plural } = action.resource as ResourceDefinition;
  const { metadata } = action.do === "create" ? action.draft : action.object;
  const { namespace, name, generateName = "" } = metadata as DraftMeta;
  return `${action.do} ${plural} ${namespace === undefined ? "" : `${namespace}/`}${name ?? generateName}`;
}

/** Carries out one action. */
export function act(action: Action, client: Client, events: EventRecorder): Promise<Revision | undefined> {
  const execute = executors[action.do] as (a: Action, c: Client, e: EventRecorder) => Promise<Revision | undefined>;
  return execute(action, client, events);
}
