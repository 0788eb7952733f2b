// The slices that drivers have published for a node: they are deleted when a driver has gone, so that no more of its
// devices are allocated.
import { keyOf } from "../../api/meta.ts";
import { resourceSlices } from "../../api/resource/resourceslices.ts";
import type { Client } from "../../machinery/client.ts";

/** So long may a driver be away, as while it is replaced by a newer version. */
export const absenceMs = 30_000;

/** Deletes the slices of drivers that are not on the node. */
export async function withdrawSlices(
  client: Client,
  nodeName: string,
  isRegistered: (driver: string) => boolean,
): Promise<void> {
  const { items } = await client.list(resourceSlices, { fieldSelector: `spec.nodeName=${nodeName}` });
  for (const { metadata, spec } of items)
    if (!isRegistered(spec.driver))
      await client.delete(resourceSlices, keyOf({ metadata }), { uid: metadata.uid }).catch(() => {});
}
