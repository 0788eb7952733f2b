// Functions over ranges of samples: rates of counters, and figures of the samples in a window.
import type { SeriesSamples } from "../series/samples.ts";
import { largest, mean, quantile, smallest, sumOf, variance } from "./numbers.ts";
import { type Column, emptyColumn, type Grid, type Matrix, set, timeAt, type Vector } from "./values.ts";

/** The samples of a series in one window: those with indices from `first` to before `end`. */
export interface Window {
  readonly samples: SeriesSamples;
  readonly first: number;
  readonly end: number;
  /** The limits of the window and the time of the step, in milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly now: number;
}

/** The value of a window; undefined when it has none. A window has at least one sample. */
export type WindowFunction = (window: Window, parameter: number) => number | undefined;

const valuesIn = ({ samples, first, end }: Window): readonly number[] => [...samples.values.subarray(first, end)];

/** How a value changed, extrapolated to the limits of the window. Prometheus' extrapolatedRate. */
function extrapolated(
  { samples: { times, values }, first, end, from, to }: Window,
  isCounter: boolean,
  isRate: boolean,
) {
  const count = end - first;
  if (count < 2) return undefined;
  const [firstTime, lastTime, firstValue] = [times[first]!, times[end - 1]!, values[first]!];
  let change = values[end - 1]! - firstValue;
  if (isCounter) for (let i = first + 1; i < end; i++) if (values[i]! < values[i - 1]!) change += values[i - 1]!;
  const interval = (lastTime - firstTime) / 1000;
  const average = interval / (count - 1);
  let toStart = (firstTime - from) / 1000;
  let toEnd = (to - lastTime) / 1000;
  if (toStart >= average * 1.1) toStart = average / 2;
  // A counter is not extrapolated below zero.
  if (isCounter && change > 0 && firstValue >= 0) toStart = Math.min(toStart, interval * (firstValue / change));
  if (toEnd >= average * 1.1) toEnd = average / 2;
  const factor = (interval + toStart + toEnd) / interval;
  return change * (isRate ? factor / ((to - from) / 1000) : factor);
}

/** The change between the last two samples. */
function lastChange({ samples: { times, values }, first, end }: Window, isRate: boolean): number | undefined {
  if (end - first < 2) return undefined;
  const [before, last] = [values[end - 2]!, values[end - 1]!];
  const change = isRate && last < before ? last : last - before;
  const seconds = (times[end - 1]! - times[end - 2]!) / 1000;
  return isRate ? change / seconds : change;
}

function pairs({ samples: { values }, first, end }: Window, counts: (before: number, next: number) => boolean): number {
  let count = 0;
  for (let i = first + 1; i < end; i++) if (counts(values[i - 1]!, values[i]!)) count++;
  return count;
}

/** The line of least squares through the samples, at `origin`. */
function regression({ samples: { times, values }, first, end }: Window, origin: number) {
  const n = end - first;
  const [initial] = values.subarray(first, end);
  if (values.subarray(first, end).every((value) => value === initial))
    return Number.isFinite(initial!) ? { slope: 0, intercept: initial! } : { slope: Number.NaN, intercept: Number.NaN };
  const x = Array.from({ length: n }, (_, i) => (times[first + i]! - origin) / 1000);
  const y = values.subarray(first, end);
  const [sumX, sumY] = [sumOf(x), sumOf(y)];
  const covariance = sumOf(x.map((each, i) => each * y[i]!)) - (sumX * sumY) / n;
  const varianceX = sumOf(x.map((each) => each * each)) - (sumX * sumX) / n;
  const slope = covariance / varianceX;
  return { slope, intercept: sumY / n - (slope * sumX) / n };
}

export const windowFunctions: Readonly<Record<string, WindowFunction>> = {
  rate: (w) => extrapolated(w, true, true),
  increase: (w) => extrapolated(w, true, false),
  delta: (w) => extrapolated(w, false, false),
  irate: (w) => lastChange(w, true),
  idelta: (w) => lastChange(w, false),
  changes: (w) => pairs(w, (a, b) => a !== b && !(Number.isNaN(a) && Number.isNaN(b))),
  resets: (w) => pairs(w, (a, b) => b < a),
  deriv: (w) => (w.end - w.first < 2 ? undefined : regression(w, w.samples.times[w.first]!).slope),
  predict_linear(w, seconds) {
    if (w.end - w.first < 2) return undefined;
    const { slope, intercept } = regression(w, w.now);
    return slope * seconds + intercept;
  },
  avg_over_time: (w) => mean(valuesIn(w)),
  min_over_time: (w) => smallest(valuesIn(w)),
  max_over_time: (w) => largest(valuesIn(w)),
  sum_over_time: (w) => sumOf(valuesIn(w)),
  count_over_time: (w) => w.end - w.first,
  last_over_time: (w) => w.samples.values[w.end - 1],
  present_over_time: () => 1,
  stddev_over_time: (w) => Math.sqrt(variance(valuesIn(w))),
  stdvar_over_time: (w) => variance(valuesIn(w)),
  quantile_over_time: (w, q) => quantile(q, valuesIn(w)),
};

/** Samples without the marks of ends, which are no values. */
export function withoutEnds(series: SeriesSamples): SeriesSamples {
  const { labels, times, values, ended } = series;
  if (!ended) return series;
  const kept = (_: number, i: number): boolean => ended[i] === 0;
  return { labels, times: times.filter(kept), values: values.filter(kept) };
}

/** Applies a function to the windows of all steps. Their ends never decrease, so each sample is passed once. */
export function overWindows(
  { series, rangeMs, end: endOf }: Matrix,
  grid: Grid,
  compute: WindowFunction,
  parameters: Float64Array | undefined,
): Vector {
  return series.map((samples): Column => {
    const { times } = samples;
    const column = emptyColumn(samples.labels, grid.count);
    let [first, end] = [0, 0];
    for (let step = 0; step < grid.count; step++) {
      const to = endOf(step);
      const from = to - rangeMs;
      while (end < times.length && times[end]! <= to) end++;
      while (first < end && times[first]! <= from) first++;
      if (first === end) continue;
      const window = { samples, first, end, from, to, now: timeAt(grid, step) };
      const value = compute(window, parameters?.[step] ?? Number.NaN);
      if (value !== undefined) set(column, step, value);
    }
    return column;
  });
}
