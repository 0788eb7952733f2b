// Limits of nesting depth, checked before parsing (brackets in strings do not nest), and the detection of duplicate
// fields by their number.
import fc from "fast-check";
import { expect, test } from "vitest";
import { fieldsIn, outlineOf, strictErrors, untyped } from "../../../apiserver/documents/json-syntax.ts";
import { readYaml } from "../../../apiserver/documents/yaml.ts";

const levels = (count: number, open = "[", close = "]"): string => open.repeat(count) + close.repeat(count);
const pad = " ".repeat(2_000);
const table = [
  ["a thousand levels", levels(1_000), true],
  ["one more", levels(1_001), false],
  ["objects nest too", `${'{"a":'.repeat(1_001)}1${"}".repeat(1_001)}`, false],
  ["brackets in a string", `"${"[".repeat(5_000)}"`, true],
  ["brackets behind an escaped quote", `"\\"${"[".repeat(5_000)}"`, true],
  ["brackets behind a string that ends with a backslash", `["\\\\",${levels(1_000)}]`, false],
  ["a string without an end", `"${"[".repeat(5_000)}`, true],
  ["a wide document", `[${levels(2).concat(",").repeat(3_000)}1]${pad}`, true],
] as const;
for (const [what, text, fits] of table) test(what, () => expect(outlineOf(text).isTooDeep).toBe(!fits));

test("YAML has the same limit, in flow and block style", () => {
  expect(() => readYaml(levels(20_000))).toThrow("exceeded max depth");
  const steps = Array.from({ length: 3_000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n");
  expect(() => readYaml(steps)).toThrow("exceeded max depth");
});

const shows = (text: string): boolean => fieldsIn(JSON.parse(text)) < outlineOf(text).fields;
test("the number of fields differs exactly when strict decoding finds a duplicate", () => {
  const name = fc.constantFrom("a", "b", '\\"', ":", "\\u0061");
  const { text } = fc.letrec<{ text: string }>((tie) => ({
    text: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom("1", "null", '"a:b"', '"\\\\"', '"\\":{"'),
      fc.array(tie("text"), { maxLength: 3 }).map((items) => `[${items.join(" , ")}]`),
      fc
        .array(fc.tuple(name, tie("text")), { maxLength: 3 })
        .map((fields) => `{${fields.map(([key, value]) => `"${key}" : ${value}`).join(",")}}`),
    ),
  }));
  fc.assert(
    fc.property(text, (json) => {
      expect(shows(json)).toBe(strictErrors(json, untyped).length > 0);
    }),
  );
});
