// Follows the objects that an authorizer decides by.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { Client, Selection } from "../../machinery/client.ts";
import { informer } from "../../machinery/informer.ts";
import type { World } from "../../machinery/world.ts";

/** Receives each object of a kind that was added or updated, or that is gone. */
export type Receive = (object: ApiObject, isGone: boolean) => void;

/** Resolves when all present objects of a kind were received; those that change follow until the signal aborts. */
export async function followKind(
  r: ResourceDefinition,
  receive: Receive,
  { client, world }: { readonly client: Client; readonly world: World },
  signal: AbortSignal,
  selection: Selection = {},
): Promise<void> {
  const followed = informer<ApiObject>(client, r, world, { selection });
  followed.onChange((object, _, type) => receive(object, type === "deleted"));
  const { revision } = await client.list(r, { limit: 1 });
  followed
    .run(signal)
    .catch((e: unknown) => world.log("objects for authorization not followed", { error: (e as Error).message }));
  await followed.caughtUp(revision, signal);
}
