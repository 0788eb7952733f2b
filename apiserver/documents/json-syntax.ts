// The text of a JSON document: its depth and its number of fields before it is parsed; unknown and duplicate fields,
// which parsing would drop; and syntax errors with the messages of Kubernetes' parser. Pure.
import { quoted } from "../../api/quote.ts";
import { type Schema, resolve } from "../../api/schema.ts";

/** Deepest nesting that is accepted: functions over values are recursive, and must not exhaust the stack. */
const mostLevels = 1_000;

const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];
const opens = (unit: number): boolean => unit === 0x7b || unit === 0x5b;
const closes = (unit: number): boolean => unit === 0x7d || unit === 0x5d;

/** The position after a string that begins at `from`. */
function afterString(text: string, from: number): number {
  let end = text.indexOf('"', from + 1);
  while (end > 0) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** What the punctuation outside strings shows. */
export interface Outline {
  readonly isTooDeep: boolean;
  /** The number of fields, when the text is JSON. */
  readonly fields: number;
}

/** The outline of a text; a text that is too deep is not read to its end. */
export function outlineOf(text: string): Outline {
  let level = 0;
  let fields = 0;
  for (let at = 0; at < text.length && level <= mostLevels; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quote) at = afterString(text, at) - 1;
    else if (unit === colon) fields++;
    else if (opens(unit)) level++;
    else if (closes(unit)) level--;
  }
  return { isTooDeep: level > mostLevels, fields };
}

/** The number of fields in all objects of a value: fewer than in its text when a field occurs twice there. */
export function fieldsIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let fields = 0;
  if (Array.isArray(value)) for (const item of value) fields += fieldsIn(item);
  else for (const name in value) fields += 1 + fieldsIn((value as Readonly<Record<string, unknown>>)[name]);
  return fields;
}

/** The message for a document that is too deep. */
export const tooDeep = "exceeded max depth";

/** Thrown at the first character that is no JSON. */
class JsonSyntaxError extends Error {}

const shown = (character: string): string => {
  if (character === "'") return "'\\''";
  if (character === '"') return `'"'`;
  return `'${JSON.stringify(character).slice(1, -1)}'`;
};

/** Most errors that are reported of one document. */
const mostErrors = 100;

interface Scan {
  readonly text: string;
  at: number;
  /** Unknown and duplicate fields, in the order of their occurrence. */
  readonly found: Set<string>;
}
const scanOf = (text: string): Scan => ({ text, at: 0, found: new Set() });
const here = ({ text, at }: Scan): string => text.charAt(at);

function errorAt(scan: Scan, context: string): JsonSyntaxError {
  const character = String.fromCodePoint(scan.text.codePointAt(scan.at) ?? 0);
  return scan.at >= scan.text.length
    ? new JsonSyntaxError("unexpected end of JSON input")
    : new JsonSyntaxError(`invalid character ${shown(character)} ${context}`);
}

function skipSpace(scan: Scan): void {
  while (" \t\r\n".includes(here(scan)) && scan.at < scan.text.length) scan.at++;
}

/** Reads a string past its closing quote. */
function string(scan: Scan): string {
  const from = scan.at;
  for (scan.at++; here(scan) !== '"'; scan.at++) {
    if (scan.at >= scan.text.length || here(scan) < " ") throw errorAt(scan, "in string literal");
    if (here(scan) !== "\\") continue;
    scan.at++;
    if (!'"\\/bfnrtu'.includes(here(scan)) || here(scan) === "") throw errorAt(scan, "in string escape code");
    if (here(scan) !== "u") continue;
    for (let i = 0; i < 4; i++) {
      scan.at++;
      if (!/[0-9a-fA-F]/.test(here(scan))) throw errorAt(scan, "in \\u hexadecimal character escape");
    }
  }
  scan.at++;
  const raw = scan.text.slice(from, scan.at);
  return raw.includes("\\") ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}

