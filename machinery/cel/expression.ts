// Expressions of the Common Expression Language: compiled once, with problems in the words of its compiler, then run
// many times. What could run for too long is refused before it runs. Decision 036.
import { type ASTNode, type Context, Environment, type ParseResult } from "@marcbachmann/cel-js";
import { costOf, type KnownSize, operandsOf } from "./cost.ts";
import { withLists } from "./lists-library.ts";
import { patternOf } from "./patterns.ts";
import { withQuantities } from "./quantity-library.ts";
import { withVersions } from "./version-library.ts";

/** The most steps of an expression. Source: the limit of a device selector in Kubernetes. */
const costLimit = 1_000_000;
const limits = {
  maxAstNodes: 20_000,
  maxDepth: 100,
  maxListElements: 1_000,
  maxMapEntries: 1_000,
  maxCallArguments: 32,
};

const safeMatches = "matchesRe2";

/** The language with the libraries that all expressions in Kubernetes have; variables are added to it. */
export const baseEnvironment = (): Environment =>
  withLists(
    withVersions(
      withQuantities(new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false, limits })),
    ),
  )
    .registerFunction("hasKey(string, map): bool", (key: string, map: ReadonlyMap<string, unknown>) => map.has(key))
    .registerFunction(`string.${safeMatches}(string): bool`, (text: string, pattern: string) =>
      patternOf(pattern).matcher(text).find(),
    );

export interface CompileOptions {
  /** The type of the result; a value of an unknown type may turn out to be of this one. `dyn` is any type. */
  readonly returns: string;
  /** The size of values whose size is not known: characters, or items. */
  readonly mostItems: number;
  readonly maxCost?: number;
  /** Sizes that are known, by paths such as `self.names`. */
  readonly sizes?: ReadonlyMap<string, KnownSize>;
  /** Paths of maps that have a value for every key. */
  readonly defaultedMaps?: readonly string[];
}
/** Why an expression is refused. */
export interface CompileProblem {
  readonly kind: "invalid" | "too complex";
  readonly detail: string;
}
export interface Expression {
  /** The type of the result as far as it is known, else `dyn`. */
  readonly type: string;
  /** Throws what goes wrong, as a missing key does. */
  evaluate(context: Context): unknown;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** `a.b.c`: the only operand of `has` that the library takes. */
const isPath = (node: ASTNode): boolean => node.op === "id" || (node.op === "." && isPath(node.args[0]));

/** Changes of the source, in any order; none overlaps another. */
function editsOf(node: ASTNode, source: string, defaulted: readonly string[]): readonly Edit[] {
  const inner = operandsOf(node).flatMap((operand) => editsOf(operand, source, defaulted));
  if (node.op === "in" && defaulted.includes(source.slice(node.args[1].start, node.args[1].end))) {
    const [key, map] = node.args;
    return [
      { start: node.start, end: key.start, text: "hasKey(" },
      ...inner,
      { start: key.end, end: map.start, text: ", " },
      { start: map.end, end: node.end, text: ")" },
    ];
  }
  const [argument] = node.op === "call" && node.args[0] === "has" ? node.args[1] : [];
  if (argument?.op === "." && !isPath(argument)) {
    const [object, field] = argument.args;
    const before = { start: node.start, end: object.start, text: "cel.bind(has_operand, " };
    return [before, ...inner, { start: object.end, end: node.end, text: `, has(has_operand.${field}))` }];
  }
  if (node.op !== "rcall" || node.args[0] !== "matches") return inner;
  const start = source.indexOf("matches", node.args[1].end);
  return [...inner, { start, end: start + "matches".length, text: safeMatches }];
}

/**
 * The same expression with patterns of RE2, which take linear time, instead of JavaScript's; with `has` of a field of
 * any value; and with `in` that does not find the default of a map.
 */
function rewritten(source: string, ast: ASTNode, defaulted: readonly string[]): string {
  const edits = editsOf(ast, source, defaulted).toSorted((a, b) => a.start - b.start || a.end - b.end);
  let text = "";
  let at = 0;
  for (const edit of edits) {
    text += source.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return text + source.slice(at);
}

const wordings: readonly (readonly [RegExp, string])[] = [
  [/^Unknown variable: (.*)$/, "undeclared reference to '$1' (in container '')"],
  [/^No such key: (.*)$/, "undefined field '$1'"],
  [/^no such overload: (.*) (\S+) (.*)$/, "found no matching overload for '_$2_' applied to '($1, $3)'"],
  [
    /^found no matching overload for '([\w.]*?)(\w+)\((.*)\)'$/,
    "found no matching overload for '$2' applied to '($3)'",
  ],
  [/^Unexpected (.*)$/, "Syntax error: unexpected $1"],
];
const worded = (message: string): string => {
  const [form, words] = wordings.find(([pattern]) => pattern.test(message)) ?? [];
  return form && words ? message.replace(form, words) : message;
};

/** A problem with the line it is in, as CEL's compiler prints it. */
function located(
  error: Error & { readonly summary?: string; readonly node?: { readonly pos: number } },
  source: string,
) {
  const at = Math.min(error.node?.pos ?? 0, source.length);
  const before = source.slice(0, at).split("\n");
  const column = before.at(-1)!.length;
  const line = source.split("\n")[before.length - 1]!;
  const [message = ""] = (error.summary ?? error.message).split("\n");
  return `compilation failed: ERROR: <input>:${before.length}:${column + 1}: ${worded(message)}\n | ${line}\n | ${".".repeat(column)}^`;
}

/** Errors have one line, as those of CEL in Go. */
function evaluated(program: ParseResult, context: Context): unknown {
  try {
    return program(context);
  } catch (error) {
    const [message = ""] = (error as Error).message.split("\n");
    throw new Error(message.replace(/^No such key/, "no such key"), { cause: error });
  }
}

const invalid = (detail: string): CompileProblem => ({ kind: "invalid", detail });

/** A compiled expression, or why it is refused. */
export function compile(
  environment: Environment,
  source: string,
  options: CompileOptions,
): Expression | CompileProblem {
  const { returns, mostItems, maxCost = costLimit, defaultedMaps = [], sizes } = options;
  let text = source;
  try {
    const { ast } = environment.parse(source);
    if (costOf(ast, { sizes: new Map(), paths: sizes, most: mostItems }) > maxCost)
      return { kind: "too complex", detail: "too complex, exceeds cost limit" };
    text = rewritten(source, ast, defaultedMaps);
    const program = environment.parse(text);
    const { error, type } = program.check();
    if (error) return invalid(located(error, text));
    if (returns !== "dyn" && type !== returns && type !== "dyn")
      return invalid(`must evaluate to ${returns} or the unknown type, not ${type}`);
    return { type: `${type}`, evaluate: (context) => evaluated(program, context) };
  } catch (error) {
    return invalid(located(error as Error, text));
  }
}
