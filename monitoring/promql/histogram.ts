// Quantiles of classic histograms: cumulative buckets under the label `le`. Source: Prometheus' documentation of
// histogram_quantile.
import type { Labels } from "../series/labels.ts";
import { type Column, emptyColumn, set, type Vector } from "./values.ts";

export interface Bucket {
  readonly upper: number;
  readonly count: number;
}

/** Differences of this part are errors of floating point, and no observations. */
const tolerance = 1e-12;

/** Buckets in ascending order, each bound once, whose counts do not decrease. */
function cumulative(buckets: readonly Bucket[]): readonly Bucket[] {
  const sums = new Map<number, number>();
  for (const { upper, count } of buckets.toSorted((a, b) => a.upper - b.upper))
    sums.set(upper, (sums.get(upper) ?? 0) + count);
  let previous = Number.NEGATIVE_INFINITY;
  return [...sums].map(([upper, count]) => {
    const isSame = Math.abs(count - previous) <= tolerance * Math.min(Math.abs(count), Math.abs(previous));
    previous = isSame || count < previous ? previous : count;
    return { upper, count: previous };
  });
}

/** The value below which the part `q` of the observations is, interpolated within its bucket. */
export function bucketQuantile(q: number, buckets: readonly Bucket[]): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const all = cumulative(buckets);
  const last = all.at(-1);
  if (last?.upper !== Number.POSITIVE_INFINITY || all.length < 2 || last.count === 0 || Number.isNaN(last.count))
    return Number.NaN;
  const rank = q * last.count;
  const found = all.slice(0, -1).findIndex(({ count }) => count >= rank);
  if (found < 0) return all.at(-2)!.upper;
  const { upper, count } = all[found]!;
  if (found === 0 && upper <= 0) return upper;
  const { upper: lower, count: below } = found === 0 ? { upper: 0, count: 0 } : all[found - 1]!;
  return lower + (upper - lower) * ((rank - below) / (count - below));
}

const boundOf = (labels: Labels): number => {
  const text = labels.get("le");
  return text === "+Inf" || text === "Inf" || text === "inf"
    ? Number.POSITIVE_INFINITY
    : text === ""
      ? Number.NaN
      : Number(text);
};

/** One quantile for each histogram. */
export function histogramQuantile(vector: Vector, quantiles: Float64Array): Vector {
  const count = quantiles.length;
  const bounded = vector
    .map((column) => ({ column, upper: boundOf(column.labels) }))
    .filter(({ upper }) => !Number.isNaN(upper));
  const labelsOf = (labels: Labels): Labels => labels.filter((name) => name !== "le" && name !== "__name__");
  const groups = Map.groupBy(bounded, ({ column }) => labelsOf(column.labels).key);
  return [...groups.values()].map((buckets): Column => {
    const result = emptyColumn(labelsOf(buckets[0]!.column.labels), count);
    for (let step = 0; step < count; step++) {
      const present = buckets.flatMap(({ column, upper }) =>
        column.present[step] === 1 ? [{ upper, count: column.values[step]! }] : [],
      );
      if (present.length > 0) set(result, step, bucketQuantile(quantiles[step]!, present));
    }
    return result;
  });
}
