import fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatIndexes,
  hasIndex,
  missingIndexes,
  parseIndexes,
  sharedCount,
  sizeOf,
  union,
  withIndexes,
} from "../../../controllers/job/indexes.ts";

const texts: readonly (readonly [indexes: readonly number[], text: string])[] = [
  [[], ""],
  [[3], "3"],
  [[1, 2], "1,2"],
  [[1, 2, 3], "1-3"],
  [[0, 2, 3, 4, 9], "0,2-4,9"],
  [[5, 1, 0, 1], "0,1,5"],
];
for (const [indexes, text] of texts)
  test(`indexes ${indexes.join(" ")} are written "${text}"`, () =>
    expect(formatIndexes(withIndexes([], indexes))).toBe(text));

test("indexes beyond reduced completions are omitted", () =>
  expect(formatIndexes(parseIndexes("0,3-7,9", 6))).toBe("0,3-5"));

const some = fc.uniqueArray(fc.nat(40), { maxLength: 20 });
test("indexes: sets of intervals behave as sets of numbers", () => {
  fc.assert(
    fc.property(some, some, fc.nat(10), (a, b, count) => {
      const [x, y] = [withIndexes([], a), withIndexes([], b)];
      const numbers = Array.from({ length: 41 }, (_, i) => i);
      expect(parseIndexes(formatIndexes(x), 41)).toEqual(x);
      expect(sizeOf(union(x, y))).toBe(new Set([...a, ...b]).size);
      expect(sharedCount(x, y)).toBe(a.filter((i) => b.includes(i)).length);
      expect(numbers.filter((i) => hasIndex(x, i))).toEqual(a.toSorted((i, j) => i - j));
      expect(missingIndexes(x, 41, count)).toEqual(numbers.filter((i) => !a.includes(i)).slice(0, count));
    }),
  );
});
