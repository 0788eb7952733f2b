// The parser of PromQL: recursive descent, and precedence climbing for binary operators. The official grammar for
// editors, @prometheus-io/lezer-promql, gives `-1^2` and `a + b @ 5` another meaning than Prometheus does.
import { metricName } from "../series/labels.ts";
import { type Matcher, type MatchOperator, matcher } from "../series/matchers.ts";
import {
  type Aggregate,
  type AggregateOperator,
  type BinaryOperator,
  comparisons,
  type Expression,
  type Matching,
  setOperators,
  type TimeModifiers,
  type ValueType,
  type VectorSelector,
} from "./expression.ts";
import { nameOf, signatures } from "./signatures.ts";
import { durationOf, type ParseError, parseError, type Token, tokensOf } from "./tokens.ts";
import { typeOf } from "./types-of-expressions.ts";

const precedence: Readonly<Record<string, number>> = {
  ...{ or: 1, and: 2, unless: 2, "==": 3, "!=": 3, "<": 3, ">": 3, "<=": 3, ">=": 3 },
  ...{ "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, atan2: 5, "^": 6 },
};
const power = 6;
const aggregations: readonly string[] =
  "sum avg min max count group stddev stdvar topk bottomk quantile count_values".split(" ");
const withParameter: readonly string[] = ["topk", "bottomk", "quantile", "count_values"];

const described = ({ kind, text }: Token): string => {
  if (kind === "end") return "end of input";
  if (kind === "symbol") return JSON.stringify(text);
  return `${kind === "name" ? "identifier" : kind} ${JSON.stringify(text)}`;
};

/** The number of a token of that kind. */
const numberIn = (text: string): number => Number(text.replaceAll("_", ""));

class Parser {
  readonly #query: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(query: string) {
    this.#query = query;
    this.#tokens = tokensOf(query);
  }

  parse(): Expression {
    if (this.#peek().kind === "end") throw this.#wrong("no expression found in input");
    const expression = this.#expression(0);
    if (this.#peek().kind !== "end") throw this.#unexpected();
    return expression;
  }
  /** Only a selector without modifiers, as in parameters of the series API. */
  parseSelector(): readonly Matcher[] {
    const expression = this.parse();
    if (expression.type !== "vector") throw this.#wrong("expected a series selector", 0);
    return expression.matchers;
  }

  // A method, since the compiler takes the kind of a property for constant.
  #peek(): Token {
    return this.#tokens[this.#at]!;
  }
  #take(): Token {
    return this.#tokens[this.#at++]!;
  }
  #is(text: string): boolean {
    const { kind, text: next } = this.#peek();
    return kind === "symbol" ? next === text : kind === "name" && next.toLowerCase() === text;
  }
  #skip(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }
  #wrong(message: string, at = this.#peek().at): ParseError {
    return parseError(this.#query, at, message);
  }
  #unexpected(context = ""): ParseError {
    return this.#wrong(`unexpected ${described(this.#peek())}${context && ` ${context}`}`);
  }
  #expect(text: string, context: string): void {
    if (this.#skip(text)) return;
    if (text === ")" && this.#peek().kind === "end") throw this.#wrong("unclosed left parenthesis");
    throw this.#wrong(`unexpected ${described(this.#peek())} in ${context}, expected ${JSON.stringify(text)}`);
  }

  #expression(least: number): Expression {
    let left = this.#unary();
    for (;;) {
      const operator = this.#peek().text.toLowerCase();
      const isOperator = this.#peek().kind === "symbol" || this.#peek().kind === "name";
      const level = isOperator ? precedence[operator] : undefined;
      if (level === undefined || level < least) return left;
      const { at } = this.#take();
      left = this.#binary(left, operator as BinaryOperator, level, at);
    }
  }
  #binary(left: Expression, operator: BinaryOperator, level: number, at: number): Expression {
    const returnsBool = this.#skip("bool");
    if (returnsBool && !comparisons.includes(operator))
      throw this.#wrong("bool modifier can only be used on comparison operators", at);
    const matching = this.#matching(operator, at);
    const right = this.#expression(operator === "^" ? level : level + 1);
    const types = [typeOf(left), typeOf(right)];
    for (const type of types)
      if (type !== "scalar" && type !== "vector")
        throw this.#wrong("binary expression must contain only scalar and instant vector types", at);
    const isScalar = types.every((type) => type === "scalar");
    if (isScalar && comparisons.includes(operator) && !returnsBool)
      throw this.#wrong("comparisons between scalars must use BOOL modifier", at);
    if (types.includes("scalar")) {
      if (setOperators.includes(operator))
        throw this.#wrong(`set operator ${JSON.stringify(operator)} not allowed in binary scalar expression`, at);
      if (matching) throw this.#wrong("vector matching only allowed between instant vectors", at);
    }
    return {
      ...{ type: "binary", operator, left, right, returnsBool },
      matching: matching ?? { isOn: false, labels: [], include: [] },
    };
  }
  #matching(operator: string, at: number): Matching | undefined {
    if (!this.#is("on") && !this.#is("ignoring")) return undefined;
    const isOn = this.#take().text.toLowerCase() === "on";
    const labels = this.#labelNames();
    const many = this.#is("group_left") ? "left" : this.#is("group_right") ? "right" : undefined;
    if (!many) return { isOn, labels, include: [] };
    this.#take();
    if (setOperators.includes(operator))
      throw this.#wrong(`no grouping allowed for ${JSON.stringify(operator)} operation`, at);
    const include = this.#is("(") ? this.#labelNames() : [];
    const both = isOn ? include.find((label) => labels.includes(label)) : undefined;
    if (both !== undefined)
      throw this.#wrong(`label ${JSON.stringify(both)} must not occur in ON and GROUP clause at once`, at);
    return { isOn, labels, many, include };
  }
  #labelNames(): readonly string[] {
    this.#expect("(", "grouping opts");
    const names: string[] = [];
    while (!this.#skip(")")) {
      const { kind, text } = this.#peek();
      if ((kind !== "name" && kind !== "string") || text.includes(":"))
        throw this.#unexpected("in grouping opts, expected label");
      this.#take();
      names.push(text);
      if (!this.#is(")")) this.#expect(",", "grouping opts");
    }
    return names;
  }
  #unary(): Expression {
    const { at } = this.#peek();
    const isNegative = this.#is("-");
    if (!isNegative && !this.#is("+")) return this.#postfix(this.#primary());
    this.#take();
    const expression = this.#expression(power);
    const type = typeOf(expression);
    if (type !== "scalar" && type !== "vector")
      throw this.#wrong(
        `unary expression only allowed on expressions of type scalar or instant vector, got ${JSON.stringify(nameOf(type))}`,
        at,
      );
    if (!isNegative) return expression;
    return expression.type === "number"
      ? { type: "number", value: -expression.value }
      : { type: "negation", expression };
  }
  #primary(): Expression {
    const token = this.#peek();
    if (token.kind === "number") return { type: "number", value: numberIn(this.#take().text) };
    if (token.kind === "duration") return { type: "number", value: this.#duration() / 1000 };
    if (token.kind === "string") return { type: "string", value: this.#take().text };
    if (this.#skip("(")) {
      const inner = this.#expression(0);
      this.#expect(")", "parenthesis");
      return inner;
    }
    if (this.#is("{")) return this.#selector("");
    if (token.kind !== "name") throw this.#unexpected();
    this.#take();
    const lower = token.text.toLowerCase();
    if (aggregations.includes(lower) && (this.#is("(") || this.#is("by") || this.#is("without")))
      return this.#aggregate(lower as AggregateOperator, token.at);
    if (this.#is("(")) return this.#call(token);
    if (lower === "inf" || lower === "nan")
      return { type: "number", value: lower === "inf" ? Number.POSITIVE_INFINITY : Number.NaN };
    return this.#selector(token.text);
  }
  #selector(name: string): VectorSelector {
    const { at } = this.#peek();
    const own = name === "" ? [] : [matcher(metricName, "=", name)];
    const matchers = this.#is("{") ? [...own, ...this.#matchers(name)] : own;
    if (matchers.every((m) => m.matches("")))
      throw this.#wrong("vector selector must contain at least one non-empty matcher", at);
    return { type: "vector", matchers, offset: 0 };
  }
  #matchers(name: string): readonly Matcher[] {
    this.#take();
    const found: Matcher[] = [];
    while (!this.#skip("}")) {
      const label = this.#peek();
      if (label.kind !== "name" && label.kind !== "string")
        throw this.#unexpected('in label matching, expected identifier or "}"');
      this.#take();
      if (label.kind === "string" && (this.#is(",") || this.#is("}"))) {
        if (name !== "")
          throw this.#wrong(
            `metric name must not be set twice: ${JSON.stringify(name)} or ${JSON.stringify(label.text)}`,
            label.at,
          );
        found.push(matcher(metricName, "=", label.text));
      } else {
        const one = this.#matcher(label.text);
        if (name !== "" && one.name === metricName)
          throw this.#wrong(
            `metric name must not be set twice: ${JSON.stringify(name)} or ${JSON.stringify(one.value)}`,
            label.at,
          );
        found.push(one);
      }
      if (!this.#is("}")) this.#expect(",", "label matching");
    }
    return found;
  }
  #matcher(name: string): Matcher {
    const operator = this.#peek();
    if (!["=", "!=", "=~", "!~"].includes(operator.text))
      throw this.#unexpected("in label matching, expected label matching operator");
    this.#take();
    const value = this.#peek();
    if (value.kind !== "string") throw this.#unexpected("in label matching, expected string");
    this.#take();
    try {
      return matcher(name, operator.text as MatchOperator, value.text);
    } catch (e) {
      throw this.#wrong((e as Error).message, value.at);
    }
  }
  #call({ text: name, at }: Token): Expression {
    const signature = signatures.get(name);
    if (!signature) throw this.#wrong(`unknown function with name ${JSON.stringify(name)}`, at);
    const { values, places } = this.#arguments();
    const { arguments: types, optional } = signature;
    const most = optional < 0 ? Number.POSITIVE_INFINITY : types.length;
    const least = types.length - Math.abs(optional);
    if (values.length < least || values.length > most) {
      const bound = least === most ? "" : values.length < least ? " at least" : " at most";
      const count = values.length < least ? least : most;
      throw this.#wrong(
        `expected${bound} ${count} argument(s) in call to ${JSON.stringify(name)}, got ${values.length}`,
        at,
      );
    }
    for (const [i, value] of values.entries())
      this.#expectType(
        value,
        types[Math.min(i, types.length - 1)]!,
        `call to function ${JSON.stringify(name)}`,
        places[i]!,
      );
    return { type: "call", name, arguments: values };
  }
  #arguments(): { readonly values: readonly Expression[]; readonly places: readonly number[] } {
    this.#expect("(", "call");
    const [values, places] = [[] as Expression[], [] as number[]];
    while (!this.#skip(")")) {
      places.push(this.#peek().at);
      if (this.#peek().kind === "end") throw this.#wrong("unclosed left parenthesis");
      values.push(this.#expression(0));
      if (!this.#is(")")) this.#expect(this.#peek().kind === "end" ? ")" : ",", "call");
      else continue;
    }
    return { values, places };
  }
  #expectType(expression: Expression, type: ValueType, context: string, at: number): void {
    const found = typeOf(expression);
    if (found !== type) throw this.#wrong(`expected type ${nameOf(type)} in ${context}, got ${nameOf(found)}`, at);
  }
  #aggregate(operator: AggregateOperator, at: number): Aggregate {
    const before = this.#grouping();
    const { values, places } = this.#arguments();
    const grouping = before ?? this.#grouping() ?? { labels: [], isWithout: false };
    const hasParameter = withParameter.includes(operator);
    const count = hasParameter ? 2 : 1;
    if (values.length === 0) throw this.#wrong("no arguments for aggregate expression provided", at);
    if (values.length !== count)
      throw this.#wrong(
        `wrong number of arguments for aggregate expression provided, expected ${count}, got ${values.length}`,
        at,
      );
    const expression = values.at(-1)!;
    this.#expectType(expression, "vector", "aggregation expression", places.at(-1)!);
    if (!hasParameter) return { type: "aggregate", operator, expression, ...grouping };
    this.#expectType(
      values[0]!,
      operator === "count_values" ? "string" : "scalar",
      "aggregation parameter",
      places[0]!,
    );
    return { type: "aggregate", operator, parameter: values[0]!, expression, ...grouping };
  }
  #grouping(): Pick<Aggregate, "labels" | "isWithout"> | undefined {
    if (!this.#is("by") && !this.#is("without")) return undefined;
    const isWithout = this.#take().text.toLowerCase() === "without";
    return { labels: this.#labelNames(), isWithout };
  }
  #duration(): number {
    const { kind, text, at } = this.#take();
    const value = kind === "duration" ? durationOf(text) : kind === "number" ? numberIn(text) * 1000 : undefined;
    if (value === undefined) throw this.#wrong(`not a valid duration string: ${JSON.stringify(text)}`, at);
    return value;
  }
  #postfix(inner: Expression): Expression {
    let expression = inner;
    for (;;) {
      if (this.#is("[")) expression = this.#range(expression);
      else if (this.#is("offset") || this.#is("@")) expression = this.#modified(expression);
      else return expression;
    }
  }
  #range(expression: Expression): Expression {
    const { at } = this.#take();
    const rangeMs = this.#duration();
    if (rangeMs <= 0) throw this.#wrong("duration must be greater than 0", at + 1);
    if (this.#skip(":")) {
      const stepMs = this.#is("]") ? undefined : this.#duration();
      this.#expect("]", "subquery selector");
      if (stepMs === 0) throw this.#wrong("duration must be greater than 0", at + 1);
      const type = typeOf(expression);
      if (type !== "vector" && type !== "scalar")
        throw this.#wrong(`subquery is only allowed on instant vector, got ${type}`, at);
      return { type: "subquery", expression, rangeMs, offset: 0, ...(stepMs !== undefined && { stepMs }) };
    }
    this.#expect("]", "range");
    if (expression.type !== "vector") throw this.#wrong("ranges only allowed for vector selectors", at);
    if (expression.offset !== 0 || expression.at !== undefined)
      throw this.#wrong("no offset or @ modifiers allowed before range", at);
    return { type: "matrix", vector: expression, rangeMs };
  }
  #modified(expression: Expression): Expression {
    const { text, at } = this.#take();
    const modifier: Partial<TimeModifiers> = text === "@" ? { at: this.#instant() } : { offset: this.#signed() };
    if (expression.type === "matrix") return { ...expression, vector: { ...expression.vector, ...modifier } };
    if (expression.type === "vector" || expression.type === "subquery") return { ...expression, ...modifier };
    const name = text === "@" ? "@ modifier" : "offset modifier";
    throw this.#wrong(
      `${name} must be preceded by an instant vector selector or range vector selector or a subquery`,
      at,
    );
  }
  #signed(): number {
    const sign = this.#skip("-") ? -1 : 1;
    if (sign === 1) this.#skip("+");
    return sign * this.#duration();
  }
  #instant(): NonNullable<TimeModifiers["at"]> {
    const name = this.#peek().text.toLowerCase();
    if (this.#peek().kind === "name" && (name === "start" || name === "end")) {
      this.#take();
      this.#expect("(", "@ modifier");
      this.#expect(")", "@ modifier");
      return name;
    }
    const sign = this.#skip("-") ? -1 : 1;
    if (this.#peek().kind !== "number") throw this.#unexpected("in @, expected timestamp");
    return Math.round(sign * numberIn(this.#take().text) * 1000);
  }
}

/** Parses a query. Throws ParseError. */
export const parseQuery = (query: string): Expression => new Parser(query).parse();
/** Parses a selector of series such as `up{job="x"}`. Throws ParseError. */
export const parseSelector = (query: string): readonly Matcher[] => new Parser(query).parseSelector();
