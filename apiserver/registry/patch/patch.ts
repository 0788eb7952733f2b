// Dispatches a patch by its type to the function that applies it. Pure.
import { ApiError } from "../../../api/errors.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";
import type { Patch } from "../../../machinery/client.ts";
import { jsonPatched } from "./json.ts";
import { mergePatched } from "./merge.ts";
import { strategicPatched } from "./strategic.ts";

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
