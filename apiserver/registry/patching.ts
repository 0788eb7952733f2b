// A patch on its way to the log: the four types of it, on the whole or on a part of an object.
import type { ApiObject } from "../../api/meta.ts";
import type { Patch, WritableSubresource } from "../../machinery/client.ts";
import { applyTo, type Patched } from "./applying.ts";
import { changeOf, scaleKind, scaleOf } from "./subresources.ts";
import { patchedObject } from "./patch/patch.ts";
import type { Change, Registry, Target, WriteOptions } from "./verbs.ts";

/** A patch, and the part of the object it is confined to. */
export interface PartPatch {
  readonly patch: Patch;
  readonly part?: WritableSubresource;
}
/** `inspect` sees what the patch made before it is pruned to its schema, and may refuse it. */
export interface PatchOptions extends WriteOptions {
  readonly inspect?: (object: ApiObject, current: ApiObject) => ApiObject;
}

/** Apply a patch to what stands there, and write the outcome. */
export async function patched(
  registry: Registry,
  { r, key }: Target,
  { patch, part }: PartPatch,
  options: PatchOptions = {},
): Promise<Patched> {
  if (patch.type === "apply") return applyTo(registry, { r, key }, { patch, ...(part && { part }) }, options);
  const { inspect = (object) => object } = options;
  const now = registry.world.clock.now();
  const wanted: Change = (current) => {
    const [kind, seen] = part === "scale" ? [scaleKind, scaleOf(current)] : [r, current];
    return inspect(patchedObject(kind, seen, patch), seen);
  };
  const { decide, ...rest } = changeOf(r, wanted, part, now);
  return { stored: await registry.change({ r, key, ...rest }, decide, options), created: false };
}
