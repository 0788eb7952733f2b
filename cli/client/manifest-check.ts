// Errors of manifests that are found without the server: unknown fields, and values of the wrong type.
import { builtinKinds } from "../../api/builtin/kinds.ts";
import { apiVersionOf } from "../../api/kinds.ts";
import { decode } from "../../api/schema.ts";
import type { ManifestError, ManifestObject } from "./manifests.ts";

/** The errors in an object of a built-in kind, with their lines. */
export function errorsIn({ file, object, lineOf }: ManifestObject): readonly ManifestError[] {
  const { apiVersion, kind } = object;
  const definition = builtinKinds.find((k) => k.kind === kind && apiVersionOf(k) === apiVersion);
  if (!definition) return [];
  const { unknown, wrong } = decode(definition.schema, object);
  return [
    ...unknown.map((path) => ({ file, line: lineOf(path), message: `unknown field "${path}"` })),
    ...wrong.map(({ path, read }) => {
      const [, actual = "", expected = ""] = /cannot unmarshal (\S+) .*of type (\S+)/.exec(read) ?? [];
      return { file, line: lineOf(path), message: `${path}: expected ${expected}, got ${actual}` };
    }),
  ];
}
