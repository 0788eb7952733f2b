// Putting a whole object, or a part of it, in the place of what stands there; of some kinds also where nothing does.
import { hasReason } from "../../api/errors.ts";
import type { ApiObject, Draft } from "../../api/meta.ts";
import type { WritableSubresource } from "../../machinery/client.ts";
import type { Patched } from "./applying.ts";
import { changeOf } from "./subresources.ts";
import { otherUid } from "./refusals.ts";
import type { Registry, Target, WriteOptions } from "./verbs.ts";

/** What is put, and the part of the object it is confined to. */
export interface Put {
  readonly object: Draft<ApiObject>;
  readonly part?: WritableSubresource;
}

/** A new object has no history yet, whatever it says of one. */
function newborn(object: Draft<ApiObject>): Draft<ApiObject> {
  const { resourceVersion: _, ...metadata } = object.metadata as Partial<ApiObject["metadata"]>;
  return { ...object, metadata } as Draft<ApiObject>;
}

/** Replace what stands there; where nothing does, and updates of its kind may, make it. */
export async function put(
  registry: Registry,
  { r, key }: Target,
  { object, part }: Put,
  options: WriteOptions,
): Promise<Patched> {
  const { decide, ...rest } = changeOf(r, () => object as unknown as ApiObject, part, registry.world.clock.now());
  for (;;) {
    try {
      return { stored: await registry.change({ r, key, ...rest }, decide, options), created: false };
    } catch (e) {
      if (!hasReason(e, "NotFound") || !r.allowCreateOnUpdate || part !== undefined) throw e;
    }
    const { uid } = object.metadata as Partial<ApiObject["metadata"]>;
    if (uid) throw otherUid(r, key, uid);
    try {
      return { stored: await registry.create(r, newborn(object), options), created: true };
    } catch (e) {
      // Somebody else made it meanwhile: then there is something to put this in the place of.
      if (!hasReason(e, "AlreadyExists")) throw e;
    }
  }
}
