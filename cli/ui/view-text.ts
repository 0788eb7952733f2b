// The lines of a text that are in view: wrapped or cut, with the matches of a search marked. Pure.
import { type Size, sliceCells, widthOf } from "./cells.ts";
import { matcherOf } from "./filter.ts";
import { line, type Line, type Style } from "./style.ts";
import type { Text } from "./text.ts";

/** A line as the rows of the screen that it takes. */
function rowsOf(text: string, { wraps, left }: Text, columns: number): readonly string[] {
  if (!wraps) return [sliceCells(text, left, columns)];
  const rows: string[] = [];
  let at = 0;
  do {
    const row = sliceCells(text, at, columns);
    rows.push(row);
    // A wide character that does not fit begins the next row.
    at += Math.max(1, widthOf(row));
  } while (at < widthOf(text));
  return rows;
}

/** The lines that fill the part of the screen for them. */
export function textLines(text: Text, { columns, rows }: Size, usual: Style = {}): readonly Line[] {
  const isMarked = text.search === "" || text.isLog ? () => false : matcherOf(text.search);
  const lines: Line[] = [];
  for (let i = text.top; i < text.shown.length && lines.length < rows; i++) {
    const style: Style = isMarked(text.shown[i]!) ? { color: "yellow", bold: true } : usual;
    for (const row of rowsOf(text.shown[i]!, text, columns)) lines.push(line(columns, [{ text: row, style }]));
  }
  return lines.slice(0, rows);
}
