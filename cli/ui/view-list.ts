// The lines of a table: which columns fit, how wide they are, and the rows in view. Pure.
import { age } from "../../api/age.ts";
import type { Instant } from "../../api/meta.ts";
import { colorOf } from "../printers/color.ts";
import { fitted, type Size } from "./cells.ts";
import type { List, Row } from "./list.ts";
import { line, type Line, type Span } from "./style.ts";

/** A column in view, and its width. */
export interface ShownColumn {
  readonly index: number;
  readonly title: string;
  readonly width: number;
}

/** Narrower columns say nothing; the last ones are left out instead. */
const minWidth = 6;
/** The part of the line that names have before others are narrowed. */
const nameShare = 0.4;
const gap = 2;

const total = (widths: readonly number[]): number => widths.reduce((sum, width) => sum + width + gap, -gap);

/** The widths with which columns fit: the widest are narrowed first, down to what still says something. */
function narrowed(columns: readonly Omit<ShownColumn, "index">[], available: number): readonly number[] {
  const floors = columns.map(({ title, width }) =>
    Math.min(width, title === "NAME" ? Math.max(minWidth, Math.floor(available * nameShare)) : minWidth),
  );
  const widthsAt = (limit: number): readonly number[] =>
    columns.map(({ width }, i) => Math.max(floors[i]!, Math.min(width, limit)));
  let limit = Math.max(...columns.map(({ width }) => width));
  while (limit > minWidth && total(widthsAt(limit)) > available) limit--;
  return widthsAt(limit);
}

/**
 * The columns that fit: those of `-o wide` where there is space for all of their text; if the others are too wide, the
 * widest are narrowed first, and then the last ones are left out.
 */
export function fittingColumns({ columns, widths, left }: List, available: number): readonly ShownColumn[] {
  const all = columns.map(({ title, isWide }, index) => ({
    index,
    title,
    isWide: isWide === true,
    width: widths[index]!,
  }));
  const inView = all.filter(({ index }) => index === 0 || index > left);
  let shown = inView.filter(({ isWide }) => !isWide);
  for (const column of inView.filter(({ isWide }) => isWide)) {
    const more = [...shown, column].toSorted((a, b) => a.index - b.index);
    if (total(more.map(({ width }) => width)) <= available) shown = more;
  }
  for (;;) {
    const fitting = narrowed(shown, available);
    const spare = available - total(fitting);
    if (spare < 0 && shown.length > 1) {
      shown = shown.slice(0, -1);
      continue;
    }
    // What is left goes to the first column that was narrowed.
    const grown = shown.findIndex(({ width }, i) => fitting[i]! < width);
    return shown.map(({ index, title, width }, i) => ({
      index,
      title,
      width: i === grown ? Math.min(width, fitting[i]! + Math.max(0, spare)) : fitting[i]!,
    }));
  }
}

const cellOf = ({ cells, created }: Row, { index, title }: ShownColumn, now: Instant): string =>
  title === "AGE" && created !== undefined ? age(created, now) : (cells[index] ?? "");

function rowLine(row: Row, columns: readonly ShownColumn[], isSelected: boolean, now: Instant): readonly Span[] {
  return columns.map((column, i) => {
    const cell = cellOf(row, column, now);
    const text =
      fitted(cell, column.width, column.title === "NAME" ? "middle" : "end") + (i < columns.length - 1 ? "  " : "");
    if (isSelected) return { text, style: { inverse: true } };
    const color = colorOf(column.title, cell);
    return { text, style: color === "dim" ? { dim: true } : { color } };
  });
}

/** The header and the rows in view. The row under the cursor is inverted, up to the end of the line. */
export function listLines(list: List, { columns, rows }: Size, now: Instant): readonly Line[] {
  // One cell on the left remains free.
  const shown = fittingColumns(list, columns - 1);
  const header = shown.map(({ title, width }) => fitted(title, width)).join("  ");
  const visible = list.shown.slice(list.top, list.top + rows);
  return [
    line(columns, [{ text: ` ${header}`, style: { bold: true } }]),
    ...visible.map((row, i) => {
      const isSelected = list.top + i === list.cursor;
      const style = isSelected ? { inverse: true } : {};
      const spans = rowLine(row, shown, isSelected, now);
      return line(columns, [{ text: " ", style }, ...spans, { text: " ".repeat(columns), style }]);
    }),
  ];
}
