// The types of the arguments and the results of PromQL's functions.
import type { ValueType } from "./expression.ts";

export interface Signature {
  readonly arguments: readonly ValueType[];
  /** How many of them, from the end, may be left out; -1 allows the last any number of times. */
  readonly optional: number;
  readonly returns: ValueType;
}

const named = (names: string, signature: Signature): readonly (readonly [string, Signature])[] =>
  names.split(" ").map((name) => [name, signature] as const);
const of = (args: readonly ValueType[], returns: ValueType = "vector", optional = 0): Signature => ({
  ...{ arguments: args, returns, optional },
});

export const signatures: ReadonlyMap<string, Signature> = new Map([
  ...named("rate irate increase delta idelta changes resets deriv", of(["matrix"])),
  ...named("avg_over_time min_over_time max_over_time sum_over_time count_over_time", of(["matrix"])),
  ...named("last_over_time present_over_time absent_over_time stddev_over_time stdvar_over_time", of(["matrix"])),
  ...named("quantile_over_time", of(["scalar", "matrix"])),
  ...named("predict_linear", of(["matrix", "scalar"])),
  ...named("abs ceil floor exp ln log2 log10 sqrt sgn deg rad absent sort sort_desc timestamp", of(["vector"])),
  ...named("sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh", of(["vector"])),
  ...named("round", of(["vector", "scalar"], "vector", 1)),
  ...named("clamp", of(["vector", "scalar", "scalar"])),
  ...named("clamp_min clamp_max", of(["vector", "scalar"])),
  ...named("histogram_quantile", of(["scalar", "vector"])),
  ...named("label_replace", of(["vector", "string", "string", "string", "string"])),
  ...named("label_join", of(["vector", "string", "string", "string"], "vector", -1)),
  ...named("minute hour day_of_month day_of_week day_of_year days_in_month month year", of(["vector"], "vector", 1)),
  ...named("vector", of(["scalar"])),
  ...named("scalar", of(["vector"], "scalar")),
  ...named("time pi", of([], "scalar")),
]);

const typeNames: Readonly<Record<ValueType, string>> = {
  ...{ scalar: "scalar", string: "string", vector: "instant vector", matrix: "range vector" },
};
export const nameOf = (type: ValueType): string => typeNames[type];
