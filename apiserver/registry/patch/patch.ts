// Patches of an object that are not an apply: JSON patch (RFC 6902), JSON merge patch (RFC 7396) and strategic merge
// patch. Pure.
import fastJsonPatch, { type Operation } from "fast-json-patch";
import { ApiError } from "../../../api/errors.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";
import type { Patch } from "../../../machinery/client.ts";
import { strategicPatched } from "./strategic.ts";

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What `target` becomes when the patch is merged into it; neither of them is changed. */
export function mergePatched(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const merged: Record<string, unknown> = isMap(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatched(merged[key], value);
  }
  return merged;
}

/** More operations than this in one request are an accident or an attack. */
const mostOperations = 10_000;

/** A path that leads nowhere, or out of the document, into what all objects have in common. */
const isOutOfBounds = (e: unknown): boolean => e instanceof TypeError;

/** Nothing can be put into itself (RFC 6902, section 4.4). */
function swallowsItself(operation: unknown): boolean {
  const { op, from, path } = (operation ?? {}) as {
    readonly op?: unknown;
    readonly from?: unknown;
    readonly path?: unknown;
  };
  return op === "move" && typeof from === "string" && typeof path === "string" && path.startsWith(`${from}/`);
}

/** What the object becomes after all the operations; an operation that cannot be done refuses them all. */
export function jsonPatched(object: unknown, operations: readonly unknown[]): unknown {
  if (operations.length > mostOperations)
    throw new ApiError(
      "RequestEntityTooLarge",
      `Request entity too large: The allowed maximum operations in a JSON patch is ${mostOperations}, got ${operations.length}`,
    );
  const refused = new ApiError("Invalid", "the server rejected our request due to an error in our request", {});
  if (operations.some(swallowsItself)) throw refused;
  try {
    const copy = structuredClone(object);
    const made: unknown = fastJsonPatch.applyPatch(
      copy,
      structuredClone(operations) as Operation[],
      true,
      true,
    ).newDocument;
    if (typeof made === "object" && made !== null && !Array.isArray(made)) return made;
  } catch (e) {
    if (!(e instanceof fastJsonPatch.JsonPatchError) && !isOutOfBounds(e)) throw e;
  }
  // The original says no more than this, whichever operation it was.
  throw refused;
}

/** What the object shall be after a patch that is not an apply. */
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
