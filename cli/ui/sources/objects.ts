// Reads the objects of a type as the table that the server makes, and watches their changes.
import { type ApiObject, instantOf } from "../../../api/meta.ts";
import { CliError } from "../../cli-error.ts";
import { asTable, readTable, tableOf } from "../../client/lists.ts";
import { selectorOf } from "../../client/pods-of.ts";
import type { Resource } from "../../client/resources.ts";
import type { Target } from "../../client/targets.ts";
import { changesOf } from "../../client/watch.ts";
import { type ServerTable, type TableRow, tableText } from "../../printers/table.ts";
import { printable } from "../cells.ts";
import type { Column, Row, RowsUpdate } from "../list.ts";
import type { ObjectsSource } from "../state.ts";
import { batches, type Reading, refPath } from "./source.ts";

/** How long a watch lasts, in seconds: a connection that was lost without a word is noticed then. */
const watchSeconds = 300;

/** The columns of a Table; with the namespace, where objects of several are shown. */
export function columnsOf(table: ServerTable, withNamespace: boolean): readonly Column[] {
  const { header } = tableText(table, { wide: true, namespaces: withNamespace });
  const hidden = [...(withNamespace ? [false] : []), ...table.columnDefinitions.map(({ priority }) => priority > 0)];
  return header.map((title, i) => ({ title, ...(hidden[i] ? { isWide: true } : {}) }));
}

/** The rows of a Table. */
export function rowsOf(table: ServerTable, withNamespace: boolean): readonly Row[] {
  const { rows } = tableText(table, { wide: true, namespaces: withNamespace });
  return table.rows.map(({ object, cells }: TableRow, i) => {
    const { name = String(cells[0] ?? ""), namespace, creationTimestamp } = object?.metadata ?? {};
    return {
      id: `${namespace ?? ""}/${name}`,
      name,
      namespace,
      cells: rows[i]!.map(printable),
      ...(creationTimestamp ? { created: instantOf(creationTimestamp) } : {}),
    };
  });
}

async function targetOf(source: ObjectsSource, { session }: Reading): Promise<Target> {
  const { resource, namespace, labelSelector, fieldSelector, podsOf } = source;
  if (podsOf === undefined)
    return { resource, namespace, name: undefined, selection: { labelSelector, fieldSelector } };
  const workload = await session.api.get<ApiObject & { readonly spec?: unknown }>(refPath(podsOf));
  const selector = selectorOf(workload, "list the pods of");
  if (selector === "") throw new CliError(`${podsOf.resource.singular}/${podsOf.name} selects no pods`);
  return { resource, namespace, name: undefined, selection: { labelSelector: selector, fieldSelector } };
}

const isWatched = ({ verbs }: Resource): boolean => verbs.length === 0 || verbs.includes("watch");

/** Publishes all objects and then their changes, until the watch ends. Throws ApiError or CliError. */
export async function readObjects(source: ObjectsSource, reading: Reading): Promise<void> {
  const { session, signal, publish } = reading;
  const target = await targetOf(source, reading);
  const withNamespace = source.resource.namespaced && source.namespace === undefined;
  const table = await readTable(session.api, target, { chunkSize: 500 });
  let { columnDefinitions } = table;
  const rows = rowsOf(table, withNamespace);
  publish({ type: "rows", update: { columns: columnsOf(table, withNamespace), changes: rows, replaces: true } });
  if (!isWatched(source.resource)) return;
  const changes = batches<RowsUpdate["changes"][number]>(reading, (all) =>
    publish({ type: "rows", update: { changes: all, replaces: false } }),
  );
  const parameters = { resourceVersion: table.resourceVersion, timeoutSeconds: watchSeconds };
  const options = { parameters, accept: asTable, timeoutMs: (watchSeconds + 30) * 1000 };
  for await (const { type, object } of changesOf(session.api, target, options, signal)) {
    const changed = tableOf(object);
    // Column definitions come with the first event only.
    if (changed.columnDefinitions.length > 0) columnDefinitions = changed.columnDefinitions;
    for (const row of rowsOf({ columnDefinitions, rows: changed.rows }, withNamespace))
      changes.add(type === "DELETED" ? { id: row.id, isGone: true } : row);
  }
  changes.flush();
}
