// Binary operators: between scalars, between vectors and scalars, and between vectors, whose series find each other by
// their labels.
import { type Labels, noLabels } from "../series/labels.ts";
import { type Binary, type BinaryOperator, comparisons, type Matching } from "./expression.ts";
import {
  type Column,
  emptyColumn,
  EvaluationError,
  isEmpty,
  set,
  type Vector,
  withoutNames,
  writeLabels,
} from "./values.ts";

/** Go's remainder, which has the sign of the dividend, as in JavaScript. */
const operations: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  // Unlike in JavaScript, 1 to the power of anything is 1.
  "^": (a, b) => (a === 1 || (a === -1 && !Number.isFinite(b) && !Number.isNaN(b)) ? 1 : a ** b),
  atan2: Math.atan2,
  "==": (a, b) => Number(a === b),
  "!=": (a, b) => Number(a !== b),
  ">": (a, b) => Number(a > b),
  "<": (a, b) => Number(a < b),
  ">=": (a, b) => Number(a >= b),
  "<=": (a, b) => Number(a <= b),
};
const isComparison = (operator: BinaryOperator): boolean => comparisons.includes(operator);

export function betweenScalars({ operator }: Binary, left: Float64Array, right: Float64Array): Float64Array {
  const operate = operations[operator]!;
  return left.map((value, step) => operate(value, right[step]!));
}

/** A comparison without `bool` keeps the values for which it is true; any other operator computes new ones. */
export function withScalar(binary: Binary, vector: Vector, scalar: Float64Array, isScalarLeft: boolean): Vector {
  const operate = operations[binary.operator]!;
  const isFilter = isComparison(binary.operator) && !binary.returnsBool;
  const columns = vector.map(({ labels, values, present }): Column => {
    const column = emptyColumn(labels, values.length);
    for (const [step, value] of values.entries()) {
      if (present[step] !== 1) continue;
      const result = isScalarLeft ? operate(scalar[step]!, value) : operate(value, scalar[step]!);
      if (!isFilter) set(column, step, result);
      else if (result === 1) set(column, step, value);
    }
    return column;
  });
  return isFilter ? columns : withoutNames(columns);
}

/** The labels by which a series finds those of the other side. */
const signatureOf =
  ({ isOn, labels }: Matching) =>
  (of: Labels): Labels =>
    isOn
      ? labels.length === 0
        ? noLabels
        : of.filter((name) => labels.includes(name))
      : of.withoutName().filter((name) => !labels.includes(name));

const groupedBy = (vector: Vector, signature: (labels: Labels) => Labels): ReadonlyMap<string, Column[]> =>
  Map.groupBy(vector, ({ labels }) => signature(labels).key);

/** `and` and `unless` keep the left side where the right one has, or has not, a series of the same labels. */
function restricted(left: Vector, right: Vector, matching: Matching, keepsPresent: boolean): Vector {
  const signature = signatureOf(matching);
  const others = groupedBy(right, signature);
  return left.map(({ labels, values, present }) => {
    const partners = others.get(signature(labels).key) ?? [];
    const kept = present.map((p, step) =>
      p === 1 && partners.some((other) => other.present[step] === 1) === keepsPresent ? 1 : 0,
    );
    return { labels, values, present: kept };
  });
}

export function setOperation({ operator, matching }: Binary, left: Vector, right: Vector): Vector {
  if (operator !== "or") return restricted(left, right, matching, operator === "and");
  const added = restricted(right, left, matching, false);
  const known = new Map(left.map((column) => [column.labels.key, column]));
  const onlyRight: Column[] = [];
  for (const column of added) {
    const same = known.get(column.labels.key);
    if (!same) onlyRight.push(column);
    else
      known.set(column.labels.key, {
        labels: same.labels,
        values: same.values.map((value, step) => (column.present[step] === 1 ? column.values[step]! : value)),
        present: same.present.map((p, step) => p | column.present[step]!),
      });
  }
  return [...known.values(), ...onlyRight].filter((column) => !isEmpty(column));
}

