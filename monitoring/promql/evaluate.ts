// Evaluates an expression over series that were read before. Pure.
import { Labels, metricName, noLabels } from "../series/labels.ts";
import type { SeriesSamples } from "../series/samples.ts";
import { aggregated } from "./aggregation.ts";
import { betweenScalars, betweenVectors, setOperation, withScalar } from "./binary.ts";
import {
  type Aggregate,
  type Binary,
  type Call,
  type Expression,
  type MatrixSelector,
  setOperators,
  type Subquery,
  type VectorSelector,
} from "./expression.ts";
import { isOfValues, mapped, sorted, toScalar } from "./functions.ts";
import { histogramQuantile } from "./histogram.ts";
import { labelJoin, labelReplace } from "./label-functions.ts";
import { fixedTime, type QueryTimes, type SelectedSeries } from "./selection.ts";
import {
  type Column,
  emptyColumn,
  EvaluationError,
  type Grid,
  isEmpty,
  type Matrix,
  set,
  timeAt,
  type Value,
  type Vector,
  withoutNames,
} from "./values.ts";
import { overWindows, windowFunctions, withoutEnds } from "./windows.ts";

/** What an evaluation depends on, beside the expression. */
export interface Environment {
  readonly grid: Grid;
  readonly times: QueryTimes;
  readonly series: SelectedSeries;
  /** The resolution of subqueries that name none. */
  readonly subqueryStepMs: number;
}

/** Values per step and series that one expression may have. */
const maxValues = 50_000_000;

function checkSize(series: number, { count }: Grid): void {
  if (series * count > maxValues)
    throw new EvaluationError("query processing would load too many samples into memory in query execution");
}

/** The value of every series at each step: its last sample within the lookback, unless it has ended. */
function selectVector(
  selector: VectorSelector,
  env: Environment,
  valueAt = (s: SeriesSamples, i: number) => s.values[i]!,
): Vector {
  const {
    grid,
    times: { lookbackMs },
  } = env;
  const all = env.series.get(selector)!;
  checkSize(all.length, grid);
  const fixed = fixedTime(selector, env.times);
  return all.map((samples): Column => {
    const { labels, times, ended } = samples;
    const column = emptyColumn(labels, grid.count);
    let end = 0;
    for (let step = 0; step < grid.count; step++) {
      const time = (fixed ?? timeAt(grid, step)) - selector.offset;
      while (end < times.length && times[end]! <= time) end++;
      if (end > 0 && times[end - 1]! > time - lookbackMs && ended?.[end - 1] !== 1)
        set(column, step, valueAt(samples, end - 1));
    }
    return column;
  });
}

function matrixOf(e: MatrixSelector | Subquery, env: Environment): Matrix {
  const modifiers = e.type === "matrix" ? e.vector : e;
  const fixed = fixedTime(modifiers, env.times);
  const end = (step: number): number => (fixed ?? timeAt(env.grid, step)) - modifiers.offset;
  const { rangeMs } = e;
  if (e.type === "matrix") return { series: env.series.get(e.vector)!.map(withoutEnds), rangeMs, end };
  const stepMs = e.stepMs ?? env.subqueryStepMs;
  const [first, last] = [end(0) - rangeMs, end(env.grid.count - 1)];
  // Steps are multiples of the resolution, so that equal subqueries have equal samples.
  const start = (Math.floor(first / stepMs) + 1) * stepMs;
  const grid = { start, stepMs, count: Math.max(0, Math.floor((last - start) / stepMs) + 1) };
  const inner = evaluate(e.expression, { ...env, grid });
  const vector = inner.type === "scalar" ? [constant(inner.values)] : vectorOf(inner);
  return { series: vector.map((column) => samplesOf(column, grid)), rangeMs, end };
}

/** A column as samples, at the times of its steps. */
export function samplesOf({ labels, values, present }: Column, grid: Grid): SeriesSamples {
  const steps = [...present.keys()].filter((step) => present[step] === 1);
  return {
    labels,
    times: Float64Array.from(steps, (step) => timeAt(grid, step)),
    values: Float64Array.from(steps, (step) => values[step]!),
  };
}

const constant = (values: Float64Array): Column => ({
  labels: noLabels,
  values,
  present: new Uint8Array(values.length).fill(1),
});

function vectorOf(value: Value): Vector {
  if (value.type !== "vector") throw new EvaluationError(`expected an instant vector, got ${value.type}`);
  return value.vector;
}
const evaluateVector = (e: Expression, env: Environment): Vector => vectorOf(evaluate(e, env));
function evaluateScalar(e: Expression, env: Environment): Float64Array {
  const value = evaluate(e, env);
  if (value.type !== "scalar") throw new EvaluationError(`expected a scalar, got ${value.type}`);
  return value.values;
}
const stringOf = (e: Expression | undefined): string => (e?.type === "string" ? e.value : "");

/** The labels that an absent series would have: those that its selector fixes. */
function absentLabels(e: Expression | undefined): Labels {
  const selector: Expression | undefined = e?.type === "matrix" ? e.vector : e;
  if (selector?.type !== "vector") return noLabels;
  const equal = selector.matchers.filter((m) => m.name !== metricName);
  const fixed = equal.filter((m) => m.operator === "=" && equal.filter(({ name }) => name === m.name).length === 1);
  return Labels.of(fixed.map((m) => [m.name, m.value]));
}

/** 1 at each step at which no series is present. */
function absence(vector: Vector, labels: Labels, { count }: Grid): Vector {
  const column = emptyColumn(labels, count);
  for (let step = 0; step < count; step++) if (vector.every(({ present }) => present[step] !== 1)) set(column, step, 1);
  return [column];
}

