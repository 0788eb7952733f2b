// Parses kubectl's dialect of JSONPath: text with actions in braces, such as `{range .items[*]}{.metadata.name}{end}`.

/** An index or slice. An absent end of a single index is `start + 1`, counted from the end when that is 0. */
export interface Slice {
  readonly kind: "slice";
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly isIndex: boolean;
  readonly step: number | undefined;
}
export type PathNode =
  | { readonly kind: "literal"; readonly value: string | number | boolean; readonly isFloat?: boolean }
  | { readonly kind: "identifier"; readonly name: string }
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "wildcard" }
  | { readonly kind: "recursive" }
  | Slice
  | { readonly kind: "union"; readonly paths: readonly Path[] }
  | { readonly kind: "filter"; readonly left: Path; readonly operator: string; readonly right: Path };
/** The steps of one action, from left to right. */
export type Path = readonly PathNode[];
/** Text, or an action. */
export type Template = readonly (string | Path)[];

const terminators = new Set(["", ".", ",", "[", "]", "$", "@", "{", "}", " ", "\r", "\n"]);
const isEnd = (c: string): boolean => c === "" || c === "\n";

const escapedCharacters: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/** The text of a literal in single or double quotes, as in Go. */
function unquoted(literal: string): string {
  const fail = (): never => {
    throw new Error(`unquote string ${literal} error invalid syntax`);
  };
  const quote = literal[0]!;
  return literal
    .slice(1, -1)
    .replace(/\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.?)|["'\n]/gs, (sequence) => {
      if (sequence === quote || sequence === "\n") return fail();
      if (!sequence.startsWith("\\")) return sequence;
      const code = sequence.slice(1);
      if (/^\d{3}$/.test(code)) return String.fromCodePoint(Number.parseInt(code, 8));
      if (/^[xuU].+/.test(code)) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
      return (code === "'" || code === '"') && code !== quote ? fail() : (escapedCharacters[code] ?? fail());
    });
}

/** Reads actions from a position in the template. */
class Parser {
  readonly #input: string;
  #position = 0;
  constructor(input: string) {
    this.#input = input;
  }

  template(): Template {
    const parts: (string | Path)[] = [];
    while (this.#position < this.#input.length) {
      const open = this.#input.indexOf("{", this.#position);
      const text = this.#input.slice(this.#position, open === -1 ? undefined : open);
      if (text !== "") parts.push(text);
      if (open === -1) break;
      this.#position = open + 1;
      parts.push(this.#action());
    }
    return parts;
  }

  #next(): string {
    return this.#input[this.#position++] ?? "";
  }

  #takeWhile(test: (c: string) => boolean): string {
    const start = this.#position;
    while (this.#position < this.#input.length && test(this.#input[this.#position]!)) this.#position++;
    return this.#input.slice(start, this.#position);
  }

