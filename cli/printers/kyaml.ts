// Writes KYAML (KEP-5295): YAML in flow style, with quoted strings and trailing commas.
import { sortedEntries } from "../../api/jsonpath/go-text.ts";
import { isPlainString } from "./yaml-resolve.ts";
import { escaped } from "./yaml-scalar.ts";

const isSafeKey = (key: string): boolean => isPlainString(key) && /^[\p{L}\p{N}_][\p{L}\p{N}_./-]*$/u.test(key);

/** Escapes quotes and what is not printable, except tabs. */
const inner = (text: string): string => text.replace(/["\\\p{Zl}\p{Zp}\u00a0\ufeff]|(?!\t)\p{Cc}/gu, escaped);
const quoted = (text: string): string => `"${inner(text)}"`;

/** A string of several lines, folded so that each line of it is a line of the document. */
function foldedString(text: string, indent: string): string {
  const lines = text.split("\n").map((line, i, all) => {
    const isLast = i === all.length - 1;
    if (isLast && line === "") return "";
    return `${indent}${/^\s/.test(line) ? "\\" : " "}${inner(line)}${isLast ? "" : "\\n"}\\\n`;
  });
  return `"\\\n${lines.join("")}${indent}"`;
}

function scalar(value: unknown, indent: string): string {
  if (typeof value !== "string") return String(value);
  return value.includes("\n") ? foldedString(value, `${indent}  `) : quoted(value);
}

function list(items: readonly unknown[], indent: string): string {
  if (items.every((item) => typeof item === "object" && item !== null))
    return `[${items.map((item) => write(item, indent)).join(", ")}]`;
  return `[\n${items.map((item) => `${indent}  ${write(item, `${indent}  `)},\n`).join("")}${indent}]`;
}

function write(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) return scalar(value, indent);
  if (Array.isArray(value)) return value.length === 0 ? "[]" : list(value, indent);
  const entries = sortedEntries(value);
  if (entries.length === 0) return "{}";
  const deeper = `${indent}  `;
  const lines = entries.map(
    ([key, item]) => `${deeper}${isSafeKey(key) ? key : quoted(key)}: ${write(item, deeper)},\n`,
  );
  return `{\n${lines.join("")}${indent}}`;
}

/** An object as a KYAML document. */
export const kyamlText = (value: unknown): string => `---\n${write(value, "")}\n`;
