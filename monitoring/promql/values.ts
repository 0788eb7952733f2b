// The values of expressions. Each is computed for all steps of a query at once, by columns: the labels of a series are
// looked at once and not at every step.
import type { Labels } from "../series/labels.ts";
import type { SeriesSamples } from "../series/samples.ts";

/** The times at which a query is evaluated, in milliseconds. An instant query has one step. */
export interface Grid {
  readonly start: number;
  readonly stepMs: number;
  readonly count: number;
}
export const timeAt = ({ start, stepMs }: Grid, step: number): number => start + step * stepMs;

/** One series of a vector: its value at every step, where `present` is 1. */
export interface Column {
  readonly labels: Labels;
  readonly values: Float64Array;
  readonly present: Uint8Array;
}
export type Vector = readonly Column[];

/** Samples, and which of them count at each step: those after `end(step) - rangeMs`, up to `end(step)`. */
export interface Matrix {
  readonly series: readonly SeriesSamples[];
  readonly rangeMs: number;
  readonly end: (step: number) => number;
}

export type Value =
  | { readonly type: "scalar"; readonly values: Float64Array }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "vector"; readonly vector: Vector }
  | { readonly type: "matrix"; readonly matrix: Matrix };

/** An expression that cannot be evaluated over the present series. */
export class EvaluationError extends Error {
  override readonly name = "EvaluationError";
}

export const emptyColumn = (labels: Labels, count: number): Column => ({
  ...{ labels, values: new Float64Array(count), present: new Uint8Array(count) },
});

export const set = ({ values, present }: Column, step: number, value: number): void => {
  values[step] = value;
  present[step] = 1;
};

export const isEmpty = ({ present }: Column): boolean => !present.includes(1);

/** As Prometheus writes labels in messages. */
export const writeLabels = (labels: Labels): string =>
  `{${labels
    .pairs()
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(", ")}}`;

/** The columns with their new labels. Series that have become equal are one, unless both have a value at a step. */
export function relabelled(vector: Vector, labelsOf: (labels: Labels) => Labels): Vector {
  const byKey = new Map<string, Column>();
  for (const { labels: before, values, present } of vector) {
    const labels = labelsOf(before);
    const other = byKey.get(labels.key);
    if (!other) byKey.set(labels.key, { labels, values, present });
    else byKey.set(labels.key, merged(other, { labels, values, present }));
  }
  return [...byKey.values()];
}

function merged(a: Column, b: Column): Column {
  const column: Column = { labels: a.labels, values: a.values.slice(), present: a.present.slice() };
  for (const [step, isPresent] of b.present.entries()) {
    if (isPresent === 0) continue;
    if (column.present[step] === 1) throw new EvaluationError("vector cannot contain metrics with the same labelset");
    set(column, step, b.values[step]!);
  }
  return column;
}
export const withoutNames = (vector: Vector): Vector => relabelled(vector, (labels) => labels.withoutName());