  #take(prefix: string): boolean {
    const isNext = this.#input.startsWith(prefix, this.#position);
    if (isNext) this.#position += prefix.length;
    return isNext;
  }

  #action(): Path {
    const nodes: PathNode[] = [];
    while (!this.#take("}")) nodes.push(...this.#step(nodes.at(-1)));
    return nodes;
  }

  #step(previous: PathNode | undefined): readonly PathNode[] {
    if (this.#take("[?(")) return [this.#filter()];
    if (this.#take("..")) return this.#recursive(previous);
    const c = this.#next();
    if (isEnd(c) || c === "\r") throw new Error("unclosed action");
    if (c === " " || c === "@" || c === "$") return [];
    if (c === "[") return this.#array();
    if (c === '"' || c === "'") return [this.#quote(c)];
    if (c === ".") return [this.#field()];
    this.#position--;
    if (/[-+\p{Nd}]/u.test(c)) return [this.#number()];
    if (/[\p{L}_]/u.test(c)) return [this.#identifier()];
    const code = c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    throw new Error(`unrecognized character in action: U+${code} '${c}'`);
  }

  #recursive(previous: PathNode | undefined): readonly PathNode[] {
    if (previous?.kind === "recursive") throw new Error("invalid multiple recursive descent");
    const isField = /[\p{L}\p{Nd}_]/u.test(this.#input[this.#position] ?? "");
    return isField ? [{ kind: "recursive" }, this.#field()] : [{ kind: "recursive" }];
  }

  #identifier(): PathNode {
    const name = this.#takeWhile((c) => !terminators.has(c));
    return name === "true" || name === "false"
      ? { kind: "literal", value: name === "true" }
      : { kind: "identifier", name };
  }

  #number(): PathNode {
    const text = this.#takeWhile((c) => /[-+.\p{Nd}]/u.test(c));
    if (/^[-+]?\d+$/.test(text)) return { kind: "literal", value: Number(text) };
    if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(text)) throw new Error(`cannot parse number ${text}`);
    return { kind: "literal", value: Number(text), isFloat: true };
  }

  #field(): PathNode {
    const start = this.#position;
    for (let c = this.#next(); !terminators.has(c); c = this.#next()) if (c === "\\") this.#next();
    this.#position = Math.min(this.#position - 1, this.#input.length);
    const name = this.#input.slice(start, this.#position);
    return name === "*" ? { kind: "wildcard" } : { kind: "field", name: name.replaceAll("\\", "") };
  }

  #quote(quote: string): PathNode {
    const start = this.#position - 1;
    for (let c = this.#next(); c !== quote || this.#input[this.#position - 2] === "\\"; c = this.#next())
      if (isEnd(c)) throw new Error("unterminated quoted string");
    return { kind: "literal", value: unquoted(this.#input.slice(start, this.#position)) };
  }

  #array(): readonly PathNode[] {
    const text = this.#takeWhile((c) => c !== "]" && c !== "\n");
    if (this.#next() !== "]") throw new Error("unterminated array");
    const members = text.split(",");
    if (members.length > 1)
      return [{ kind: "union", paths: members.map((member) => actionOf(`[${member.replace(/^ +| +$/g, "")}]`)) }];
    const key = /^'([^']*)'$/.exec(text);
    return key === null ? [sliceOf(text === "*" ? ":" : text)] : actionOf(`.${key[1]}`);
  }

  #filter(): PathNode {
    const start = this.#position;
    let quote: string | undefined;
    for (let c = this.#next(); c !== ")" || quote !== undefined; c = this.#next()) {
      if (isEnd(c)) throw new Error("unterminated filter");
      if ((c === '"' || c === "'") && quote === undefined) quote = c;
      else if (c === quote && this.#input[this.#position - 2] !== "\\") quote = undefined;
    }
    const text = this.#input.slice(start, this.#position - 1);
    if (this.#next() !== "]") throw new Error("unclosed array expect ]");
    const [, left, operator, right] = /^([^!<>=]+)([!<>=]+)(.+?)$/s.exec(text) ?? [];
    if (operator === undefined) return { kind: "filter", left: actionOf(text), operator: "exists", right: [] };
    return { kind: "filter", left: actionOf(left!), operator, right: actionOf(right!) };
  }
}

/** A text without braces as an action. */
function actionOf(text: string): Path {
  const [action] = new Parser(`{${text}}`).template();
  return action as Path;
}

function sliceOf(text: string): Slice {
  const match = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(text);
  if (match === null) throw new Error(`invalid array index ${text}`);
  const [start, end, step] = match.slice(1).map((part) => {
    const digits = part?.replace(":", "") ?? "";
    if (digits === "-") throw new Error(`array index ${digits} is not a number`);
    return digits === "" ? undefined : Number(digits);
  });
  return { kind: "slice", start, end, isIndex: match[2] === undefined, step };
}

/** Parses a template. Throws Error in kubectl's words. */
export const parseTemplate = (text: string): Template => new Parser(text).template();

/** The template of a path in a relaxed form: `.metadata.name`, `metadata.name` and `{.metadata.name}` are the same. */
export function relaxedPath(text: string): string {
  if (text === "") return text;
  const match = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(text);
  if (match === null)
    throw new Error(
      "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
    );
  return `{.${match[1] ?? match[2]}}`;
}
