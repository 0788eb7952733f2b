// The text of a label selector, as query strings carry it: its words, its grammar, and what is said of a wrong one.
// Source: the API concepts page, "Labels and Selectors"; the sentences are those clients know.
import type { Problem } from "./errors.ts";
import { validateLabels, validateQualifiedName } from "./names.ts";
import { invalid } from "./problems.ts";
import type { Requirement } from "./selector.ts";

/** What a text asks for, or why it asks for nothing that makes sense. */
export type ParsedLabels = { readonly requirements: readonly Requirement[] } | { readonly wrong: string };

const word = /[ \t\r\n]+|==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+/g;
const symbols: readonly string[] = ["==", "!=", "=", "!", "(", ")", ",", "<", ">"];
const isIdentifier = (token: string): boolean => token !== "" && !symbols.includes(token);

/** Thrown and caught in this file alone: a grammar is easier to read when only what is right has to be said. */
class Wrong extends Error {}
const expected = (found: string, instead: string): Wrong => new Wrong(`found '${found}', expected: ${instead}`);

/** The tokens of a text from left to right; at its end stands the empty one. */
interface Reader {
  peek(): string;
  next(): string;
}
function readerOf(text: string): Reader {
  const tokens = (text.match(word) ?? []).filter((token) => token.trim() !== "");
  let at = 0;
  return { peek: () => tokens[at] ?? "", next: () => tokens[at++] ?? "" };
}

const operators = { in: "In", notin: "NotIn", "=": "In", "==": "In", "!=": "NotIn", ">": "Gt", "<": "Lt" } as const;
const isOperator = (token: string): token is keyof typeof operators => Object.hasOwn(operators, token);

/** `(a,,b)`: values may be empty, and a comma may stand for one. */
function valueSet(reader: Reader): readonly string[] {
  const open = reader.next();
  if (open !== "(") throw new Wrong(`found '${open}' expected: '('`);
  if (reader.peek() === ")") return [reader.next() && ""];
  if (reader.peek() !== "," && !isIdentifier(reader.peek()))
    throw new Wrong(`found '${reader.peek()}', expected: ',', ')' or identifier`);
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

/** Wrong in every way there is, in one sentence. */
function refuse(problems: readonly Problem[]): void {
  const said = [...new Set(problems.map(({ path, message }) => `${path}: ${message}`))];
  if (said.length > 0) throw new Wrong(said.length === 1 ? said[0] : `[${said.join(", ")}]`);
}

const isInteger = (text: string): boolean => /^[+-]?\d+$/.test(text);
const notComparable = (value: string, i: number): readonly Problem[] =>
  isInteger(value) ? [] : [invalid(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer")];

function requirement(reader: Reader): Requirement {
  const absent = reader.peek() === "!";
  if (absent) reader.next();
  const key = reader.next();
  if (!isIdentifier(key)) throw expected(key, "identifier");
  // Nobody told the original's parser where it is, and so it says.
  refuse(validateQualifiedName(key, "<nil>"));
  if (absent) return { key, operator: "DoesNotExist", values: [] };
  if (reader.peek() === "" || reader.peek() === ",") return { key, operator: "Exists", values: [] };
  const said = reader.next();
  if (!isOperator(said)) throw expected(said, "in, notin, =, ==, !=, gt, lt");
  const values = said === "in" || said === "notin" ? valueSet(reader) : exactValue(reader);
  const sorted = [...new Set(values)].sort();
  refuse([
    ...(said === ">" || said === "<" ? sorted.flatMap(notComparable) : []),
    ...sorted.flatMap((value, i) => validateLabels({ [key]: value }, `values[${i}][${key}]`)),
  ]);
  return { key, operator: operators[said], values: sorted };
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
      throw new Wrong(`unable to parse requirement: ${(e as Error).message}`);
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
    if (e instanceof Wrong) return { wrong: e.message };
    throw e;
  }
}
