// Fields that others own and an apply would change, and the words in which it is refused for them. Pure.
import { ApiError } from "../../../api/errors.ts";
import type { ManagedFieldsEntry } from "../../../api/meta.ts";
import { idOf, type Owner } from "./entries.ts";
import { common, type FieldSet, isEmpty, minus, pathsIn, shownPath, union, noFields } from "./set.ts";

/** What an apply would change of what somebody else owns. */
export type Conflicts = readonly Owner[];

/** What of these changes is others'. */
export const conflictsWith = (others: readonly Owner[], changed: FieldSet): Conflicts =>
  others
    .map(({ entry, fields }) => ({ entry, fields: common(fields, changed) }))
    .filter(({ fields }) => !isEmpty(fields));

/** Conflicts but for these fields. */
export const conflictsBut = (conflicts: Conflicts, allowed: FieldSet): Conflicts =>
  conflicts
    .map(({ entry, fields }) => ({ entry, fields: minus(fields, allowed) }))
    .filter(({ fields }) => !isEmpty(fields));

/** All the fields that are in conflict. */
export const fieldsIn = (conflicts: Conflicts): FieldSet =>
  conflicts.reduce((all, { fields }) => union(all, fields), noFields);

function nameOf({ manager = "", operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  const who = subresource
    ? `${JSON.stringify(manager)} with subresource ${JSON.stringify(subresource)}`
    : JSON.stringify(manager);
  return operation === "Update" ? `${who} using ${apiVersion}` : who;
}

/** The refusal of an apply. */
export function conflictError(conflicts: Conflicts): ApiError {
  const told = conflicts
    .toSorted((a, b) => (idOf(a.entry) < idOf(b.entry) ? -1 : 1))
    .map(({ entry, fields }) => ({ owner: nameOf(entry), paths: [...pathsIn(fields)].map(shownPath) }));
  const causes = told.flatMap(({ owner, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${owner}`, field })),
  );
  const [only] = causes;
  const listed = told.flatMap(({ owner, paths }) => [`conflicts with ${owner}:`, ...paths.map((path) => `- ${path}`)]);
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${only!.message}: ${only!.field}`
      : `Apply failed with ${causes.length} conflicts: ${listed.join("\n")}`;
  return new ApiError("Conflict", message, { causes });
}
