// Facts of the schemas hold for every kind: enums, bounds, defaults, and the keywords of custom resources.
import { globSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { withDefaults } from "../../../api/defaulting.ts";
import { decode, resolve, type Schema, typeNameOf } from "../../../api/schema.ts";
import { problemsOf } from "../../../api/validation.ts";

/** Every type reachable from the kinds. */
function typesIn(): ReadonlyMap<Schema, string> {
  const found = new Map<Schema, string>();
  const visit = (schema: Schema): void => {
    const full = resolve(schema);
    if (full.properties && found.has(full)) return;
    if (full.properties) found.set(full, typeNameOf(full));
    for (const inner of [full.items, full.additionalProperties, ...Object.values(full.properties ?? {})])
      if (inner) visit(inner);
  };
  for (const { schema } of builtinKinds) visit(schema);
  return found;
}
const types = typesIn();
const fields = [...types].flatMap(([type, name]) =>
  Object.entries(type.properties ?? {}).map(([field, schema]) => ({ at: `${name}.${field}`, type, field, schema })),
);

test("every value of an enum is accepted, and the message of another lists all of them", () => {
  const enums = fields.flatMap(({ at, schema }) => [
    ...(schema.enum ? [{ at, schema, values: schema.enum }] : []),
    ...(schema.items?.enum ? [{ at: `${at}[]`, schema: schema.items, values: schema.items.enum }] : []),
  ]);
  expect(enums.length).toBeGreaterThan(100);
  for (const { at, schema, values } of enums) {
    const own: Schema = { type: "string", enum: values, ...(schema.open && { open: true }) };
    const refused = [...values.map((value) => problemsOf(own, value)), problemsOf(own, "none of them")].flat();
    const listed = values.map((value) => JSON.stringify(value)).join(", ");
    const message = `Unsupported value: "none of them": supported values: ${listed}`;
    expect([at, refused.map((p) => p.message)]).toEqual([at, schema.open ? [] : [message]]);
  }
});

test("defaults apply to missing fields, and to Go's zero values where those are equivalent", () => {
  const defaulted = fields.filter(({ schema }) => schema.default !== undefined);
  expect(defaulted.length).toBeGreaterThan(300);
  for (const { at, type, field, schema } of defaulted) {
    const full = withDefaults<Readonly<Record<string, unknown>>>(type, {});
    expect([at, full[field]]).toEqual([at, withDefaults(schema, schema.default)]);
    if (schema.omitZero) expect(withDefaults<object>(type, { [field]: "" })).toEqual(full);
  }
});

/** Values that a schema allows, with random optional fields. */
function someOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const full: Schema = { ...resolve(schema), ...schema };
  if (full.enum && full.enum.length > 0) return fc.constantFrom(...full.enum);
  if (full.bounds) return fc.integer({ min: full.bounds[0], max: full.bounds[1] ?? full.bounds[0] + 1000 });
  if (full.type === "boolean") return fc.boolean();
  if (full.type === "integer" || full.type === "number") return fc.integer({ min: 1, max: 100 });
  if (full.type === "array")
    return depth > 4 ? fc.constant([]) : fc.array(someOf(full.items ?? {}, depth + 1), { maxLength: 2 });
  if (full.type !== "object") return fc.constant(full.format === "quantity" ? "1" : "a");
  if (!full.properties || depth > 4) return fc.constant({});
  const own = Object.entries(full.properties).map(([name, field]) => [name, someOf(field, depth + 1)] as const);
  return fc.record(Object.fromEntries(own), { requiredKeys: [] });
}

const seed = Number(process.env["SEED"] ?? 1);
test("defaulting is idempotent and returns a complete object unchanged", () =>
  fc.assert(
    fc.property(
      fc.constantFrom(...builtinKinds).chain(({ schema }) => fc.tuple(fc.constant(schema), someOf(schema, 0))),
      ([schema, value]) => {
        const full = withDefaults(schema, value);
        expect(withDefaults(schema, full)).toBe(full);
        expect(withDefaults(schema, value, value)).toBe(value);
        // A missing required enum value is reported as an unsupported empty string.
        const wrong = problemsOf(schema, full).filter(
          ({ reason, message }) => reason === "FieldValueNotSupported" && !message.startsWith('Unsupported value: ""'),
        );
        expect(wrong).toEqual([]);
      },
    ),
    { seed, numRuns: 200 },
  ));

