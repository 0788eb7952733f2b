// A table with a cursor: rows that change, a filter, an order, and the part that is in view. Pure.
import type { Instant } from "../../api/meta.ts";
import type { Resource } from "../client/resources.ts";
import { widthOf } from "./cells.ts";
import { matcherOf } from "./filter.ts";

/** One row; the cells are printable. */
export interface Row {
  readonly id: string;
  readonly cells: readonly string[];
  readonly namespace?: string | undefined;
  readonly name: string;
  /** Of rows whose types differ. */
  readonly resource?: Resource | undefined;
  /** When the object was created, to show its age at any time. */
  readonly created?: Instant | undefined;
}

export interface Column {
  readonly title: string;
  /** Shown only where there is space, as with `-o wide`. */
  readonly isWide?: boolean;
}
/** Rows that are new, changed or gone. */
export interface RowsUpdate {
  /** Undefined for the columns as they are. */
  readonly columns?: readonly Column[];
  readonly changes: readonly (Row | { readonly id: string; readonly isGone: true })[];
  /** Whether all earlier rows are dropped. */
  readonly replaces: boolean;
  /** The row that the cursor is put on when there were none. */
  readonly cursor?: string | undefined;
}

export interface Sort {
  /** The title of a column. */
  readonly column: string;
  readonly isDescending: boolean;
}

export interface List {
  readonly kind: "list";
  readonly columns: readonly Column[];
  readonly rows: ReadonlyMap<string, Row>;
  /** Whether rows are sorted; otherwise they stay in the order in which they were read. */
  readonly isSorted: boolean;
  readonly filter: string;
  /** Undefined for namespace and name. */
  readonly sort?: Sort | undefined;
  /** The rows that pass the filter, in order. */
  readonly shown: readonly Row[];
  /** The widest cell of each column. */
  readonly widths: readonly number[];
  readonly cursor: number;
  /** The first row in view. */
  readonly top: number;
  /** How many columns after the first are scrolled out of view. */
  readonly left: number;
}

export const emptyList = (isSorted: boolean): List => ({
  kind: "list",
  columns: [],
  rows: new Map(),
  isSorted,
  filter: "",
  shown: [],
  widths: [],
  cursor: 0,
  top: 0,
  left: 0,
});

/** The row under the cursor. */
export const selectedRow = ({ shown, cursor }: List): Row | undefined => shown[cursor];

const byName = (a: Row, b: Row): number => {
  const [x, y] = [a.namespace ?? "", b.namespace ?? ""];
  if (x !== y) return x < y ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
};

/** What a cell is sorted by: ages by time, numbers such as `3 (5m ago)` or `1/2` by value, and text. */
function sortKey(row: Row, column: number, title: string): readonly [number, string] {
  if (title === "AGE" && row.created !== undefined) return [-row.created, ""];
  const cell = row.cells[column] ?? "";
  const number = /^-?\d+(\.\d+)?/.exec(cell)?.[0];
  return [number === undefined ? Number.POSITIVE_INFINITY : Number(number), cell];
}

function sorted(rows: readonly Row[], { columns, sort, isSorted }: List): readonly Row[] {
  if (!isSorted && sort === undefined) return rows;
  const column = columns.findIndex(({ title }) => title === sort?.column);
  if (sort === undefined || column === -1) return rows.toSorted(byName);
  const sign = sort.isDescending ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: sortKey(row, column, sort.column) }));
  keyed.sort(({ row: a, key: [m, s] }, { row: b, key: [n, t] }) => {
    if (m !== n) return m < n ? -sign : sign;
    return s === t ? byName(a, b) : s < t ? -sign : sign;
  });
  return keyed.map(({ row }) => row);
}

/** The widest cell of each column; ages change, so their column has a minimum. */
function widthsOf(columns: readonly Column[], rows: readonly Row[]): readonly number[] {
  const widths = columns.map(({ title }) => Math.max(widthOf(title), title === "AGE" ? 5 : 1));
  for (const { cells } of rows)
    for (let i = 0; i < widths.length; i++) widths[i] = Math.max(widths[i]!, widthOf(cells[i] ?? ""));
  return widths;
}

/** The list with what follows from its rows, filter and order. The cursor stays on its row. */
function derived(list: List): List {
  const matches = matcherOf(list.filter);
  const all = [...list.rows.values()];
  const passing = list.filter === "" ? all : all.filter(({ cells }) => matches(cells.join(" ")));
  const shown = sorted(passing, list);
  const id = selectedRow(list)?.id;
  const found = id === undefined ? -1 : shown.findIndex((row) => row.id === id);
  const cursor = found === -1 ? Math.max(0, Math.min(list.cursor, shown.length - 1)) : found;
  return { ...list, shown, widths: widthsOf(list.columns, shown), cursor };
}

/** The list after rows have come, changed or gone. */
export function withRows(list: List, { columns = list.columns, changes, replaces, cursor }: RowsUpdate): List {
  const rows = new Map(replaces ? [] : list.rows);
  for (const change of changes) {
    if ("isGone" in change) rows.delete(change.id);
    else rows.set(change.id, change);
  }
  const next = derived({ ...list, columns, rows });
  const first = list.rows.size === 0 ? next.shown.findIndex(({ id }) => id === cursor) : -1;
  return first === -1 ? next : { ...next, cursor: first };
}

export const withFilter = (list: List, filter: string): List => derived({ ...list, filter });

/** Sorts by a column, or in the opposite order when it is sorted by it already. */
export function sortedBy(list: List, column: string): List {
  const isAgain = list.sort?.column === column && !list.sort.isDescending;
  return derived({ ...list, sort: { column, isDescending: isAgain } });
}

/** The list with the cursor at a row, or the nearest there is. */
export const withCursor = (list: List, cursor: number): List => ({
  ...list,
  cursor: Math.max(0, Math.min(cursor, list.shown.length - 1)),
});

/** The list scrolled so that the cursor is among so many rows in view. */
export function scrolled(list: List, height: number): List {
  const last = Math.max(0, list.shown.length - height);
  const top = Math.min(Math.max(list.top, list.cursor - height + 1), list.cursor, last);
  return top === list.top ? list : { ...list, top: Math.max(0, top) };
}
