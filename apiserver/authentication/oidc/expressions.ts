// Expressions about the claims of a token, and about the user they make. Source: the Kubernetes documentation,
// "Authenticating", authentication configuration.
import type { ASTNode, Environment } from "@marcbachmann/cel-js";
import { operandsOf } from "../../../machinery/cel/cost.ts";
import { baseEnvironment, compile } from "../../../machinery/cel/expression.ts";

let environments: { readonly claims: Environment; readonly user: Environment } | undefined;
const compiled = () =>
  (environments ??= {
    claims: baseEnvironment().registerVariable("claims", "map<string, dyn>"),
    user: baseEnvironment()
      .registerType("kubernetes.UserInfo", {
        fields: { username: "string", uid: "string", groups: "list<string>", extra: "map<string, list<string>>" },
      })
      .registerVariable("user", "kubernetes.UserInfo"),
  });

/** What an expression is about. */
export type Subject = "claims" | "user";
/** An expression that is compiled. */
export interface AuthenticationExpression {
  /** Throws what goes wrong, as a missing claim does. */
  evaluate(subject: unknown): unknown;
  /** Whether it reads this field of its subject. */
  reads(field: string): boolean;
}

/** Values whose size is not known are as long as a header of a request at most. */
const mostItems = 16_384;

const readsField = (node: ASTNode, subject: Subject, field: string): boolean => {
  if (node.op === "." || node.op === ".?") {
    const [object, name] = node.args;
    if (object.op === "id" && object.args === subject && name === field) return true;
  }
  return operandsOf(node).some((operand) => readsField(operand, subject, field));
};

/** The compiled expression, or why it is refused. */
export function authenticationExpression(
  subject: Subject,
  source: string,
  returns: "bool" | "dyn",
): AuthenticationExpression | string {
  const environment = compiled()[subject];
  // No limit of costs: the administrator wrote it, and tokens are short.
  const expression = compile(environment, source, { returns: "dyn", mostItems, maxCost: Number.POSITIVE_INFINITY });
  if ("kind" in expression) return expression.detail;
  if (returns === "bool" && expression.type !== "bool") return "must evaluate to bool";
  const { ast } = environment.parse(source);
  return {
    evaluate: (value) => expression.evaluate({ [subject]: value }),
    reads: (field) => readsField(ast, subject, field),
  };
}

const symbols: Readonly<Record<string, string>> = { underscores: "__", dot: ".", dash: "-", slash: "/" };
const reserved = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

/** The name of a field that an expression writes with escapes: `a__dot__b` is `a.b`. */
function unescaped(name: string): string {
  let isValid = true;
  const text = name.replaceAll(/__([a-z]+)__/g, (written, word: string) => {
    if (Object.hasOwn(symbols, word)) return symbols[word]!;
    if (!reserved.has(word) || written !== name) isValid = false;
    return word;
  });
  return isValid ? text : name;
}

/** JSON as values of expressions: objects are maps, whose keys may be written with escapes. */
export function expressionValue(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(expressionValue);
  if (typeof json !== "object" || json === null) return json;
  const map = new Map<unknown, unknown>(Object.entries(json).map(([key, value]) => [key, expressionValue(value)]));
  const get = map.get.bind(map);
  // The library takes no subclass of Map.
  return Object.assign(map, { get: (key: unknown) => get(typeof key === "string" ? unescaped(key) : key) });
}
