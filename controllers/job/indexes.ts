// Sets of completion indexes as ordered intervals, and their text in a job's status, such as `0,2-5,9`. Pure.

/** An interval with both its ends. */
type Interval = readonly [first: number, last: number];
/** Disjoint intervals in order, with a gap between any two. */
export type Indexes = readonly Interval[];

/** Joins intervals that touch or overlap. */
function joined(intervals: readonly Interval[]): Indexes {
  const result: [number, number][] = [];
  for (const [first, last] of intervals.toSorted(([a], [b]) => a - b)) {
    const before = result.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else result.push([first, last]);
  }
  return result;
}

/** The set in a text that the API validated, without the indexes that a smaller job no longer has. */
export function parseIndexes(text: string | undefined, completions: number): Indexes {
  if (!text) return [];
  const intervals = text.split(",").map((part): Interval => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return [first, Math.min(last, completions - 1)];
  });
  return joined(intervals.filter(([first]) => first < completions));
}

/** Kubernetes writes two neighbours with a comma and more with a hyphen. */
export const formatIndexes = (indexes: Indexes): string =>
  indexes.map(([a, b]) => (a === b ? `${a}` : `${a}${b === a + 1 ? "," : "-"}${b}`)).join(",");

export const union = (...sets: readonly Indexes[]): Indexes => joined(sets.flat());
export const withIndexes = (indexes: Indexes, added: Iterable<number>): Indexes =>
  joined([...indexes, ...[...added].map((i): Interval => [i, i])]);
export const sizeOf = (indexes: Indexes): number => indexes.reduce((sum, [a, b]) => sum + b - a + 1, 0);
export const hasIndex = (indexes: Indexes, index: number): boolean =>
  indexes.some(([a, b]) => a <= index && index <= b);

/** How many indexes both sets have. */
export const sharedCount = (x: Indexes, y: Indexes): number =>
  x.reduce((sum, [a, b]) => sum + y.reduce((n, [c, d]) => n + Math.max(0, Math.min(b, d) - Math.max(a, c) + 1), 0), 0);

/** The lowest indexes below `completions` that are not in the set. */
export function missingIndexes(indexes: Indexes, completions: number, count: number): readonly number[] {
  const result: number[] = [];
  let candidate = 0;
  for (const [first, last] of [...indexes, [completions, completions] as const]) {
    for (; candidate < Math.min(first, completions) && result.length < count; candidate++) result.push(candidate);
    candidate = Math.max(candidate, last + 1);
  }
  return result;
}
