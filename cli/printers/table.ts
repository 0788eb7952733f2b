// Rows and columns as text, each column as wide as its widest cell.

/** Columns are separated by three spaces, as everywhere in this field; the last one is not padded. */
export function textTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  widths: readonly number[] = widthsOf(header, rows),
): string {
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join("   ")
      .trimEnd();
  return [...(header.length > 0 ? [line(header)] : []), ...rows.map(line)].join("\n");
}

/** Needed to print more rows later under the same header. */
export const widthsOf = (header: readonly string[], rows: readonly (readonly string[])[]): readonly number[] =>
  header.map((title, i) => Math.max(title.length, ...rows.map((r) => r[i]?.length ?? 0)));

/** The server's Table, of which `get` shows all but the columns for `-o wide`. */
export interface ServerTable {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: { readonly metadata: RowMeta } }[];
}
interface RowMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
}
export interface TableOptions {
  readonly wide: boolean;
  readonly namespaces: boolean;
  readonly labels: boolean;
  /** Put before each name when several kinds are shown. */
  readonly prefix: string;
}

const labelsText = (labels: RowMeta["labels"]): string =>
  Object.entries(labels ?? {})
    .map(([k, v]) => `${k}=${v}`)
    .join(",") || "<none>";

/** Header and cells of a server's table, as the options ask. */
export function shownCells(
  table: ServerTable,
  options: TableOptions,
): { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const shown = table.columnDefinitions.flatMap((c, i) => (c.priority === 0 || options.wide ? [i] : []));
  const header = shown.map((i) => table.columnDefinitions[i]!.name.toUpperCase());
  const rows = table.rows.map(({ cells, object }) => [
    ...(options.namespaces ? [object.metadata.namespace ?? ""] : []),
    ...shown.map((i, n) => `${n === 0 ? options.prefix : ""}${String(cells[i] ?? "")}`),
    ...(options.labels ? [labelsText(object.metadata.labels)] : []),
  ]);
  return {
    header: [...(options.namespaces ? ["NAMESPACE"] : []), ...header, ...(options.labels ? ["LABELS"] : [])],
    rows,
  };
}
