// What the classes of storage share: a driver, parameters for it that never change, and a mark on the one to take when
// a claim does not say.
import type { Problem } from "../errors.ts";
import { sameJson } from "../hash.ts";
import type { DraftMeta } from "../meta.ts";
import { validateQualifiedName } from "../names.ts";
import { forbidden, invalid, required, tooLong } from "../problems.ts";

type Parameters = Readonly<Record<string, string>>;
const mostParameters = 512;
const mostBytes = 256 * 1024;

/** A driver is named like a label, in any case. */
export const validateProvider = (name: string | undefined, path: string): readonly Problem[] =>
  name ? validateQualifiedName(name.toLowerCase(), path) : [required(path)];

export function validateParameters(parameters: Parameters = {}): readonly Problem[] {
  const entries = Object.entries(parameters);
  if (entries.length > mostParameters) return [tooLong("parameters", mostParameters)];
  const bytes = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return [
    ...(Object.hasOwn(parameters, "") ? [invalid("parameters", "", "field can not be empty.")] : []),
    ...(bytes > mostBytes ? [tooLong("parameters", mostBytes)] : []),
  ];
}

/** A field that cannot be changed, in the words of the classes. */
export const forbiddenUpdate = (field: string): Problem => forbidden(field, `updates to ${field} are forbidden.`);

export const keptParameters = (next: Parameters | undefined, old: Parameters | undefined): readonly Problem[] =>
  sameJson(next, old) ? [] : [forbiddenUpdate("parameters")];

/** What follows the name of the class that is taken when nobody says otherwise. */
export const defaultMark = ({ metadata }: { readonly metadata: DraftMeta }, what: string): string =>
  metadata.annotations?.[`${what}.kubernetes.io/is-default-class`] === "true" ||
  metadata.annotations?.[`${what}.beta.kubernetes.io/is-default-class`] === "true"
    ? " (default)"
    : "";
