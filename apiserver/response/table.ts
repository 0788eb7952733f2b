// Tables (`meta.k8s.io/v1`) from the columns of a kind's definition; kubectl get prints them. Pure.
import columns from "../../api/generated/columns.json" with { type: "json" };
import type { Column, ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject, Instant } from "../../api/meta.ts";

/** How much of each object comes with its row. */
export type IncludeObject = "None" | "Metadata" | "Object";

const plainColumns: readonly Column<ApiObject>[] = [
  { name: "Name", format: "name", cell: (o) => o.metadata.name },
  { name: "Created At", type: "date", cell: (o) => o.metadata.creationTimestamp },
];
const columnsOf = (r: ResourceDefinition): readonly Column<ApiObject>[] =>
  r.columns.length > 0 ? r.columns : plainColumns;

/** A column's description is that of the field it shows. */
const texts: Readonly<Record<string, Readonly<Record<string, string>>>> = columns;
const descriptionOf = ({ kind }: ResourceDefinition, column: string): string =>
  texts[kind]?.[column] ?? texts[""]?.[column] ?? "";

/** An object reduced to its metadata. */
export const metadataOf = (o: ApiObject, version = "v1"): object => ({
  kind: "PartialObjectMetadata",
  apiVersion: `meta.k8s.io/${version}`,
  metadata: o.metadata,
});

/** How a table is to be made. */
export interface TableOptions {
  readonly now: Instant;
  readonly include: IncludeObject;
  readonly version: string;
  /** A watch names its columns once. */
  readonly headers: boolean;
}

function rowOf(r: ResourceDefinition, o: ApiObject, { now, include, version }: TableOptions): object {
  const cells = columnsOf(r).map((column) => column.cell(o, now));
  const completed = r.completed?.(o);
  const conditions = completed && [{ type: "Completed", status: "True", ...completed }];
  const object = include === "None" ? null : include === "Object" ? o : metadataOf(o, version);
  return { cells, ...(conditions && { conditions }), object };
}

const definitionsOf = (r: ResourceDefinition): readonly object[] =>
  columnsOf(r).map(({ name, type = "string", format = "", priority = 0 }) => ({
    name,
    type,
    format,
    description: descriptionOf(r, name),
    priority,
  }));

const table = (metadata: object, rows: readonly object[], definitions: readonly object[] | null, version: string) => ({
  kind: "Table",
  apiVersion: `meta.k8s.io/${version}`,
  metadata,
  columnDefinitions: definitions,
  rows,
});

/** `meta.k8s.io/v1` Table of some objects of one kind. */
export function tableOf(
  r: ResourceDefinition,
  objects: readonly ApiObject[],
  metadata: object,
  options: TableOptions,
): object {
  const rows = objects.map((o) => rowOf(r, o, options));
  return table(metadata, rows, options.headers ? definitionsOf(r) : null, options.version);
}

/** A bookmark as a table: one row with empty cells. */
export function bookmarkTable(r: ResourceDefinition, bookmark: ApiObject, options: TableOptions): object {
  const cells = columnsOf(r).map(({ type = "string" }) => (type === "integer" ? 0 : ""));
  const rows = [{ cells, object: metadataOf(bookmark, options.version) }];
  const { resourceVersion } = bookmark.metadata;
  return table({ resourceVersion }, rows, options.headers ? definitionsOf(r) : null, options.version);
}
