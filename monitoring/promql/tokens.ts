// The tokens of PromQL. Source: Prometheus' documentation, "Querying basics" and "Operators".

export interface Token {
  readonly kind: "name" | "number" | "duration" | "string" | "symbol" | "end";
  /** As it is written; of a string, its value. */
  readonly text: string;
  readonly at: number;
}

/** A query that cannot be parsed. The message begins with the line and the column. */
export class ParseError extends Error {
  override readonly name = "ParseError";
}

export function parseError(query: string, at: number, message: string): ParseError {
  const lines = query.slice(0, at).split("\n");
  return new ParseError(`${lines.length}:${lines.at(-1)!.length + 1}: parse error: ${message}`);
}

const units: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000, y: 365 * 86_400_000 },
};
const durationForm = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Milliseconds of a duration such as `1h30m`: larger units first, each once. Undefined when it is none. */
export function durationOf(text: string): number | undefined {
  const parts = durationForm.exec(text);
  if (!parts || text === "") return undefined;
  return ["y", "w", "d", "h", "m", "s", "ms"].reduce(
    (sum, unit, i) => sum + Number(parts[i + 1] ?? 0) * units[unit]!,
    0,
  );
}

const forms: readonly (readonly [Token["kind"] | "skip", RegExp])[] = [
  ["skip", /(?:\s+|#[^\n]*)/y],
  ["duration", /(?:\d+(?:ms|[smhdwy]))+(?![\w.])/y],
  ["number", /(?:0[xX][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)(?![\w.])/y],
  ["name", /[a-zA-Z_:][a-zA-Z0-9_:]*/y],
  ["symbol", /(?:=~|!~|==|!=|>=|<=|[-+*/%^=<>(){}[\],:@])/y],
];
const quoted = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`/y;

const simpleEscapes: Readonly<Record<string, string>> = {
  ...{ a: "\u0007", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", "\\": "\\", "'": "'", '"': '"' },
};
const escapeForm = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gs;

/** The character of a match of {@link escapeForm}; undefined when it is unknown. */
function escapedCharacter([, byte, short, long, octal, simple = ""]: readonly (string | undefined)[]):
  | string
  | undefined {
  const digits = byte ?? short ?? long ?? octal;
  if (digits === undefined) return simpleEscapes[simple];
  const code = Number.parseInt(digits, octal === undefined ? 16 : 8);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

/** The value of a string with Go's escapes; undefined when one is unknown. */
function unquoted(text: string): string | undefined {
  const inner = text.slice(1, -1);
  if (text.startsWith("`")) return inner;
  const characters = [...inner.matchAll(escapeForm)].map(escapedCharacter);
  if (characters.includes(undefined)) return undefined;
  let next = 0;
  return inner.replace(escapeForm, () => characters[next++]!);
}

function stringAt(query: string, at: number): { readonly token: Token; readonly end: number } | undefined {
  if (!`"'\``.includes(query[at]!)) return undefined;
  quoted.lastIndex = at;
  const text = quoted.exec(query)?.[0];
  if (text === undefined) throw parseError(query, at, "unterminated quoted string");
  const value = unquoted(text);
  if (value === undefined) throw parseError(query, at, "unknown escape sequence in string");
  return { token: { kind: "string", text: value, at }, end: at + text.length };
}

/** The tokens of a query, with one at its end. Throws ParseError. */
export function tokensOf(query: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let isInRange = false;
  next: while (at < query.length) {
    const string = stringAt(query, at);
    if (string) {
      tokens.push(string.token);
      at = string.end;
      continue;
    }
    for (const [kind, form] of forms) {
      // The colon of a subquery begins no name.
      if (isInRange && kind === "name" && query[at] === ":") continue;
      form.lastIndex = at;
      const text = form.exec(query)?.[0];
      if (text === undefined) continue;
      if (kind !== "skip") tokens.push({ kind, text, at });
      if (text === "[" || text === "]") isInRange = text === "[";
      at += text.length;
      continue next;
    }
    if (/\d|\./.test(query[at]!))
      throw parseError(query, at, `bad number or duration syntax: ${JSON.stringify(query.slice(at, at + 12))}`);
    throw parseError(
      query,
      at,
      `unexpected character: ${JSON.stringify(String.fromCodePoint(query.codePointAt(at)!)).replaceAll('"', "'")}`,
    );
  }
  return [...tokens, { kind: "end", text: "", at: query.length }];
}
