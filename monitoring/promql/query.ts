// Queries: parse, read the samples, evaluate. At one time, or at the steps of a range.
import { compareText, type Labels, noLabels } from "../series/labels.ts";
import type { SeriesSamples } from "../series/samples.ts";
import { type Environment, evaluate, samplesOf } from "./evaluate.ts";
import type { Expression } from "./expression.ts";
import { parseQuery } from "./parse.ts";
import { type Select, selectAll } from "./selection.ts";
import { nameOf } from "./signatures.ts";
import { ParseError } from "./tokens.ts";
import { typeOf } from "./types-of-expressions.ts";
import type { Grid, Value } from "./values.ts";

/** A sample of an instant vector. */
export interface VectorSample {
  readonly labels: Labels;
  readonly value: number;
}
/** The result of a query. Times are milliseconds. */
export type QueryResult =
  | { readonly type: "scalar"; readonly time: number; readonly value: number }
  | { readonly type: "string"; readonly time: number; readonly value: string }
  | { readonly type: "vector"; readonly time: number; readonly samples: readonly VectorSample[] }
  | { readonly type: "matrix"; readonly series: readonly SeriesSamples[] };

/** What queries are evaluated over. */
export interface Queryable {
  readonly select: Select;
}

const lookbackMs = 300_000;
const subqueryStepMs = 60_000;

async function evaluated(expression: Expression, grid: Grid, to: number, { select }: Queryable): Promise<Value> {
  const times = { from: grid.start, to, lookbackMs };
  const series = await selectAll(expression, times, select);
  const env: Environment = { grid, times, series, subqueryStepMs };
  return evaluate(expression, env);
}

const byLabels = (a: { readonly labels: Labels }, b: { readonly labels: Labels }): number =>
  compareText(a.labels.key, b.labels.key);

/** The samples of a matrix at its only step. */
function windowOf({ labels, times, values }: SeriesSamples, from: number, to: number): SeriesSamples {
  const isIn = (_: number, i: number): boolean => times[i]! > from && times[i]! <= to;
  return { labels, times: times.filter(isIn), values: values.filter(isIn) };
}

/** Evaluates a query at one time. Throws ParseError and EvaluationError. */
export async function instantQuery(query: string | Expression, time: number, over: Queryable): Promise<QueryResult> {
  const expression = typeof query === "string" ? parseQuery(query) : query;
  const value = await evaluated(expression, { start: time, stepMs: 1, count: 1 }, time, over);
  switch (value.type) {
    case "scalar":
      return { type: "scalar", time, value: value.values[0]! };
    case "string":
      return { type: "string", time, value: value.value };
    case "vector": {
      const present = value.vector.filter((column) => column.present[0] === 1);
      return { type: "vector", time, samples: present.map(({ labels, values }) => ({ labels, value: values[0]! })) };
    }
    case "matrix": {
      const { series, rangeMs, end } = value.matrix;
      const windows = series.map((each) => windowOf(each, end(0) - rangeMs, end(0)));
      return { type: "matrix", series: windows.filter(({ times }) => times.length > 0).toSorted(byLabels) };
    }
  }
}

/** The times of a range query, in milliseconds; both limits are included. */
export interface QueryRange {
  readonly start: number;
  readonly end: number;
  readonly stepMs: number;
}

/** Evaluates a query at every step. Throws ParseError and EvaluationError. */
export async function rangeQuery(
  query: string | Expression,
  { start, end, stepMs }: QueryRange,
  over: Queryable,
): Promise<readonly SeriesSamples[]> {
  const grid = { start, stepMs, count: Math.floor((end - start) / stepMs) + 1 };
  const expression = typeof query === "string" ? parseQuery(query) : query;
  const type = typeOf(expression);
  if (type !== "scalar" && type !== "vector")
    throw new ParseError(
      `invalid expression type ${JSON.stringify(nameOf(type))} for range query, must be Scalar or instant Vector`,
    );
  const value = await evaluated(expression, grid, end, over);
  const columns =
    value.type === "vector"
      ? value.vector
      : value.type === "scalar"
        ? [{ labels: noLabels, values: value.values, present: new Uint8Array(grid.count).fill(1) }]
        : [];
  return columns
    .map((column) => samplesOf(column, grid))
    .filter(({ times }) => times.length > 0)
    .toSorted(byLabels);
}
