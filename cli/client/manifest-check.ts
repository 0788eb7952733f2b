// Errors of manifests that are found without the server: unknown fields, and values of the wrong type.
import { decode, schemaOfKind } from "../../api/schema.ts";
import type { ManifestError, ManifestObject } from "./manifests.ts";

/** The errors in an object of a built-in kind, with their lines. */
export function errorsIn({ file, object, lineOf }: ManifestObject): readonly ManifestError[] {
  const { apiVersion, kind } = object;
  const schema = schemaOfKind(apiVersion, kind);
  // Of other kinds, the server finds the errors.
  if (!schema) return [];
  const { unknown, wrong } = decode(schema, object);
  return [
    ...unknown.map((path) => ({ file, line: lineOf(path), message: `unknown field "${path}"` })),
    ...wrong.map(({ path, read }) => {
      const [, actual = "", expected = ""] = /cannot unmarshal (\S+) .*of type (\S+)/.exec(read) ?? [];
      return { file, line: lineOf(path), message: `${path}: expected ${expected}, got ${actual}` };
    }),
  ];
}
