// Patches of an object that are not an apply: JSON patch (RFC 6902), JSON merge patch (RFC 7396) and strategic merge
// patch. Pure.
import fastJsonPatch, { type Operation } from "fast-json-patch";
import { ApiError } from "../../../api/errors.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";
import type { Patch } from "../../../machinery/client.ts";
import { isObject, strategicPatched } from "./strategic.ts";

/** `target` with the patch merged into it; neither is changed. */
export function mergePatched(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatched(merged[key], value);
  }
  return merged;
}

/** Limit of operations in one request. */
const mostOperations = 10_000;

/** A path that does not exist, or that refers to the prototype. */
const isOutOfBounds = (e: unknown): boolean => e instanceof TypeError;

/** Nothing can be put into itself (RFC 6902, section 4.4). */
function movesIntoItself(operation: unknown): boolean {
  const { op, from, path } = (operation ?? {}) as {
    readonly op?: unknown;
    readonly from?: unknown;
    readonly path?: unknown;
  };
  return op === "move" && typeof from === "string" && typeof path === "string" && path.startsWith(`${from}/`);
}

/** The object after all operations; one that fails refuses the patch. */
export function jsonPatched(object: unknown, operations: readonly unknown[]): unknown {
  if (operations.length > mostOperations)
    throw new ApiError(
      "RequestEntityTooLarge",
      `Request entity too large: The allowed maximum operations in a JSON patch is ${mostOperations}, got ${operations.length}`,
    );
  const refused = new ApiError("Invalid", "the server rejected our request due to an error in our request", {});
  if (operations.some(movesIntoItself)) throw refused;
  try {
    const copy = structuredClone(object);
    const made: unknown = fastJsonPatch.applyPatch(
      copy,
      structuredClone(operations) as Operation[],
      true,
      true,
    ).newDocument;
    if (isObject(made)) return made;
  } catch (e) {
    if (!(e instanceof fastJsonPatch.JsonPatchError) && !isOutOfBounds(e)) throw e;
  }
  // Kubernetes reports the same error for every operation.
  throw refused;
}

/** The object after a patch that is not an apply. */
export function patchedObject(
  r: ResourceDefinition,
  current: ApiObject,
  patch: Exclude<Patch, { type: "apply" }>,
): ApiObject {
  const result = ((): unknown => {
    switch (patch.type) {
      case "json":
        return jsonPatched(current, patch.operations);
      case "merge":
        return mergePatched(current, patch.patch);
      case "strategic":
        return strategicPatched(r.schema, current, patch.patch);
    }
  })();
  const { metadata: meta } = result as ApiObject;
  if (meta?.name !== current.metadata.name)
    throw new ApiError(
      "BadRequest",
      `the name of the object (${meta?.name ?? ""}) does not match the name on the URL (${current.metadata.name})`,
    );
  return result as ApiObject;
}
