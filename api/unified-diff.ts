// A unified diff of two values as JSON, for messages about immutable fields.

const context = 3;

/** A line of both texts, of the old one only, or of the new one only. */
type Line = readonly [mark: " " | "-" | "+", text: string];

const linesOf = (value: unknown): readonly string[] => (JSON.stringify(value, undefined, 1) ?? "null").split("\n");

/** The length of the longest common subsequence of the remainders, for every pair of positions. */
function commonLengths(a: readonly string[], b: readonly string[]): readonly (readonly number[])[] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      table[i]![j] = a[i] === b[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j] ?? 0, table[i]![j + 1] ?? 0);
  return table;
}

function compared(a: readonly string[], b: readonly string[]): readonly Line[] {
  const common = commonLengths(a, b);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push([" ", a[i]!]);
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && common[i + 1]![j]! >= common[i]![j + 1]!)) lines.push(["-", a[i++]!]);
    else lines.push(["+", b[j++]!]);
  }
  return lines;
}

/** Ranges of changed lines with their context. */
function hunks(lines: readonly Line[]): readonly (readonly [from: number, to: number])[] {
  const found: [number, number][] = [];
  for (const [i, [mark]] of lines.entries()) {
    if (mark === " ") continue;
    const last = found.at(-1);
    if (last && i - context <= last[1]) last[1] = Math.min(lines.length, i + context + 1);
    else found.push([Math.max(0, i - context), Math.min(lines.length, i + context + 1)]);
  }
  return found;
}

const range = (start: number, length: number): string => (length === 1 ? `${start}` : `${start},${length}`);

/** A unified diff without file headers; empty for equal values. */
export function unifiedDiff(before: unknown, after: unknown): string {
  const lines = compared(linesOf(before), linesOf(after));
  const count = (part: readonly Line[], but: string): number => part.filter(([mark]) => mark !== but).length;
  return hunks(lines)
    .map(([from, to]) => {
      const [ahead, shown] = [lines.slice(0, from), lines.slice(from, to)];
      const old = range(count(ahead, "+") + 1, count(shown, "+"));
      const now = range(count(ahead, "-") + 1, count(shown, "-"));
      return `@@ -${old} +${now} @@\n${shown.map(([mark, text]) => `${mark}${text}\n`).join("")}`;
    })
    .join("");
}
