// Evaluates generated queries by this project, in the form in which the judge prints its results, and compares both.
import { instantQuery, rangeQuery } from "../../../monitoring/promql/query.ts";
import { writeNumber } from "../../../monitoring/promql/aggregation.ts";
import { EvaluationError, writeLabels } from "../../../monitoring/promql/values.ts";
import { ParseError } from "../../../monitoring/promql/tokens.ts";
import type { Select } from "../../../monitoring/promql/selection.ts";
import { Labels } from "../../../monitoring/series/labels.ts";
import type { SeriesSamples } from "../../../monitoring/series/samples.ts";
import type { GeneratedQuery, GeneratedSeries } from "./generate.ts";

/** What the judge prints for a query. */
export interface Result {
  readonly error?: string;
  readonly series?: readonly ResultSeries[];
}
interface ResultSeries {
  readonly L: string;
  readonly T: readonly number[] | null;
  readonly V: readonly string[] | null;
}

const numberIn = (text: string): number => (/Inf$/.test(text) ? (text.startsWith("-") ? -1 / 0 : 1 / 0) : Number(text));

const samplesOf = ({ labels, times, values }: GeneratedSeries): SeriesSamples => ({
  labels: Labels.ofRecord(labels),
  times: Float64Array.from(times),
  values: Float64Array.from(values, (value) => (value === "end" ? Number.NaN : numberIn(value))),
  ...(values.includes("end") && { ended: Uint8Array.from(values, (value) => Number(value === "end")) }),
});

/** Reads generated series as a store would. */
export function selectFrom(generated: readonly GeneratedSeries[]): Select {
  const all = generated.map(samplesOf).toSorted((a, b) => (a.labels.key < b.labels.key ? -1 : 1));
  return async (matchers, from, to) =>
    all
      .filter(({ labels }) => matchers.every((m) => m.matches(labels.get(m.name))))
      .map(({ labels, times, values, ended }) => {
        const isIn = (_: number, i: number): boolean => times[i]! >= from && times[i]! <= to;
        return {
          ...{ labels, times: times.filter(isIn), values: values.filter(isIn) },
          ...(ended && { ended: ended.filter(isIn) }),
        };
      })
      .filter(({ times }) => times.length > 0);
}

const resultOf = ({ labels, times, values }: SeriesSamples): ResultSeries => ({
  ...{ L: writeLabels(labels), T: [...times], V: [...values].map(writeNumber) },
});

/** The result of a query by this project. */
export async function evaluateQuery({ query, start, end, step }: GeneratedQuery, select: Select): Promise<Result> {
  try {
    if (step > 0) return { series: (await rangeQuery(query, { start, end, stepMs: step }, { select })).map(resultOf) };
    const result = await instantQuery(query, start, { select });
    if (result.type === "matrix") return { series: result.series.map(resultOf) };
    if (result.type === "vector")
      return {
        series: result.samples.map(({ labels, value }) => ({
          ...{ L: writeLabels(labels), T: [result.time], V: [writeNumber(value)] },
        })),
      };
    if (result.type === "string") return { series: [{ L: result.value, T: null, V: null }] };
    return { series: [{ L: "{}", T: [result.time], V: [writeNumber(result.value)] }] };
  } catch (e) {
    if (e instanceof ParseError || e instanceof EvaluationError) return { error: e.message };
    throw e;
  }
}

/** Floating point sums in another order may differ in their last digits. */
const tolerance = 1e-7;
function isClose(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  return Math.abs(a - b) <= tolerance * Math.max(1e-5, Math.abs(a), Math.abs(b));
}

/** Whether two results have the same series with the same samples, or both are errors. */
export function isSame(a: Result, b: Result): boolean {
  if (a.error !== undefined || b.error !== undefined) return a.error !== undefined && b.error !== undefined;
  const sorted = ({ series = [] }: Result) => series.toSorted((x, y) => (x.L < y.L ? -1 : 1));
  const [left, right] = [sorted(a), sorted(b)];
  return (
    left.length === right.length &&
    left.every(({ L, T, V }, i) => {
      const other = right[i]!;
      const values = other.V ?? [];
      return (
        L === other.L &&
        JSON.stringify(T) === JSON.stringify(other.T) &&
        (V ?? []).every((value, k) => isClose(numberIn(value), numberIn(values[k]!)))
      );
    })
  );
}
