// Aggregations of vectors: one value for each group of series, or the first series of each.
import type { Aggregate } from "./expression.ts";
import { type Labels, noLabels } from "../series/labels.ts";
import { largest, mean, quantile, smallest, sumOf, variance } from "./numbers.ts";
import { type Column, emptyColumn, EvaluationError, isEmpty, set, type Vector } from "./values.ts";

type Combine = (values: readonly number[], parameter: number) => number;
const combinations: Readonly<Record<string, Combine>> = {
  sum: sumOf,
  avg: mean,
  min: smallest,
  max: largest,
  count: (values) => values.length,
  group: () => 1,
  stddev: (values) => Math.sqrt(variance(values)),
  stdvar: variance,
  quantile: (values, q) => quantile(q, values),
};

/** The labels of the group of a series. */
export function groupLabels(
  labels: Labels,
  { labels: names, isWithout }: Pick<Aggregate, "labels" | "isWithout">,
): Labels {
  if (isWithout) return labels.withoutName().filter((name) => !names.includes(name));
  return names.length === 0 ? noLabels : labels.filter((name) => names.includes(name));
}

function groupsOf(vector: Vector, grouping: Pick<Aggregate, "labels" | "isWithout">) {
  const groups = new Map<string, { readonly labels: Labels; readonly columns: Column[] }>();
  for (const column of vector) {
    const labels = groupLabels(column.labels, grouping);
    groups.getOrInsertComputed(labels.key, () => ({ labels, columns: [] })).columns.push(column);
  }
  return [...groups.values()];
}

function combined(
  columns: Vector,
  labels: Labels,
  count: number,
  at: (step: number, values: number[]) => number,
): Column {
  const column = emptyColumn(labels, count);
  const values: number[] = [];
  for (let step = 0; step < count; step++) {
    values.length = 0;
    for (const each of columns) if (each.present[step] === 1) values.push(each.values[step]!);
    if (values.length > 0) set(column, step, at(step, values));
  }
  return column;
}

/** Keeps of each group the columns with the largest or smallest values, at each step. */
function first(columns: Vector, count: number, isTop: boolean, parameters: Float64Array): Vector {
  const kept = columns.map(({ labels }) => emptyColumn(labels, count));
  const rank = (value: number): number => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : isTop ? value : -value);
  for (let step = 0; step < count; step++) {
    const k = Math.trunc(parameters[step]!);
    if (!(k >= 1)) continue;
    const present = columns.flatMap(({ present: p, values }, i) =>
      p[step] === 1 ? [{ i, value: values[step]! }] : [],
    );
    const isLess = (a: { value: number }, b: { value: number }): number =>
      Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value)) || rank(b.value) - rank(a.value);
    for (const { i, value } of present.toSorted(isLess).slice(0, k)) set(kept[i]!, step, value);
  }
  const ordered = count === 1 ? kept.toSorted((a, b) => rank(b.values[0]!) - rank(a.values[0]!)) : kept;
  return ordered.filter((column) => !isEmpty(column));
}

function countValues(vector: Vector, aggregate: Aggregate, label: string, count: number): Vector {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label)) throw new EvaluationError(`invalid label name ${JSON.stringify(label)}`);
  const found = new Map<string, Column>();
  for (const { labels, values, present } of vector)
    for (let step = 0; step < count; step++) {
      if (present[step] !== 1) continue;
      const group = groupLabels(labels, aggregate).with([label, writeNumber(values[step]!)]);
      const column = found.getOrInsertComputed(group.key, () => emptyColumn(group, count));
      set(column, step, column.values[step]! + 1);
    }
  return [...found.values()];
}

/** A number as Go writes it. */
export function writeNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const text = Object.is(value, -0) ? "-0" : String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

/** The groups of a vector by the aggregate's labels. */
export function aggregated(
  aggregate: Aggregate,
  vector: Vector,
  count: number,
  parameter: Float64Array | string | undefined,
): Vector {
  const { operator } = aggregate;
  if (typeof parameter === "string") return countValues(vector, aggregate, parameter, count);
  const parameters = parameter ?? new Float64Array(count);
  const groups = groupsOf(vector, aggregate);
  if (operator === "topk" || operator === "bottomk")
    return groups.flatMap(({ columns }) => first(columns, count, operator === "topk", parameters));
  const combine = combinations[operator]!;
  return groups.map(({ labels, columns }) =>
    combined(columns, labels, count, (step, values) => combine(values, parameters[step]!)),
  );
}
