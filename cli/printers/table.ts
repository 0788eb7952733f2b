// Formats the tables that the server makes of objects, with the columns that options add.
import { rememberingWriter, tableStyle } from "./tab-writer.ts";

/** Aligns a table of text whose columns nothing decides but its cells. */
export const textTable = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  rememberingWriter(tableStyle)([...(header.length > 0 ? [header] : []), ...rows]).replace(/\n$/, "");

interface RowMeta {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly creationTimestamp?: string | null;
  readonly ownerReferences?: readonly { readonly uid: string }[];
}
export interface TableRow {
  readonly cells: readonly unknown[];
  readonly object?: { readonly metadata?: RowMeta } | null;
}
/** A Table of the API. Columns with a priority above 0 are shown with `-o wide`. */
export interface ServerTable {
  readonly columnDefinitions: readonly { readonly name: string; readonly format?: string; readonly priority: number }[];
  readonly rows: readonly TableRow[];
}
export interface TableOptions {
  readonly wide?: boolean;
  /** Adds a column for the namespace. */
  readonly namespaces?: boolean;
  /** Labels with a column each. */
  readonly labelColumns?: readonly string[];
  /** Adds a column with all labels. */
  readonly showLabels?: boolean;
  /** Precedes each name, as in `deployment.apps/web`. */
  readonly kind?: string;
  /** Precedes all columns, as `--output-watch-events` does. */
  readonly event?: string;
}
export interface TableText {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Control characters of terminals become visible. */
export const visible = (text: string): string => text.replaceAll("\x1b", "^[").replaceAll("\r", "\\r");

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell !== "string") return visible(String(cell));
  const end = cell.search(/[\f\n\r]/);
  return end === -1 ? visible(cell) : `${visible(cell.slice(0, end))}...`;
}

const labelsText = (labels: RowMeta["labels"]): string =>
  Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",") || "<none>";

const lastSegment = (label: string): string => label.slice(label.lastIndexOf("/") + 1).toUpperCase();

/** The header and cells of a Table. */
export function tableText({ columnDefinitions, rows }: ServerTable, options: TableOptions): TableText {
  const { wide, namespaces, labelColumns = [], showLabels, kind, event } = options;
  const shown = columnDefinitions.flatMap((c, i) => (c.priority === 0 || wide ? [i] : []));
  const nameColumn = columnDefinitions.findIndex((c) => c.format === "name" || c.name === "Name");
  const prefixed = (text: string, i: number): string =>
    kind !== undefined && i === nameColumn ? `${kind}/${text}` : text;
  return {
    header: [
      ...(event === undefined ? [] : ["EVENT"]),
      ...(namespaces ? ["NAMESPACE"] : []),
      ...shown.map((i) => columnDefinitions[i]!.name.toUpperCase()),
      ...labelColumns.map(lastSegment),
      ...(showLabels ? ["LABELS"] : []),
    ],
    rows: rows.map(({ cells, object }) => [
      ...(event === undefined ? [] : [event]),
      ...(namespaces ? [object?.metadata?.namespace ?? ""] : []),
      ...shown.filter((i) => i < cells.length).map((i) => prefixed(cellText(cells[i]), i)),
      ...labelColumns.map((label) => object?.metadata?.labels?.[label] ?? ""),
      ...(showLabels ? [labelsText(object?.metadata?.labels)] : []),
    ]),
  };
}
