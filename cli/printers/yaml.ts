// Writes YAML with the bytes of kubectl's `-o yaml`: block style, sorted keys, lists without extra indent.
import { goNumber } from "../../api/jsonpath/go-text.ts";
import { isSimpleKey, yamlString } from "./yaml-scalar.ts";

const isDigit = (c: string): boolean => /\p{Nd}/u.test(c);
const isLetter = (c: string): boolean => /\p{L}/u.test(c);

/** The number that digits from a position form, and where they end. */
function numberAt(characters: readonly string[], start: number, initial: number): readonly [number, number] {
  let end = start;
  let value = initial;
  for (; end < characters.length && isDigit(characters[end]!); end++) value = value * 10 + Number(characters[end]);
  return [value, end];
}

/** Compares two keys from their first difference, numbers by value: `port2` comes before `port10`. */
function compareFrom(a: readonly string[], b: readonly string[], i: number): number {
  const [x, y] = [a[i]!, b[i]!];
  const [letterX, letterY] = [isLetter(x), isLetter(y)];
  if (letterX && letterY) return x < y ? -1 : 1;
  if (letterX || letterY) return letterY ? -1 : 1;
  let initial = 0;
  if (x === "0" || y === "0")
    for (let j = i - 1; j >= 0 && isDigit(a[j]!); j--)
      if (a[j] !== "0") {
        initial = 1;
        break;
      }
  const [numberX, endX] = numberAt(a, i, initial);
  const [numberY, endY] = numberAt(b, i, initial);
  return numberX - numberY || endX - endY || (x < y ? -1 : 1);
}

/** The order of keys in Go's yaml.v2. */
export function compareKeys(left: string, right: string): number {
  const [a, b] = [[...left], [...right]];
  const i = a.findIndex((c, at) => at < b.length && c !== b[at]);
  return i === -1 ? a.length - b.length : compareFrom(a, b, i);
}

const isEmptyCollection = (value: object): boolean =>
  Array.isArray(value) ? value.length === 0 : Object.values(value).every((v) => v === undefined);

function scalar(value: unknown, column: number, indent: number, isKey = false): string {
  if (typeof value === "string") return yamlString(value, { column, indent, isKey });
  if (typeof value === "number") return goNumber(value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "[]" : "{}";
  return String(value ?? null);
}

/** Ends a scalar's line; a literal block may have ended it. */
const ended = (text: string): string => (/^\|2?\+?\n/.test(text) ? text : `${text}\n`);

function entry(key: string, value: unknown, indent: number): string {
  if (!isSimpleKey(key)) return `? ${item(key, indent)}${" ".repeat(indent)}: ${item(value, indent)}`;
  const head = `${scalar(key, indent, indent, true)}:`;
  return head + node(value, indent, indent + [...head].length);
}

/** What follows a key. */
function node(value: unknown, indent: number, column: number): string {
  if (typeof value !== "object" || value === null || isEmptyCollection(value))
    return ` ${ended(scalar(value, column + 1, indent + 2))}`;
  return Array.isArray(value)
    ? `\n${" ".repeat(indent)}${sequence(value, indent)}`
    : `\n${" ".repeat(indent + 2)}${mapping(value, indent + 2)}`;
}

const mapping = (value: object, indent: number): string =>
  Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => compareKeys(a, b))
    .map(([key, v]) => entry(key, v, indent))
    .join(" ".repeat(indent));

/** What follows an indicator and a space: an item of a list, or a key or value that does not fit on a line. */
function item(value: unknown, indent: number): string {
  if (typeof value !== "object" || value === null || isEmptyCollection(value))
    return ended(scalar(value, indent + 2, indent + 2));
  return Array.isArray(value) ? sequence(value, indent + 2) : mapping(value, indent + 2);
}

const sequence = (items: readonly unknown[], indent: number): string =>
  items.map((value) => `- ${item(value, indent)}`).join(" ".repeat(indent));

/** A value of JSON as YAML, with a final line break. */
export function yamlText(value: unknown): string {
  if (typeof value !== "object" || value === null || isEmptyCollection(value)) return ended(scalar(value, 0, 2));
  return Array.isArray(value) ? sequence(value, 0) : mapping(value, 0);
}
