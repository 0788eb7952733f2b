// Everything a controller can do to the cluster, as data, and the table that executes it.
import type { ResourceDefinition } from "../api/kinds.ts";
import { ApiError } from "../api/errors.ts";
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
import type { Client, DeleteOptions, Patch, WritableSubresource } from "./client.ts";
import type { EventRecorder, EventType } from "./events.ts";

/** The only ways in which a controller changes the cluster. */
export type Action =
  | { readonly do: "create"; readonly resource: ResourceDefinition<any>; readonly draft: Draft<any> }
  | { readonly do: "update"; readonly resource: ResourceDefinition<any>; readonly object: ApiObject }
  | {
      readonly do: "delete";
      readonly resource: ResourceDefinition<any>;
      readonly object: ApiObject;
      readonly options?: DeleteOptions;
    }
  | {
      readonly do: "status";
      readonly resource: ResourceDefinition<any>;
      readonly object: ApiObject;
      readonly status: unknown;
    }
  | {
      readonly do: "patch";
      readonly resource: ResourceDefinition<any>;
      readonly object: ApiObject;
      readonly patch: Patch;
      readonly subresource?: WritableSubresource;
    }
  /** Makes `owner` the controller of an object that has none. Fails with Conflict when the live owner is another. */
  | {
      readonly do: "adopt";
      readonly resource: ResourceDefinition<any>;
      readonly object: ApiObject;
      readonly owner: ApiObject;
      readonly ownerKind: ResourceDefinition<any>;
    }
  | {
      readonly do: "release";
      readonly resource: ResourceDefinition<any>;
      readonly object: ApiObject;
      readonly owner: ApiObject;
    }
  | {
      readonly do: "event";
      readonly object: ApiObject;
      readonly type: EventType;
      readonly reason: string;
      readonly message: string;
    };

type Executors = {
  readonly [D in Action["do"]]: (
    action: Extract<Action, { do: D }>,
    client: Client,
    events: EventRecorder,
  ) => Promise<Revision | undefined>;
};

/** A patch of the owners alone, of exactly this version of this object. */
function ownersPatch({ metadata }: ApiObject, owners: readonly OwnerReference[]): Patch {
  const { uid, resourceVersion } = metadata;
  const ownerReferences = owners.length > 0 ? owners : null;
  return { type: "merge", patch: { metadata: { uid, resourceVersion, ownerReferences } } };
}

/** The owners of an object with this controller added. */
export const ownersWith = ({ metadata }: ApiObject, owner: ApiObject): readonly OwnerReference[] => [
  ...(metadata.ownerReferences ?? []),
  ownedBy(owner),
];
/** The owners of an object without this one. */
export const ownersWithout = ({ metadata }: ApiObject, owner: ApiObject): readonly OwnerReference[] =>
  (metadata.ownerReferences ?? []).filter((r) => r.uid !== owner.metadata.uid);

/** Views may be behind: an owner that was deleted, or deleted and made again, must not adopt. */
async function failUnlessAlive(client: Client, kind: ResourceDefinition<any>, owner: ApiObject): Promise<void> {
  const { metadata } = (await client.get(kind, keyOf(owner))) as ApiObject;
  if (metadata.uid === owner.metadata.uid && metadata.deletionTimestamp === undefined) return;
  throw new ApiError(
    "Conflict",
    `${owner.kind} ${keyOf(owner)} with uid ${owner.metadata.uid} is gone or being deleted`,
  );
}

/** A new action without an executor does not compile. Each returns the revision it wrote, if it wrote one. */
const executors: Executors = {
  create: async (a, client) => revisionOf(await client.create(a.resource, a.draft)),
  update: async (a, client) => revisionOf(await client.update(a.resource, a.object)),
  delete: (a, client) => client.delete(a.resource, keyOf(a.object), { uid: a.object.metadata.uid, ...a.options }),
  status: async (a, client) =>
    revisionOf(await client.update(a.resource, { ...a.object, status: a.status } as ApiObject, "status")),
  patch: async (a, client) => revisionOf(await client.patch(a.resource, keyOf(a.object), a.patch, a.subresource)),
  async adopt(a, client) {
    await failUnlessAlive(client, a.ownerKind, a.owner);
    return revisionOf(
      await client.patch(a.resource, keyOf(a.object), ownersPatch(a.object, ownersWith(a.object, a.owner))),
    );
  },
  release: async (a, client) =>
    revisionOf(
      await client.patch(a.resource, keyOf(a.object), ownersPatch(a.object, ownersWithout(a.object, a.owner))),
    ),
  // No controller observes events, so none waits to see them.
  event: async (a, _client, events) => {
    events.record(a.object, a.type, a.reason, a.message);
    return undefined;
  },
};

/** One line for people: what is done to which object. */
export function describeAction(action: Action): string {
  if (action.do === "event") return `event ${action.reason}: ${action.message}`;
  const { plural } = action.resource as ResourceDefinition;
  const {
    namespace,
    name,
    generateName = "",
  } = (action.do === "create" ? action.draft : action.object).metadata as DraftMeta;
  return `${action.do} ${plural} ${namespace === undefined ? "" : `${namespace}/`}${name ?? generateName}`;
}

/** Carries out one action. */
export function act(action: Action, client: Client, events: EventRecorder): Promise<Revision | undefined> {
  const execute = executors[action.do] as (a: Action, c: Client, e: EventRecorder) => Promise<Revision | undefined>;
  return execute(action, client, events);
}
