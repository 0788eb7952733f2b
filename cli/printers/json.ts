// Writes JSON as Go's encoder does: sorted keys, four spaces, and escapes of the characters that HTML reserves.

import { sortedEntries } from "../../api/jsonpath/go-text.ts";

const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** Replaces the characters that HTML reserves, as Go's encoder does. They stand only within strings. */
export const escapeHtml = (json: string): string => json.replaceAll(/[<>&\u2028\u2029]/g, (c) => escapes[c]!);

const quoted = (text: string): string => escapeHtml(JSON.stringify(text));

function write(value: unknown, newline: string, step: string): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const inner = newline === "" ? "" : newline + step;
  const list = (open: string, items: readonly string[], close: string): string =>
    items.length === 0 ? open + close : `${open}${inner}${items.join(`,${inner}`)}${newline}${close}`;
  if (Array.isArray(value))
    return list(
      "[",
      value.map((item) => write(item, inner, step)),
      "]",
    );
  const colon = newline === "" ? ":" : ": ";
  return list(
    "{",
    sortedEntries(value).map(([key, item]) => quoted(key) + colon + write(item, inner, step)),
    "}",
  );
}

/** A value as `kubectl -o json` prints it, without a final newline. */
export const indentedJson = (value: unknown): string => write(value, "\n", "    ");

/** A value on one line, as jsonpath prints maps and lists. */
export const compactJson = (value: unknown): string => write(value, "", "");
