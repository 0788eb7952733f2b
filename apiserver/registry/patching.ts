// Patches of all four types, of an object or of a subresource.
import type { ApiObject } from "../../api/meta.ts";
import type { Patch } from "../../machinery/client.ts";
import { applyTo, type Patched } from "./applying.ts";
import { subresourceOf } from "./subresources.ts";
import { patchedObject } from "./patch/patch.ts";
import type { Change, Registry, Target, WriteOptions } from "./verbs.ts";

/** `inspect` sees what the patch made before it is pruned to its schema, and may refuse it. */
export interface PatchOptions extends WriteOptions {
  readonly inspect?: (object: ApiObject, current: ApiObject) => ApiObject;
}

/** Patches the stored object, in the kind that the subresource speaks, and writes the outcome. */
export async function patched(
  registry: Registry,
  target: Target,
  patch: Patch,
  options: PatchOptions = {},
): Promise<Patched> {
  if (patch.type === "apply") return applyTo(registry, target, patch, options);
  const { inspect = (object) => object } = options;
  const { r, subresource } = target;
  const { speaks = r, show = (object: ApiObject) => object } = (subresource && subresourceOf(r, subresource)) || {};
  const decide: Change = (current) => {
    const shown = show(current);
    return inspect(patchedObject(speaks, shown, patch), shown);
  };
  return { stored: await registry.change(target, decide, options), created: false };
}
