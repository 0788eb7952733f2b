// JSON patch (RFC 6902): a list of operations that is applied as a whole or not at all. Pure.
import fastJsonPatch, { type Operation } from "fast-json-patch";
import { ApiError } from "../../../api/errors.ts";

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
