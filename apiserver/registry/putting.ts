// Putting a whole object, or a part of it, in the place of what stands there; of some kinds also where nothing does.
import { hasReason } from "../../api/errors.ts";
import type { ApiObject, Draft } from "../../api/meta.ts";
import type { Patched } from "./applying.ts";
import { otherUid } from "./refusals.ts";
import type { Registry, Target, WriteOptions } from "./verbs.ts";

/** Without the revision, which a new object has none of. */
function unversionedDraft(object: Draft<ApiObject>): Draft<ApiObject> {
  const { resourceVersion: _, ...metadata } = object.metadata as Partial<ApiObject["metadata"]>;
  return { ...object, metadata } as Draft<ApiObject>;
}

/** Replaces the object, or creates it where there is none and updates of its kind may create. */
export async function put(
  registry: Registry,
  target: Target,
  object: Draft<ApiObject>,
  options: WriteOptions,
): Promise<Patched> {
  const { r, key, subresource } = target;
  for (;;) {
    try {
      return { stored: await registry.change(target, () => object as unknown as ApiObject, options), created: false };
    } catch (e) {
      if (!hasReason(e, "NotFound") || !r.allowCreateOnUpdate || subresource !== undefined) throw e;
    }
    const { uid } = object.metadata as Partial<ApiObject["metadata"]>;
    if (uid) throw otherUid(r, key, uid);
    try {
      return { stored: await registry.create(r, unversionedDraft(object), options), created: true };
    } catch (e) {
      // Created by another writer meanwhile: replace that.
      if (!hasReason(e, "AlreadyExists")) throw e;
    }
  }
}
