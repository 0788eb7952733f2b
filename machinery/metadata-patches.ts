// Actions on metadata that fail when the object has changed meanwhile.
import type { ResourceDefinition } from "../api/kinds.ts";
import type { ApiObject } from "../api/meta.ts";
import type { Action } from "./action.ts";

/** Merges into the metadata of exactly this version of an object. */
export const patchMetadata = (resource: ResourceDefinition, object: ApiObject, metadata: object): Action => ({
  ...{ do: "patch", resource, object },
  patch: { type: "merge", patch: { metadata: { resourceVersion: object.metadata.resourceVersion, ...metadata } } },
});

const finalizersOf = ({ metadata }: ApiObject): readonly string[] => metadata.finalizers ?? [];
export const hasFinalizer = (object: ApiObject, finalizer: string): boolean => finalizersOf(object).includes(finalizer);

/** Adds the finalizers that an object lacks. */
export function addFinalizers(
  resource: ResourceDefinition,
  object: ApiObject,
  finalizers: readonly string[],
): readonly Action[] {
  const missing = finalizers.filter((f) => !hasFinalizer(object, f));
  if (missing.length === 0) return [];
  return [patchMetadata(resource, object, { finalizers: [...finalizersOf(object), ...missing] })];
}
/** Removes the finalizers that an object has. */
export function removeFinalizers(
  resource: ResourceDefinition,
  object: ApiObject,
  finalizers: readonly string[],
): readonly Action[] {
  const rest = finalizersOf(object).filter((f) => !finalizers.includes(f));
  if (rest.length === finalizersOf(object).length) return [];
  return [patchMetadata(resource, object, { finalizers: rest })];
}
