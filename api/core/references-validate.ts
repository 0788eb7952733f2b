// What can be wrong with a field that points to another object by group, kind and name.
import type { Problem } from "../errors.ts";
import { validatePathSegment, validateSubdomainName } from "../names.ts";
import { required } from "../problems.ts";

/** A word of a reference that has to be there, and fit into a path. */
export const validateReferenceWord = (value: string | undefined, path: string): readonly Problem[] =>
  value ? validatePathSegment(value, path) : [required(path)];

/** An object next to ours, or without a namespace, of any kind. */
export const validateLocalReference = (
  to: { readonly apiGroup?: string; readonly kind?: string; readonly name?: string },
  path: string,
): readonly Problem[] => [
  ...validateSubdomainName(to.apiGroup, `${path}.apiGroup`),
  ...validateReferenceWord(to.kind, `${path}.kind`),
  ...validateReferenceWord(to.name, `${path}.name`),
];
