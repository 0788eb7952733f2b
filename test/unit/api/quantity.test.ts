import fc from "fast-check";
import { expect, test } from "vitest";
import {
  canonicalQuantity,
  cpuQuantity,
  formatQuantity,
  memoryQuantity,
  milliOf,
  parseQuantity,
  unitsOf,
} from "../../../api/quantity.ts";

const canonical: readonly (readonly [input: string, stored: string])[] = [
  ["0", "0"],
  ["1", "1"],
  ["1000m", "1"],
  ["0.5", "500m"],
  ["1.5", "1500m"],
  ["100m", "100m"],
  ["1024Mi", "1Gi"],
  ["1025Mi", "1025Mi"],
  ["0.5Gi", "512Mi"],
  ["1000k", "1M"],
  ["1e3", "1e3"],
  ["12e6", "12e6"],
  ["+5", "5"],
  ["-1500m", "-1500m"],
  [".5", "500m"],
  ["0.0000000001", "1n"],
];
for (const [input, stored] of canonical)
  test(`quantity: ${input} is stored as ${stored}`, () => expect(canonicalQuantity(input)).toBe(stored));

for (const text of ["", "1.2.3", "m", "1Xi", "1 Gi", "0x10", "1e", "--1", "1e99"])
  test(`quantity: ${JSON.stringify(text)} is invalid`, () => expect(parseQuantity(text)).toBeUndefined());

test("quantity: the canonical form round-trips", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 21n), max: 10n ** 21n }),
      fc.constantFrom("decimal", "binary", "exponent"),
      (nano, family) => {
        const again = parseQuantity(formatQuantity({ nano, family: family as "decimal" }));
        expect(again?.nano).toBe(nano);
      },
    ),
  );
});

test("quantity: milli units and whole units are rounded up", () => {
  expect([milliOf("250m"), milliOf("2"), milliOf("1u"), milliOf(undefined)]).toEqual([250, 2000, 1, 0]);
  expect([unitsOf("1Ki"), unitsOf("1500m"), unitsOf(undefined)]).toEqual([1024, 2, 0]);
  expect([cpuQuantity(1500), memoryQuantity(2 ** 30)]).toEqual(["1500m", "1Gi"]);
});
test("quantity: cached results equal parsed ones", () => {
  const read = (): readonly unknown[] =>
    Array.from({ length: 3_000 }, (_, i) => parseQuantity(`${i % 1_500}${["", "m", "Ki", "x"][i % 4]}`));
  const first = read();
  expect(first.filter((quantity) => quantity === undefined)).toHaveLength(750);
  expect(read()).toEqual(first);
});
