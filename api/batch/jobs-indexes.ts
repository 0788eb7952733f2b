// Parses compact sets of job indexes such as `0,2-5,9`.

const integer = /^[+-]?\d+$/;

function interval(text: string, completions: number): readonly [from: number, to: number] | string {
  const limits = text.split("-");
  if (limits.length > 2)
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  for (const limit of limits) {
    if (!integer.test(limit)) return `cannot convert string to integer for index: ${JSON.stringify(limit)}`;
    if (Number(limit) >= completions) return `too large index: ${JSON.stringify(limit)}`;
  }
  const [from, to] = [Number(limits[0]), Number(limits.at(-1))];
  return limits.length > 1 && from >= to ? `non-increasing order, previous: ${from}, current: ${to}` : [from, to];
}

/** The number of indexes in the set, or the parse error. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === "") return 0;
  let total = 0;
  let last: number | undefined;
  for (const part of text.split(",")) {
    const range = interval(part, completions);
    if (typeof range === "string") return range;
    const [from, to] = range;
    if (last !== undefined && last >= from) return `non-increasing order, previous: ${last}, current: ${from}`;
    total += to - from + 1;
    last = to;
  }
  return total;
}

/** The first index in both sets; fragments that do not parse are skipped. */
export function sharedIndex(a: string, b: string, completions: number): number | undefined {
  const rangesOf = (text: string): readonly (readonly [number, number])[] =>
    (text === "" ? [] : text.split(","))
      .map((part) => interval(part, completions))
      .filter((range) => typeof range !== "string");
  const others = rangesOf(b);
  for (const [from, to] of rangesOf(a)) {
    const met = others.find(([start, end]) => from <= end && start <= to);
    if (met) return Math.max(from, met[0]);
  }
  return undefined;
}
