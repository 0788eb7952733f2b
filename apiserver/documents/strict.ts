// Strict decoding of a JSON text: unknown and duplicate fields, which parsing would forget. Pure.
import { quoted } from "../../api/quote.ts";
import { resolve, type Schema } from "../../api/schema.ts";

/** The schema of a value of any shape: only what is said twice is wrong with it. */
export const untyped: Schema = {
  get items() {
    return untyped;
  },
  get additionalProperties() {
    return untyped;
  },
};

/** So many are told of at most. */
const mostErrors = 100;

interface Scan {
  readonly text: string;
  at: number;
  readonly found: Set<string>;
}

const blank = /[\s]*/y;
const scalar = /[^\s,\]}]*/y;
function skip(scan: Scan, what: RegExp): void {
  what.lastIndex = scan.at;
  what.test(scan.text);
  scan.at = what.lastIndex;
}
function next(scan: Scan): string {
  skip(scan, blank);
  return scan.text.charAt(scan.at);
}
/** Past a comma, or past the end; whether there is more. */
function more(scan: Scan, end: string): boolean {
  const found = next(scan);
  scan.at++;
  return found !== end;
}

/** The text of a string, read past its closing quote. */
function string(scan: Scan): string {
  const from = scan.at;
  let to = scan.text.indexOf('"', from + 1);
  const escaped = (at: number): boolean => {
    let slashes = 0;
    while (scan.text.charAt(at - 1 - slashes) === "\\") slashes++;
    return slashes % 2 === 1;
  };
  while (escaped(to)) to = scan.text.indexOf('"', to + 1);
  scan.at = to + 1;
  const raw = scan.text.slice(from + 1, to);
  return raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
}

function wrong(scan: Scan, what: "unknown" | "duplicate", path: string): void {
  if (scan.found.size < mostErrors) scan.found.add(`${what} field ${quoted(path)}`);
}

/** An object; without a schema nobody cares what is in it. */
function object(scan: Scan, schema: Schema | undefined, path: string): void {
  scan.at++;
  if (next(scan) === "}") {
    scan.at++;
    return;
  }
  const seen = new Set<string>();
  const isFree = schema === undefined || (!schema.properties && !schema.additionalProperties);
  do {
    skip(scan, blank);
    const name = string(scan);
    next(scan);
    scan.at++;
    const known = schema?.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    const field = known ?? schema?.additionalProperties;
    const at = path === "" ? name : `${path}.${name}`;
    if (field === undefined && !isFree) wrong(scan, "unknown", at);
    else if (seen.has(name) && !isFree) wrong(scan, "duplicate", at);
    seen.add(name);
    value(scan, field, at);
  } while (more(scan, "}"));
}

function array(scan: Scan, schema: Schema | undefined, path: string): void {
  scan.at++;
  if (next(scan) === "]") {
    scan.at++;
    return;
  }
  let i = 0;
  do value(scan, schema?.items, `${path}[${i++}]`);
  while (more(scan, "]"));
}

function value(scan: Scan, schema: Schema | undefined, path: string): void {
  const begin = next(scan);
  const full = schema && resolve(schema);
  if (begin === "{") object(scan, full, path);
  else if (begin === "[") array(scan, full, path);
  else if (begin === '"') string(scan);
  else skip(scan, scalar);
}

/** The errors of a text that is JSON, in the order in which a reader meets them, each once. */
export function strictErrors(text: string, schema: Schema): readonly string[] {
  const scan: Scan = { text, at: 0, found: new Set() };
  value(scan, schema, "");
  return [...scan.found];
}
