// The field set of a new object, computed in one traversal, equals its difference from an empty object.
import { isEmpty, noFields, pathsOf, toFieldsV1, withoutBelow } from "../../../apiserver/registry/fields/set.ts";
import { difference } from "../../../apiserver/registry/fields/shape.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { type Schema, resolve } from "../../../api/schema.ts";
import { initialFields } from "../../../apiserver/registry/fields/ownership.ts";

const deepest = 5;
const word = fc.constantFrom("a", "b", "c-1", "x/y", "10", 'q"q');
/** Values that a schema allows; required fields are sometimes missing. */
function somethingOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const full = resolve(schema);
  if (full.type === "array")
    return fc.array(depth > deepest ? fc.constant("a") : somethingOf(full.items ?? {}, depth + 1), { maxLength: 3 });
  if (full.type === "object" && full.properties) {
    if (depth > deepest) return fc.constant({});
    const fields = Object.entries(full.properties);
    return fc
      .subarray(fields, { maxLength: Math.min(4, fields.length) })
      .chain((some) =>
        fc.record(Object.fromEntries(some.map(([name, field]) => [name, somethingOf(field, depth + 1)] as const))),
      );
  }
  if (full.type === "object") return fc.dictionary(word, word, { maxKeys: 3 });
  if (full.type === "integer") return fc.integer({ min: 0, max: 12 });
  if (full.type === "boolean") return fc.boolean();
  return word;
}

const kinds = fc.constantFrom(...builtinKinds.filter((r) => !r.virtual));
const born = kinds.chain((r) => fc.tuple(fc.constant(r), somethingOf(r.schema, 0)));

test.each([
  ["all fields", noFields],
  ["without excluded fields", pathsOf(["f:spec", "f:template"], ["f:status"], ["f:metadata", "f:name"])],
])("a new object's fields: %s", (_, cut) =>
  fc.assert(
    fc.property(born, ([r, object]) => {
      const found = withoutBelow(difference(r, {}, object as object).changed, cut);
      const written = isEmpty(found) ? undefined : JSON.stringify(toFieldsV1(found));
      expect(JSON.stringify(initialFields(r, object as object, cut))).toBe(written);
    }),
    { numRuns: 500 },
  ),
);