const size = { type: "string" } as const;
const keywords: readonly (readonly [what: string, field: Schema, good: unknown, bad: unknown, message: string])[] = [
  ["minimum", { minimum: 1 }, 1, 0, "Invalid value: 0: spec.f in body should be greater than or equal to 1"],
  [
    "exclusive minimum",
    { minimum: 1, exclusiveMinimum: true },
    2,
    1,
    "Invalid value: 1: spec.f in body should be greater than 1",
  ],
  ["maximum", { maximum: 9 }, 9, 10, "Invalid value: 10: spec.f in body should be less than or equal to 9"],
  ["multiples", { multipleOf: 2 }, 4, 3, "Invalid value: 3: spec.f in body should be a multiple of 2"],
  ["least length", { minLength: 2 }, "ab", "a", 'Invalid value: "a": spec.f in body should be at least 2 chars long'],
  ["greatest length", { maxLength: 2 }, "äö", "abc", "Too long: may not be more than 2 bytes"],
  ["pattern", { pattern: "^a+$" }, "aa", "b", "Invalid value: \"b\": spec.f in body should match '^a+$'"],
  ["enum", { enum: ["a", "b"] }, "a", "c", 'Unsupported value: "c": supported values: "a", "b"'],
  [
    "least items",
    { items: size, minItems: 1 },
    ["a"],
    [],
    "Invalid value: 0: spec.f in body should have at least 1 items",
  ],
  ["most items", { items: size, maxItems: 1 }, ["a"], ["a", "b"], "Too many: 2: must have at most 1 items"],
  [
    "most fields",
    { additionalProperties: size, maxProperties: 1 },
    { a: "" },
    { a: "", b: "" },
    "Too many: 2: must have at most 1 items",
  ],
  [
    "any of",
    { anyOf: [{ minimum: 5 }, { maximum: 1 }] },
    1,
    3,
    'Invalid value: 3: "spec.f" must validate at least one schema (anyOf)',
  ],
  [
    "one of",
    { oneOf: [{ required: ["a"] }, { required: ["b"] }] },
    { a: 1 },
    {},
    'Invalid value: "": "spec.f" must validate one and only one schema (oneOf). Found none valid',
  ],
  ["not", { not: { enum: ["a"] } }, "b", "a", 'Invalid value: "a": "spec.f" must not validate the schema (not)'],
];
for (const [what, field, good, bad, message] of keywords)
  test(`a custom resource's schema: ${what}`, () => {
    const schema: Schema = { type: "object", properties: { spec: { type: "object", properties: { f: field } } } };
    expect(problemsOf(schema, { spec: { f: good } })).toEqual([]);
    expect(problemsOf(schema, { spec: { f: bad } }).map((p) => `${p.path}: ${p.message}`)).toEqual([
      `spec.f: ${message}`,
    ]);
  });
test("a custom resource's schema: required fields, types of alternatives, defaults in lists", () => {
  const schema: Schema = {
    type: "object",
    required: ["port"],
    properties: {
      port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
      list: { type: "array", items: { type: "object", properties: { a: { type: "string", default: "x" } } } },
    },
  };
  expect(problemsOf(schema, {}).map((p) => `${p.path}: ${p.message}`)).toEqual(["port: Required value"]);
  expect(problemsOf(schema, { port: "http" })).toEqual([]);
  expect(withDefaults<object>(schema, { list: [{}, { a: "y" }] })).toEqual({ list: [{ a: "x" }, { a: "y" }] });
});

test("a custom resource's schema: null is kept in nullable fields and dropped in others", () => {
  const field: Schema = { type: "object", properties: { a: { type: "string", minLength: 1 } }, required: ["a"] };
  const schema: Schema = { type: "object", properties: { may: { ...field, nullable: true }, not: field } };
  const { value } = decode(schema, { may: null, not: null });
  expect(value).toEqual({ may: null });
  expect(withDefaults(schema, value)).toBe(value);
  expect(problemsOf(schema, value)).toEqual([]);
});

/** Lists that equal the values of an enum but have another meaning, by file. */
const alike: Readonly<Record<string, string>> = {
  "api/authorization/accessreviews.ts": "the operators that take values",
  "api/core/pod/validate-placement.ts": "the operators of a toleration without the comparisons, which are not enabled",
  "api/networking/networkpolicies.ts": "the default policy types",
  "api/snapshot/volumesnapshots.ts": "its own schema",
};
test("the values of an enum are not repeated by hand", () => {
  const textOf = (values: readonly unknown[]): string =>
    values
      .filter((v) => v !== "")
      .map(String)
      .sort()
      .join("|");
  const known = new Set(
    fields
      .flatMap(({ schema }) => [schema.enum ?? [], schema.items?.enum ?? []])
      .filter((v) => v.length > 1)
      .map(textOf),
  );
  const list = /\[\s*("[^"\]]*"(?:,\s*"[^"\]]*")*),?\s*\]/g;
  const files = globSync("api/**/*.ts").filter((file) => !/overlay\.ts$|generated/.test(file));
  const twice = files.filter((file) =>
    [...readFileSync(file, "utf8").matchAll(list)].some(([, inner = ""]) =>
      known.has(textOf([...inner.matchAll(/"([^"]*)"/g)].map(([, value]) => value))),
    ),
  );
  expect(twice.toSorted()).toEqual(Object.keys(alike));
});
