// Formats tables as text, with columns as wide as their widest cell.

/** Columns are separated by three spaces, as in kubectl; the last is not padded. */
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

/** The widths of columns, to print more rows later under the same header. */
export const widthsOf = (header: readonly string[], rows: readonly (readonly string[])[]): readonly number[] =>
  header.map((title, i) => Math.max(title.length, ...rows.map((r) => r[i]?.length ?? 0)));

/** A Table of the API. Columns with a priority above 0 are shown with `-o wide`. */
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
  /** A prefix of each name, used when several kinds are shown. */
  readonly prefix: string;
}

const labelsText = (labels: RowMeta["labels"]): string =>
  Object.entries(labels ?? {})
    .map(([k, v]) => `${k}=${v}`)
    .join(",") || "<none>";

/** The header and cells of a Table according to the options. */
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
