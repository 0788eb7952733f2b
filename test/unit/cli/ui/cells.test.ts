// Text in terminal cells: widths, cuts, and what is printable.
import fc from "fast-check";
import { expect, test } from "vitest";
import { fitted, printable, sliceCells, widthOf } from "../../../../cli/ui/cells.ts";

test.each([
  ["", 0],
  ["web-1", 5],
  ["日本語", 6],
  ["ａ", 2],
  ["e\u0301", 1],
  ["👨‍👩‍👧", 2],
  ["🇩🇪", 2],
  ["❤️", 2],
  ["├─ …", 4],
])("%s has %i cells", (text, width) => {
  expect(widthOf(text)).toBe(width);
});

test.each([
  ["web", 5, "end", "web  "],
  ["web-6d4cf56db6-abcde", 8, "end", "web-6d4…"],
  ["web-6d4cf56db6-abcde", 12, "middle", "web-6…-abcde"],
  ["日本語", 5, "end", "日本…"],
  ["日本語", 4, "end", "日… "],
  ["日本語", 0, "end", ""],
] as const)("%s in %i cells, cut at the %s, is %j", (text, cells, cut, result) => {
  expect(fitted(text, cells, cut)).toBe(result);
});

test.each([
  ["\x1b[31mred\x1b[0m", "red"],
  ["\x1b]0;title\x07text", "text"],
  ["a\tb", "a    b"],
  ["a\rb\x07", "a·b·"],
  ["\u202eright to left", "·right to left"],
])("%j is printed as %s", (text, result) => {
  expect(printable(text)).toBe(result);
});

test("a fitted text has exactly its cells, and slices make the text again", () => {
  const texts = fc.string({ unit: fc.constantFrom("a", "日", "e\u0301", "👍", " ", "-") });
  fc.assert(
    fc.property(texts, fc.integer({ min: 0, max: 20 }), (text, cells) => {
      expect(widthOf(fitted(text, cells))).toBe(cells);
      expect(widthOf(fitted(text, cells, "middle"))).toBe(cells);
      expect(widthOf(sliceCells(text, 0, cells))).toBeLessThanOrEqual(cells);
    }),
  );
});
