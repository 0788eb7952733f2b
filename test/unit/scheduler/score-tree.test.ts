// The greatest of numbers that change equal the first of the sorted numbers.
import fc from "fast-check";
import { expect, test } from "vitest";
import { scoreTree } from "../../../scheduler/score-tree.ts";

const value = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(Number.NEGATIVE_INFINITY));
test("the greatest are found after any changes", () => {
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 40 }),
      fc.array(fc.tuple(fc.nat(), value), { maxLength: 10 }),
      fc.integer({ min: 1, max: 12 }),
      (values, changes, count) => {
        const tree = scoreTree(values);
        for (const [at, to] of values.length > 0 ? changes : []) {
          values[at % values.length] = to;
          tree.set(at % values.length, to);
        }
        const sorted = [...values.keys()]
          .filter((i) => values[i] !== Number.NEGATIVE_INFINITY)
          .toSorted((a, b) => values[b]! - values[a]! || a - b);
        expect(tree.greatest(count)).toEqual(sorted.slice(0, count));
      },
    ),
  );
});
