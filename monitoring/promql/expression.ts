// The syntax tree of PromQL.
import type { Matcher } from "../series/matchers.ts";

export type ValueType = "scalar" | "string" | "vector" | "matrix";

/** When a selector or a subquery is evaluated, beside the time of the query. */
export interface TimeModifiers {
  /** Milliseconds before that time. */
  readonly offset: number;
  /** Instead of that time: milliseconds, or the start or the end of the query. */
  readonly at?: number | "start" | "end";
}
export interface NumberLiteral {
  readonly type: "number";
  readonly value: number;
}
export interface StringLiteral {
  readonly type: "string";
  readonly value: string;
}
export interface VectorSelector extends TimeModifiers {
  readonly type: "vector";
  readonly matchers: readonly Matcher[];
}
export interface MatrixSelector {
  readonly type: "matrix";
  readonly vector: VectorSelector;
  readonly rangeMs: number;
}
export interface Subquery extends TimeModifiers {
  readonly type: "subquery";
  readonly expression: Expression;
  readonly rangeMs: number;
  /** The default resolution when left out. */
  readonly stepMs?: number;
}
export interface Negation {
  readonly type: "negation";
  readonly expression: Expression;
}
export type BinaryOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "^"
  | "atan2"
  | "=="
  | "!="
  | ">"
  | "<"
  | ">="
  | "<="
  | "and"
  | "or"
  | "unless";
/** How the series of both sides find each other. */
export interface Matching {
  readonly isOn: boolean;
  readonly labels: readonly string[];
  /** Which side may have several series for one of the other. */
  readonly many?: "left" | "right";
  /** Labels that are copied from the other side. */
  readonly include: readonly string[];
}
export interface Binary {
  readonly type: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly returnsBool: boolean;
  readonly matching: Matching;
}
export type AggregateOperator =
  | "sum"
  | "avg"
  | "min"
  | "max"
  | "count"
  | "group"
  | "stddev"
  | "stdvar"
  | "topk"
  | "bottomk"
  | "quantile"
  | "count_values";
export interface Aggregate {
  readonly type: "aggregate";
  readonly operator: AggregateOperator;
  readonly parameter?: Expression;
  readonly expression: Expression;
  readonly labels: readonly string[];
  readonly isWithout: boolean;
}
export interface Call {
  readonly type: "call";
  readonly name: string;
  readonly arguments: readonly Expression[];
}
export type Expression =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Negation
  | Binary
  | Aggregate
  | Call;

export const comparisons: readonly string[] = ["==", "!=", ">", "<", ">=", "<="];
export const setOperators: readonly string[] = ["and", "or", "unless"];