/** The labels of a result: those of the side with many series, with labels of the other where that is demanded. */
function resultLabels(binary: Binary, many: Labels, one: Labels): Labels {
  const { matching, operator, returnsBool } = binary;
  const base = !isComparison(operator) || returnsBool ? many.withoutName() : many;
  if (!matching.many)
    return matching.isOn
      ? base.filter((name) => matching.labels.includes(name))
      : base.filter((name) => !matching.labels.includes(name));
  return base.with(...matching.include.map((name) => [name, one.get(name)] as const));
}

function duplicates(group: Labels, a: Column, b: Column, side: string): EvaluationError {
  return new EvaluationError(
    `found duplicate series for the match group ${writeLabels(group)} on the ${side} hand-side of the operation: ` +
      `[${writeLabels(a.labels)}, ${writeLabels(b.labels)}];many-to-many matching not allowed: matching labels must be unique on one side`,
  );
}

/** The series of the side that has one per group, at a step; undefined when there is none. */
const partnerAt = (partners: readonly Column[], step: number): Column | undefined =>
  partners.find((partner) => partner.present[step] === 1);

/** Throws when a group has two series at a step at which the other side has any. */
function checkUnique(
  groups: ReadonlyMap<string, readonly Column[]>,
  others: Vector,
  groupOf: (labels: Labels) => Labels,
  side: string,
): void {
  for (const columns of groups.values()) {
    if (columns.length === 1) continue;
    for (const step of columns[0]!.present.keys()) {
      const [first, second] = columns.filter(({ present }) => present[step] === 1);
      if (second && others.some(({ present }) => present[step] === 1))
        throw duplicates(groupOf(second.labels), second, first!, side);
    }
  }
}

const unmarked = (isMany: boolean): EvaluationError =>
  new EvaluationError(
    isMany
      ? "multiple matches for labels: grouping labels must ensure unique matches"
      : "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
  );

/** The column of the result of a pair of series. The labels are computed again only when the partner changes. */
function resultFor(binary: Binary, column: Column, results: Map<string, Column>): (partner: Column) => Column {
  let [last, target]: readonly (Column | undefined)[] = [];
  return (partner) => {
    if (partner === last && target) return target;
    const labels = resultLabels(binary, column.labels, partner.labels);
    last = partner;
    target = results.getOrInsertComputed(labels.key, () => emptyColumn(labels, column.values.length));
    return target;
  };
}

/** Arithmetic and comparisons of the series of two vectors. */
export function betweenVectors(binary: Binary, left: Vector, right: Vector): Vector {
  const { matching, operator, returnsBool } = binary;
  const isSwapped = matching.many === "right";
  const [manySide, oneSide] = isSwapped ? [right, left] : [left, right];
  const signature = signatureOf(matching);
  const others = groupedBy(oneSide, signature);
  checkUnique(others, manySide, signature, isSwapped ? "left" : "right");
  const operate = operations[operator]!;
  const isFilter = isComparison(operator) && !returnsBool;
  const results = new Map<string, Column>();
  // Steps at which a group has matched already, when it may do so only once.
  const matchedSteps = new Map<string, Uint8Array>();
  for (const column of manySide) {
    const group = signature(column.labels);
    const partners = others.get(group.key);
    if (!partners) continue;
    const matched = matchedSteps.getOrInsertComputed(group.key, () => new Uint8Array(column.values.length));
    const targetOf = resultFor(binary, column, results);
    for (const [step, value] of column.values.entries()) {
      if (column.present[step] !== 1) continue;
      const partner = partnerAt(partners, step);
      if (!partner) continue;
      const other = partner.values[step]!;
      const result = isSwapped ? operate(other, value) : operate(value, other);
      if (!matching.many) {
        if (matched[step] === 1) throw unmarked(false);
        matched[step] = 1;
      }
      if (isFilter && result !== 1) continue;
      const target = targetOf(partner);
      if (target.present[step] === 1) throw unmarked(true);
      // A filter keeps the value of the left side.
      set(target, step, isFilter ? (isSwapped ? other : value) : result);
    }
  }
  return [...results.values()];
}
