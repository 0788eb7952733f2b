// Which samples the selectors of an expression need, read before the expression is evaluated.
import type { Matcher } from "../series/matchers.ts";
import type { SeriesSamples } from "../series/samples.ts";
import type { Expression, TimeModifiers, VectorSelector } from "./expression.ts";

/** A range of times in milliseconds. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** Reads the samples of the selected series between two times. */
export type Select = (matchers: readonly Matcher[], from: number, to: number) => Promise<readonly SeriesSamples[]>;
export type SelectedSeries = ReadonlyMap<VectorSelector, readonly SeriesSamples[]>;

export interface QueryTimes extends Range {
  /** How old the last sample of a series may be to be its value. */
  readonly lookbackMs: number;
}

/** The time of an `@`; undefined without one. */
export const fixedTime = ({ at }: TimeModifiers, { from, to }: Range): number | undefined =>
  at === "start" ? from : at === "end" ? to : at;

type Found = (selector: VectorSelector, range: Range) => void;

/** Calls back for every selector, with the times that it is evaluated at. */
function visit(e: Expression, range: Range, times: QueryTimes, found: Found): void {
  const shifted = (modifiers: TimeModifiers, beforeMs: number): Range => {
    const fixed = fixedTime(modifiers, times);
    const { from, to } = fixed === undefined ? range : { from: fixed, to: fixed };
    return { from: from - modifiers.offset - beforeMs, to: to - modifiers.offset };
  };
  if (e.type === "vector") found(e, shifted(e, times.lookbackMs));
  else if (e.type === "matrix") found(e.vector, shifted(e.vector, e.rangeMs));
  else if (e.type === "subquery") visit(e.expression, shifted(e, e.rangeMs), times, found);
  else for (const part of partsOf(e)) visit(part, range, times, found);
}

/** The expressions that an expression is evaluated from, at the same times. */
function partsOf(e: Expression): readonly Expression[] {
  switch (e.type) {
    case "binary":
      return [e.left, e.right];
    case "aggregate":
      return e.parameter ? [e.parameter, e.expression] : [e.expression];
    case "negation":
      return [e.expression];
    case "call":
      return e.arguments;
    default:
      return [];
  }
}

/** Reads what all selectors of an expression need. */
export async function selectAll(expression: Expression, times: QueryTimes, select: Select): Promise<SelectedSeries> {
  const selected = new Map<VectorSelector, Promise<readonly SeriesSamples[]>>();
  visit(expression, times, times, (s, { from, to }) => void selected.set(s, select(s.matchers, from, to)));
  const pairs = [...selected].map(async ([selector, series]) => [selector, await series] as const);
  return new Map(await Promise.all(pairs));
}
