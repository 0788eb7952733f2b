// Results of queries as Prometheus' JSON.
import { writeNumber } from "../promql/aggregation.ts";
import type { QueryResult } from "../promql/query.ts";
import type { SeriesSamples } from "../series/samples.ts";

const point = (ms: number, value: number): readonly [number, string] => [ms / 1000, written(value)];
/** Small exponents without a leading zero, unlike in the labels of count_values. */
const written = (value: number): string =>
  Number.isFinite(value) ? (Object.is(value, -0) ? "-0" : String(value)) : writeNumber(value);

export const matrixResult = (series: readonly SeriesSamples[]): object => ({
  resultType: "matrix",
  result: series.map(({ labels, times, values }) => ({
    metric: labels.toRecord(),
    values: [...times].map((time, i) => point(time, values[i]!)),
  })),
});

export function queryResult(result: QueryResult): object {
  switch (result.type) {
    case "matrix":
      return matrixResult(result.series);
    case "scalar":
      return { resultType: "scalar", result: point(result.time, result.value) };
    case "string":
      return { resultType: "string", result: [result.time / 1000, result.value] };
    case "vector":
      return {
        resultType: "vector",
        result: result.samples.map(({ labels, value }) => ({
          metric: labels.toRecord(),
          value: point(result.time, value),
        })),
      };
  }
}
