// Everything a controller can do to the cluster, as data, and the one table that does it.
import type { ResourceDefinition } from "../api/kinds.ts";
import { keyOf, revisionOf, type ApiObject, type Draft, type Revision } from "../api/meta.ts";
import type { Client, DeleteOptions, Patch, WritableSubresource } from "./client.ts";
import type { EventRecorder, EventType } from "./events.ts";

/** New powers are new members here, and nowhere else. */
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

/** A new action without an executor does not compile. Each answers with the revision it wrote, if it wrote one. */
const executors: Executors = {
  create: async (a, client) => revisionOf(await client.create(a.resource, a.draft)),
  update: async (a, client) => revisionOf(await client.update(a.resource, a.object)),
  delete: (a, client) => client.delete(a.resource, keyOf(a.object), { uid: a.object.metadata.uid, ...a.options }),
  status: async (a, client) =>
    revisionOf(await client.update(a.resource, { ...a.object, status: a.status } as ApiObject, "status")),
  patch: async (a, client) => revisionOf(await client.patch(a.resource, keyOf(a.object), a.patch, a.subresource)),
  // Nobody decides by events, so nobody waits for them.
  event: async (a, _client, events) => {
    events.record(a.object, a.type, a.reason, a.message);
    return undefined;
  },
};

/** Carry out one action. */
export function act(action: Action, client: Client, events: EventRecorder): Promise<Revision | undefined> {
  const execute = executors[action.do] as (a: Action, c: Client, e: EventRecorder) => Promise<Revision | undefined>;
  return execute(action, client, events);
}
