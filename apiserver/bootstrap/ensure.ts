// Creates an object unless it exists; an existing one is left unchanged.
import { hasReason } from "../../api/errors.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, type Key, key } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";

const isThere = (client: Client, r: ResourceDefinition, at: Key): Promise<boolean> =>
  client.get(r, at).then(
    () => true,
    (e: unknown) => {
      if (hasReason(e, "NotFound")) return false;
      throw e;
    },
  );

/**
 * What is there is left as it was found. It looks before it creates, because a service that is there would be refused
 * for its address before it is for its name.
 */
export async function ensure(client: Client, r: ResourceDefinition, draft: Draft<ApiObject>): Promise<void> {
  const { metadata } = draft;
  if (await isThere(client, r, key(metadata.namespace, metadata.name ?? ""))) return;
  await client.create(r, draft).catch((e: unknown) => {
    // Another server that starts just now was faster.
    if (!hasReason(e, "AlreadyExists")) throw e;
  });
}
