// Arithmetic as Prometheus does it: sums with a correction, quantiles between the nearest ranks.

/** A sum with Neumaier's correction. */
export class Sum {
  #sum = 0;
  #correction = 0;

  add(value: number): void {
    const sum = this.#sum + value;
    if (Number.isFinite(sum))
      this.#correction += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    else this.#correction = 0;
    this.#sum = sum;
  }
  get total(): number {
    return this.#sum + this.#correction;
  }
}

export function sumOf(values: Iterable<number>): number {
  const sum = new Sum();
  for (const value of values) sum.add(value);
  return sum.total;
}

export const mean = (values: readonly number[]): number => sumOf(values) / values.length;

/** The mean of the squared differences to the mean. */
export function variance(values: readonly number[]): number {
  let [count, average, squares] = [0, 0, 0];
  for (const value of values) {
    count++;
    const delta = value - average;
    average += delta / count;
    squares += delta * (value - average);
  }
  return squares / count;
}

/** Numbers before NaN, so that NaN is neither the smallest nor the largest. */
export const smallest = (values: Iterable<number>): number => {
  let least = Number.NaN;
  for (const value of values) if (value < least || Number.isNaN(least)) least = value;
  return least;
};
export const largest = (values: Iterable<number>): number => {
  let most = Number.NaN;
  for (const value of values) if (value > most || Number.isNaN(most)) most = value;
  return most;
};

/** Go's, for which an infinity is larger than NaN. */
export const max = (a: number, b: number): number =>
  a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.max(a, b);
export const min = (a: number, b: number): number =>
  a === Number.NEGATIVE_INFINITY || b === Number.NEGATIVE_INFINITY ? Number.NEGATIVE_INFINITY : Math.min(a, b);

export function quantile(q: number, values: readonly number[]): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const sorted = values.toSorted((a, b) => (Number.isNaN(a) ? -1 : Number.isNaN(b) ? 1 : a - b));
  const rank = q * (sorted.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(sorted.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  // Infinity times zero would be NaN.
  if (weight === 0) return sorted[lower]!;
  return sorted[lower]! * (1 - weight) + sorted[upper]! * weight;
}
