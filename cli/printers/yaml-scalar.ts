// Writes a scalar as libyaml does in Go's yaml.v2, which kubectl uses: the choice of quotes, escapes and line breaks.
import { isPlainString } from "./yaml-resolve.ts";

/** Where a scalar begins, and what may follow it. */
export interface ScalarPlace {
  readonly column: number;
  /** The indent of its continuation lines. */
  readonly indent: number;
  /** A key is written on one line. */
  readonly isKey: boolean;
}

/** Lines are broken at the first space beyond this column. */
const bestWidth = 80;

const isBreak = (c: string | undefined): boolean =>
  c === "\n" || c === "\r" || c === "\u0085" || c === "\u2028" || c === "\u2029";
const isBlank = (c: string | undefined): boolean => c === undefined || c === " " || c === "\t";

/** libyaml escapes characters beyond the basic plane, and tabs. */
const isPrintable = (c: string): boolean => {
  const code = c.codePointAt(0)!;
  return code === 0x0a || (code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code < 0xfffe && code !== 0xfeff);
};

/** Whether an unquoted scalar of a block would be read as something else than a string of these characters. */
function hasIndicators(characters: readonly string[]): boolean {
  return characters.some((c, i) => {
    const beforeBlank = isBlank(characters[i + 1]);
    if (c === ":") return beforeBlank;
    if (i === 0) return "#,[]{}&*!|>'\"%@`".includes(c) || ("-?".includes(c) && beforeBlank);
    return c === "#" && (isBlank(characters[i - 1]) || isBreak(characters[i - 1]));
  });
}

interface Analysis {
  readonly isMultiline: boolean;
  readonly plain: boolean;
  readonly single: boolean;
  readonly literal: boolean;
}

/** The styles in which a text can be written. */
function analyze(text: string, characters: readonly string[]): Analysis {
  const first = characters[0];
  const last = characters.at(-1);
  const isMultiline = characters.some(isBreak);
  const spaceAfterBreak = characters.some((c, i) => c === " " && isBreak(characters[i - 1]));
  const isSpecial =
    characters.some((c) => !isPrintable(c)) || characters.some((c, i) => isBreak(c) && characters[i - 1] === " ");
  const hasMarker = text.startsWith("---") || text.startsWith("...");
  return {
    isMultiline,
    plain: !(first === " " || last === " " || isMultiline || isSpecial || hasMarker || hasIndicators(characters)),
    single: !(spaceAfterBreak || isSpecial),
    literal: last !== " " && !isSpecial,
  };
}

/** Whether a text can be the key of a mapping without the indicator `?`. */
export const isSimpleKey = (text: string): boolean =>
  Buffer.byteLength(text) <= 128 && ![...text].some((c) => isBreak(c));

const named: Readonly<Record<string, string>> = {
  "\0": "0",
  "\x07": "a",
  "\b": "b",
  "\t": "t",
  "\n": "n",
  "\v": "v",
  "\f": "f",
  "\r": "r",
  "\x1b": "e",
  '"': '"',
  "\\": "\\",
  "\u0085": "N",
  "\u00a0": "_",
  "\u2028": "L",
  "\u2029": "P",
};

/** A character as an escape sequence of double-quoted scalars. */
export function escaped(c: string): string {
  if (named[c] !== undefined) return `\\${named[c]}`;
  const hex = c.codePointAt(0)!.toString(16).toUpperCase();
  return hex.length <= 2
    ? `\\x${hex.padStart(2, "0")}`
    : hex.length <= 4
      ? `\\u${hex.padStart(4, "0")}`
      : `\\U${hex.padStart(8, "0")}`;
}

/** Appends characters and knows the column of the next. */
class Line {
  text = "";
  #column: number;
  readonly #indent: string;
  readonly #mayBreak: boolean;
  constructor({ column, indent, isKey }: ScalarPlace) {
    this.#column = column;
    this.#indent = " ".repeat(indent);
    this.#mayBreak = !isKey;
  }
  write(text: string): void {
    this.text += text;
    this.#column += [...text].length;
  }
  /** Continues on a new line. */
  wrap(): void {
    this.text += `\n${this.#indent}`;
    this.#column = this.#indent.length;
  }
  breakLine(character: string): void {
    this.text += character;
    this.#column = 0;
  }
  /** Indents after a line break that was part of the text. */
  startLine(): void {
    this.text += this.#indent;
    this.#column = this.#indent.length;
  }
  /** Whether a space here becomes a line break. */
  get isFull(): boolean {
    return this.#mayBreak && this.#column > bestWidth;
  }
}

const plainText = (characters: readonly string[], line: Line): void => {
  let previous: string | undefined;
  for (const [i, c] of characters.entries()) {
    if (c === " " && previous !== " " && line.isFull && characters[i + 1] !== " ") line.wrap();
    else line.write(c);
    previous = c;
  }
};

const singleQuoted = (characters: readonly string[], line: Line): void => {
  line.write("'");
  for (const [i, c] of characters.entries()) {
    const previous = characters[i - 1];
    const next = characters[i + 1];
    if (c === " ") {
      if (previous !== " " && line.isFull && i > 0 && next !== undefined && next !== " ") line.wrap();
      else line.write(c);
    } else if (isBreak(c)) {
      if (c === "\n" && !isBreak(previous)) line.breakLine("\n");
      line.breakLine(c);
    } else {
      if (isBreak(previous)) line.startLine();
      line.write(c === "'" ? "''" : c);
    }
  }
  line.write("'");
};

const doubleQuoted = (characters: readonly string[], line: Line): void => {
  line.write('"');
  for (const [i, c] of characters.entries()) {
    if (c === " ") {
      if (characters[i - 1] !== " " && line.isFull && i > 0 && i < characters.length - 1) {
        line.wrap();
        if (characters[i + 1] === " ") line.write("\\");
      } else line.write(c);
    } else line.write(!isPrintable(c) || isBreak(c) || c === '"' || c === "\\" ? escaped(c) : c);
  }
  line.write('"');
};

const literalText = (characters: readonly string[], line: Line): void => {
  const [first] = characters;
  const last = characters.at(-1);
  const chomping = !isBreak(last) ? "-" : characters.length === 1 || isBreak(characters.at(-2)) ? "+" : "";
  line.write(`|${first === " " || isBreak(first) ? "2" : ""}${chomping}\n`);
  for (const [i, c] of characters.entries()) {
    if (isBreak(c)) line.breakLine(c);
    else {
      if (i === 0 || isBreak(characters[i - 1])) line.startLine();
      line.write(c);
    }
  }
};

/** A string in the style that libyaml chooses. A literal block ends with its last line break, if it has one. */
export function yamlString(text: string, place: ScalarPlace): string {
  const characters = [...text];
  const line = new Line(place);
  const { isMultiline, plain, single, literal } = analyze(text, characters);
  if (text.includes("\n")) (literal && !place.isKey ? literalText : doubleQuoted)(characters, line);
  else if (!isPlainString(text)) doubleQuoted(characters, line);
  else if (plain && !(isMultiline && place.isKey)) plainText(characters, line);
  else (single && !(isMultiline && place.isKey) ? singleQuoted : doubleQuoted)(characters, line);
  return line.text;
}