function overTime({ name, arguments: all }: Call, env: Environment): Vector {
  const range = all.find((e): e is MatrixSelector | Subquery => e.type === "matrix" || e.type === "subquery")!;
  const scalar = all.find((e) => e !== range);
  const parameters = scalar && evaluateScalar(scalar, env);
  if (name === "absent_over_time")
    return absence(
      overWindows(matrixOf(range, env), env.grid, () => 1, undefined),
      absentLabels(range),
      env.grid,
    );
  const vector = overWindows(matrixOf(range, env), env.grid, windowFunctions[name]!, parameters);
  return name === "last_over_time" ? vector : withoutNames(vector);
}

const seconds = (grid: Grid): Float64Array =>
  Float64Array.from({ length: grid.count }, (_, step) => timeAt(grid, step) / 1000);

/** Functions that are computed neither by value nor by window. */
const others: Readonly<Record<string, (args: readonly Expression[], env: Environment) => Value>> = {
  time: (_, { grid }) => ({ type: "scalar", values: seconds(grid) }),
  pi: (_, { grid }) => ({ type: "scalar", values: new Float64Array(grid.count).fill(Math.PI) }),
  vector: ([e], env) => ({ type: "vector", vector: [constant(evaluateScalar(e!, env))] }),
  scalar: ([e], env) => ({ type: "scalar", values: toScalar(evaluateVector(e!, env), env.grid.count) }),
  absent: ([e], env) => ({ type: "vector", vector: absence(evaluateVector(e!, env), absentLabels(e), env.grid) }),
  sort: ([e], env) => ({ type: "vector", vector: sorted(evaluateVector(e!, env), false) }),
  sort_desc: ([e], env) => ({ type: "vector", vector: sorted(evaluateVector(e!, env), true) }),
  timestamp([e], env) {
    const vector =
      e?.type === "vector"
        ? selectVector(e, env, ({ times }, i) => times[i]! / 1000)
        : evaluateVector(e!, env).map((column) => ({ ...column, values: seconds(env.grid) }));
    return { type: "vector", vector: withoutNames(vector) };
  },
  histogram_quantile: ([q, e], env) => ({
    type: "vector",
    vector: histogramQuantile(evaluateVector(e!, env), evaluateScalar(q!, env)),
  }),
  label_replace: ([e, ...texts], env) => ({
    type: "vector",
    vector: labelReplace(evaluateVector(e!, env), texts.map(stringOf)),
  }),
  label_join: ([e, ...texts], env) => ({
    type: "vector",
    vector: labelJoin(evaluateVector(e!, env), texts.map(stringOf)),
  }),
};

function evaluateCall(call: Call, env: Environment): Value {
  const { name, arguments: args } = call;
  const other = Object.hasOwn(others, name) ? others[name] : undefined;
  if (other) return other(args, env);
  if (!isOfValues(name)) return { type: "vector", vector: overTime(call, env) };
  const [first, ...scalars] = args;
  // Functions of dates are about the time of the query unless they have an argument.
  const vector = first ? evaluateVector(first, env) : [constant(seconds(env.grid))];
  return {
    type: "vector",
    vector: mapped(
      name,
      vector,
      scalars.map((e) => evaluateScalar(e, env)),
    ),
  };
}

function evaluateBinary(binary: Binary, env: Environment): Value {
  const [left, right] = [evaluate(binary.left, env), evaluate(binary.right, env)];
  if (left.type === "scalar" && right.type === "scalar")
    return { type: "scalar", values: betweenScalars(binary, left.values, right.values) };
  if (left.type === "scalar") return { type: "vector", vector: withScalar(binary, vectorOf(right), left.values, true) };
  if (right.type === "scalar")
    return { type: "vector", vector: withScalar(binary, vectorOf(left), right.values, false) };
  const operate = setOperators.includes(binary.operator) ? setOperation : betweenVectors;
  return { type: "vector", vector: operate(binary, vectorOf(left), vectorOf(right)) };
}

function evaluateAggregate(aggregate: Aggregate, env: Environment): Value {
  const { parameter, expression } = aggregate;
  const value = parameter?.type === "string" ? parameter.value : parameter && evaluateScalar(parameter, env);
  // Windows without a value have no part in a group.
  const vector = evaluateVector(expression, env).filter((column) => !isEmpty(column));
  return { type: "vector", vector: aggregated(aggregate, vector, env.grid.count, value) };
}

/** Evaluates an expression at every step. Throws EvaluationError. */
export function evaluate(e: Expression, env: Environment): Value {
  switch (e.type) {
    case "number":
      return { type: "scalar", values: new Float64Array(env.grid.count).fill(e.value) };
    case "string":
      return { type: "string", value: e.value };
    case "vector":
      return { type: "vector", vector: selectVector(e, env) };
    case "matrix":
    case "subquery":
      return { type: "matrix", matrix: matrixOf(e, env) };
    case "negation": {
      const value = evaluate(e.expression, env);
      if (value.type === "scalar") return { type: "scalar", values: value.values.map((v) => -v) };
      return {
        type: "vector",
        vector: withoutNames(vectorOf(value).map((c) => ({ ...c, values: c.values.map((v) => -v) }))),
      };
    }
    case "binary":
      return evaluateBinary(e, env);
    case "aggregate":
      return evaluateAggregate(e, env);
    case "call":
      return evaluateCall(e, env);
  }
}
