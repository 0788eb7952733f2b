// Parses label selectors of query strings. Source: the API concepts page, "Labels and Selectors"; the messages are
// Kubernetes'.
import type { Problem } from "./errors.ts";
import { validateLabels, validateQualifiedName } from "./names.ts";
import { invalid } from "./problems.ts";
import { aggregated } from "./quote.ts";
import type { Requirement } from "./selector.ts";

/** The parsed requirements, or the parse error. */
export type ParsedLabels = { readonly requirements: readonly Requirement[] } | { readonly wrong: string };

const tokenForm = /[ \t\r\n]+|==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+/g;
const symbols: readonly string[] = ["==", "!=", "=", "!", "(", ")", ",", "<", ">"];
const isIdentifier = (token: string): boolean => token !== "" && !symbols.includes(token);

/** A parse error; thrown and caught in this file only. */
class ParseError extends Error {}
const expected = (found: string, instead: string): ParseError =>
  new ParseError(`found '${found}', expected: ${instead}`);

/** The tokens of a text; the empty one marks the end. */
interface Reader {
  peek(): string;
  next(): string;
}
function readerOf(text: string): Reader {
  const tokens = (text.match(tokenForm) ?? []).filter((token) => token.trim() !== "");
  let at = 0;
  return { peek: () => tokens[at] ?? "", next: () => tokens[at++] ?? "" };
}

const operators = { in: "In", notin: "NotIn", "=": "In", "==": "In", "!=": "NotIn", ">": "Gt", "<": "Lt" } as const;
const isOperator = (token: string): token is keyof typeof operators => Object.hasOwn(operators, token);

/** `(a,,b)`: values may be empty, and a comma may stand for one. */
function valueSet(reader: Reader): readonly string[] {
  const open = reader.next();
  if (open !== "(") throw new ParseError(`found '${open}' expected: '('`);
  if (reader.peek() === ")") return [reader.next() && ""];
  if (reader.peek() !== "," && !isIdentifier(reader.peek()))
    throw new ParseError(`found '${reader.peek()}', expected: ',', ')' or identifier`);
  const values: string[] = [];
  for (;;) {
    const token = reader.next();
    const after = reader.peek();
    if (isIdentifier(token)) {
      values.push(token);
      if (after !== "," && after !== ")") throw expected(after, "',' or ')'");
    } else if (token !== ",") throw expected(token, "',', or identifier");
    else if (values.length === 0 || after === "," || after === ")") values.push("");
    if (after === ")") return [reader.next() && values].flat();
  }
}

function exactValue(reader: Reader): readonly string[] {
  if (reader.peek() === "" || reader.peek() === ",") return [""];
  const token = reader.next();
  if (!isIdentifier(token)) throw expected(token, "identifier");
  return [token];
}

/** Throws all problems in one message. */
function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ParseError(aggregated(problems.map(({ path, message }) => `${path}: ${message}`)));
}

const isInteger = (text: string): boolean => /^[+-]?\d+$/.test(text);
const notComparable = (value: string, i: number): readonly Problem[] =>
  isInteger(value) ? [] : [invalid(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer")];

function requirement(reader: Reader): Requirement {
  const absent = reader.peek() === "!";
  if (absent) reader.next();
  const key = reader.next();
  if (!isIdentifier(key)) throw expected(key, "identifier");
  // Kubernetes' parser has no path here, and prints `<nil>`.
  refuse(validateQualifiedName(key, "<nil>"));
  if (absent) return { key, operator: "DoesNotExist", values: [] };
  if (reader.peek() === "" || reader.peek() === ",") return { key, operator: "Exists", values: [] };
  const operator = reader.next();
  if (!isOperator(operator)) throw expected(operator, "in, notin, =, ==, !=, gt, lt");
  const values = operator === "in" || operator === "notin" ? valueSet(reader) : exactValue(reader);
  const sorted = [...new Set(values)].sort();
  refuse([
    ...(operator === ">" || operator === "<" ? sorted.flatMap(notComparable) : []),
    ...sorted.flatMap((value, i) => validateLabels({ [key]: value }, `values[${i}][${key}]`)),
  ]);
  return { key, operator: operators[operator], values: sorted };
}

function requirements(reader: Reader): readonly Requirement[] {
  const found: Requirement[] = [];
  for (;;) {
    const token = reader.peek();
    if (token === "") return found;
    if (token !== "!" && !isIdentifier(token)) throw expected(token, "!, identifier, or 'end of string'");
    try {
      found.push(requirement(reader));
    } catch (e) {
      throw new ParseError(`unable to parse requirement: ${(e as Error).message}`);
    }
    const end = reader.next();
    if (end === "") return found;
    if (end !== ",") throw expected(end, "',' or 'end of string'");
    const more = reader.peek();
    if (more !== "!" && !isIdentifier(more)) throw expected(more, "identifier after ','");
  }
}

/** Parse `a=b,c in (d,e),!f`. */
export function parseLabelSelector(text: string): ParsedLabels {
  try {
    return { requirements: requirements(readerOf(text)) };
  } catch (e) {
    if (e instanceof ParseError) return { wrong: e.message };
    throw e;
  }
}
