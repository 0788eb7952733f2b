// Matchers of labels: equal, not equal, and regular expressions, which match complete values.
import { RE2JS } from "re2js";

export type MatchOperator = "=" | "!=" | "=~" | "!~";

export interface Matcher {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
  readonly matches: (value: string) => boolean;
}

const literal = /^[\w\-/:@ ]*$/;

/** A test by a regular expression of RE2, in linear time. Lists of literals need no expression. */
function expressionTest(expression: string): (value: string) => boolean {
  if (expression === ".*") return (value) => !value.includes("\n");
  if (expression === ".+") return (value) => value !== "" && !value.includes("\n");
  const choices = expression.split("|");
  if (choices.every((choice) => literal.test(choice))) {
    const set = new Set(choices);
    return (value) => set.has(value);
  }
  const compiled = RE2JS.compile(expression);
  return (value) => compiled.matches(value);
}

/** Throws the library's error for a malformed expression. */
export function matcher(name: string, operator: MatchOperator, value: string): Matcher {
  const equals = (text: string): boolean => text === value;
  const test = operator === "=" || operator === "!=" ? equals : expressionTest(value);
  const isNegative = operator === "!=" || operator === "!~";
  return { name, operator, value, matches: isNegative ? (text) => !test(text) : test };
}
