// The patched object as the kind's schema reads it, and the errors that the patch is refused with. Pure.
import type { ApiError } from "../../../api/errors.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { invalid as wrongField } from "../../../api/problems.ts";
import { decode } from "../../../api/schema.ts";
import type { Patch } from "../../../machinery/client.ts";
import { invalid } from "../refusals.ts";
import { printed } from "./strategic.ts";

/** The outcome of a patch. */
export interface Outcome {
  readonly value: ApiObject;
  /** What no field is there for, as sentences. */
  readonly unknown: readonly string[];
  /** Turn the patch down. */
  refuse(because: string): ApiError;
}

/** Read what a patch made of what stands there; what is of a wrong type refuses the patch. */
export function outcomeOf(
  r: ResourceDefinition,
  patch: Exclude<Patch, { type: "apply" }>,
  made: ApiObject,
  current: ApiObject,
): Outcome {
  const { value, unknown, wrong } = decode(r.schema, made, current);
  const isStrategic = patch.type === "strategic";
  const refuse = (because: string): ApiError => {
    const shown = isStrategic ? printed(patch.patch) : JSON.stringify(made);
    return invalid({ group: "", kind: "", plural: "" }, "", [wrongField("patch", shown, because)]);
  };
  if (wrong[0]) throw refuse(isStrategic ? wrong[0].converted : wrong[0].read);
  const sentences = unknown.map((path) => `unknown field ${JSON.stringify(path)}`).toSorted();
  return { value: value as ApiObject, unknown: sentences, refuse };
}
