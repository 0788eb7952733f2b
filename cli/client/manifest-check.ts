// Errors of manifests that are found without the server: unknown fields, and values of the wrong type.
import { decode, resolve, type Schema, schemaOfKind } from "../../api/schema.ts";
import { similar } from "../program/suggestions.ts";
import type { ManifestError, ManifestObject } from "./manifests.ts";

/** The error of an unknown field, with the field that was probably meant. */
function unknownField(path: string, root: Schema): string {
  const [, parent = "", name = ""] = /^(.*?)([^.]+)$/.exec(path) ?? [];
  let schema: Schema | undefined = root;
  for (const [, index, field] of parent.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)) {
    const outer: Schema = schema ? resolve(schema) : {};
    schema = index === undefined ? (outer.properties?.[field!] ?? outer.additionalProperties) : outer.items;
  }
  const [near] = schema ? similar(name, Object.keys(resolve(schema).properties ?? {})) : [];
  return `unknown field "${path}"${near === undefined ? "" : `, did you mean "${parent}${near}"?`}`;
}

/** The errors in an object of a built-in kind, with their lines. */
export function errorsIn({ file, object, lineOf }: ManifestObject): readonly ManifestError[] {
  const { apiVersion, kind } = object;
  const schema = schemaOfKind(apiVersion, kind);
  // Of other kinds, the server finds the errors.
  if (!schema) return [];
  const { unknown, wrong } = decode(schema, object);
  return [
    ...unknown.map((path) => ({ file, line: lineOf(path), message: unknownField(path, schema) })),
    ...wrong.map(({ path, read }) => {
      const [, actual = "", expected = ""] = /cannot unmarshal (\S+) .*of type (\S+)/.exec(read) ?? [];
      return { file, line: lineOf(path), message: `${path}: expected ${expected}, got ${actual}` };
    }),
  ];
}
