// Reads the plain YAML that programs write, as kubeconfigs are: block maps and lists of scalars on one line. Loading a
// whole YAML parser takes longer than the request of a command. Text with anything else is left to that parser.

/** A line: its indentation, and what follows. */
interface Line {
  readonly indent: number;
  readonly text: string;
}

/** Thrown for text beyond the subset. */
class NotPlain extends Error {}

const special = /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE|yes|Yes|no|No|on|off|On|Off|[-+.\d].*)$/;

function scalar(text: string): unknown {
  if (text === "{}") return {};
  if (text === "[]") return [];
  if (text === "true" || text === "false") return text === "true";
  if (text === '""' || text === "''") return "";
  const [, double, single] = /^(?:"([^"\\]*)"|'([^']*)')$/.exec(text) ?? [];
  if (double !== undefined || single !== undefined) return double ?? single;
  // Unquoted text that could be a number, an alias, a comment, a block, or end in one.
  if (special.test(text) || /^[&*!|>%@`{}[\],?"'#]|: |:$| #|\t/.test(text)) throw new NotPlain();
  return text;
}

const keyPattern = /^([A-Za-z][\w./-]*):(?: +(.*))?$/;

/** Reads the block that begins at line `at` with this indentation; returns the value and the line after it. */
function block(lines: readonly Line[], at: number, indent: number): readonly [unknown, number] {
  const isList = /^-( |$)/.test(lines[at]!.text);
  const items: unknown[] = [];
  const map: Record<string, unknown> = {};
  let i = at;
  while (i < lines.length && lines[i]!.indent === indent && /^-( |$)/.test(lines[i]!.text) === isList) {
    const { text } = lines[i]!;
    if (isList) {
      const [, gap = "", rest = ""] = /^-( *)(.*)$/.exec(text)!;
      if (rest === "") throw new NotPlain();
      const inner = indent + 1 + gap.length;
      if (!keyPattern.test(rest)) {
        items.push(scalar(rest));
        i++;
        continue;
      }
      const [value, next] = block(lines.with(i, { indent: inner, text: rest }), i, inner);
      items.push(value);
      i = next;
      continue;
    }
    const [, key, rest] = keyPattern.exec(text) ?? [];
    if (key === undefined || key === "__proto__" || Object.hasOwn(map, key)) throw new NotPlain();
    const below = lines[i + 1];
    const hasBlock = below && (below.indent > indent || (below.indent === indent && /^-( |$)/.test(below.text)));
    if (rest !== undefined && rest !== "") {
      // More indented lines would continue the scalar.
      if (below && below.indent > indent) throw new NotPlain();
      map[key] = scalar(rest);
      i++;
    } else if (hasBlock) {
      const [value, next] = block(lines, i + 1, below.indent);
      map[key] = value;
      i = next;
    } else {
      map[key] = null;
      i++;
    }
  }
  if (i < lines.length && lines[i]!.indent > indent) throw new NotPlain();
  return [isList ? items : map, i];
}

/** The value of plain YAML, or undefined when the text has anything that needs a YAML parser. */
export function parsePlainYaml(text: string): unknown {
  const lines = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "" && !/^ *#/.test(line))
    .map((line) => ({ indent: /^ */.exec(line)![0].length, text: line.trim() }));
  if (lines.length === 0 || lines[0]!.indent !== 0 || /^\s*\t/m.test(text)) return undefined;
  try {
    const [value, end] = block(lines, 0, 0);
    return end === lines.length ? value : undefined;
  } catch (error) {
    if (error instanceof NotPlain) return undefined;
    throw error;
  }
}