const isDigit = (character: string): boolean => character >= "0" && character <= "9" && character.length === 1;
function digits(scan: Scan, context: string): void {
  if (!isDigit(here(scan))) throw errorAt(scan, context);
  while (isDigit(here(scan))) scan.at++;
}

function number(scan: Scan): void {
  if (here(scan) === "-") scan.at++;
  if (here(scan) === "0") scan.at++;
  else digits(scan, "in numeric literal");
  if (here(scan) === ".") {
    scan.at++;
    digits(scan, "after decimal point in numeric literal");
  }
  if (here(scan) === "e" || here(scan) === "E") {
    scan.at++;
    if (here(scan) === "+" || here(scan) === "-") scan.at++;
    digits(scan, "in exponent of numeric literal");
  }
}

function literal(scan: Scan, expected: string): void {
  for (const letter of expected) {
    if (here(scan) !== letter) throw errorAt(scan, `in literal ${expected} (expecting ${shown(letter)})`);
    scan.at++;
  }
}

function report(scan: Scan, what: "unknown" | "duplicate", path: string): void {
  if (scan.found.size < mostErrors) scan.found.add(`${what} field ${quoted(path)}`);
}

/** An object. Where its schema is absent or describes no fields, every field is accepted. */
function object(scan: Scan, schema: Schema | undefined, path: string): void {
  const seen = new Set<string>();
  const isFree = !schema?.properties && !schema?.additionalProperties;
  scan.at++;
  skipSpace(scan);
  for (let first = true; !(first && here(scan) === "}"); first = false) {
    if (here(scan) !== '"') throw errorAt(scan, "looking for beginning of object key string");
    const name = string(scan);
    skipSpace(scan);
    if (here(scan) !== ":") throw errorAt(scan, "after object key");
    scan.at++;
    const known = schema?.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    const field = known ?? schema?.additionalProperties;
    const at = path === "" ? name : `${path}.${name}`;
    if (field === undefined && !isFree) report(scan, "unknown", at);
    else if (seen.has(name) && !isFree) report(scan, "duplicate", at);
    seen.add(name);
    value(scan, field, at);
    if (here(scan) === "}") break;
    if (here(scan) !== ",") throw errorAt(scan, "after object key:value pair");
    scan.at++;
    skipSpace(scan);
  }
  scan.at++;
}

function array(scan: Scan, schema: Schema | undefined, path: string): void {
  scan.at++;
  skipSpace(scan);
  for (let i = 0; !(i === 0 && here(scan) === "]"); i++) {
    value(scan, schema?.items, `${path}[${i}]`);
    if (here(scan) === "]") break;
    if (here(scan) !== ",") throw errorAt(scan, "after array element");
    scan.at++;
  }
  scan.at++;
}

function value(scan: Scan, schema: Schema | undefined, path: string): void {
  skipSpace(scan);
  const begin = here(scan);
  const full = schema && resolve(schema);
  if (begin === "{") object(scan, full, path);
  else if (begin === "[") array(scan, full, path);
  else if (begin === '"') string(scan);
  else if (begin === "-" || isDigit(begin)) number(scan);
  else if (begin === "t") literal(scan, "true");
  else if (begin === "f") literal(scan, "false");
  else if (begin === "n") literal(scan, "null");
  else throw errorAt(scan, "looking for beginning of value");
  skipSpace(scan);
}

/** Why a text is no JSON. */
export function syntaxError(text: string): string {
  const scan = scanOf(text);
  try {
    value(scan, undefined, "");
    return errorAt(scan, "after top-level value").message;
  } catch (e) {
    if (e instanceof JsonSyntaxError) return e.message;
    throw e;
  }
}

/** The schema of a value of any shape: only duplicate fields are errors. */
export const untyped: Schema = {
  get items() {
    return untyped;
  },
  get additionalProperties() {
    return untyped;
  },
};

/** The unknown and duplicate fields of a text that is JSON, each once. */
export function strictErrors(text: string, schema: Schema): readonly string[] {
  const scan = scanOf(text);
  value(scan, schema, "");
  return [...scan.found];
}
