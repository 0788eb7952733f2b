// orrery get --watch: prints objects, and then every change of them.
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../client/connection.ts";
import { asTable, readTable, requestPath, tableOf, withKind } from "../client/lists.ts";
import type { Target } from "../client/targets.ts";
import { changesOf } from "../client/watch.ts";
import { paintFor } from "../printers/color.ts";
import type { ObjectPrinter } from "../printers/output.ts";
import { rememberingWriter, tableStyle } from "../printers/tab-writer.ts";
import { type ServerTable, tableText } from "../printers/table.ts";
import { interruption } from "./cluster-option.ts";
import { type GetFlags, tableOptions } from "./get-flags.ts";

interface ObjectList {
  readonly items: readonly ApiObject[];
  readonly metadata: { readonly resourceVersion: string };
}
/** The column of types is as wide as `MODIFIED`. */
const widestType = 8;

/** A list with a selection of one name: only lists can be watched. */
const watched = (target: Target): Target =>
  target.name === undefined
    ? target
    : {
        ...target,
        name: undefined,
        selection: { labelSelector: undefined, fieldSelector: `metadata.name=${target.name}` },
      };

/** Throws ApiError when a named object does not exist. */
async function mustExist(api: Connection, target: Target): Promise<void> {
  if (target.name !== undefined) await api.get(requestPath(target, {}));
}

async function watchTable(api: Connection, target: Target, flags: GetFlags): Promise<void> {
  const columns = tableOptions(flags, target.resource, false);
  let write: ReturnType<typeof rememberingWriter> | undefined;
  const print = (table: ServerTable, type: string): void => {
    const { header, rows } = tableText(
      table,
      flags.outputWatchEvents ? { ...columns, event: type.padEnd(widestType) } : columns,
    );
    if (rows.length === 0) return;
    const head = write === undefined && !flags.noHeaders ? [header] : [];
    write ??= rememberingWriter(tableStyle, paintFor(header, process.stdout.isTTY === true));
    process.stdout.write(write([...head, ...rows]));
  };
  const first = await readTable(api, watched(target), { chunkSize: 0 });
  if (first.rows.length === 0) await mustExist(api, target);
  if (!flags.watchOnly) print(first, "ADDED");
  let { columnDefinitions } = first;
  const options = { parameters: { resourceVersion: first.resourceVersion }, accept: asTable };
  for await (const { type, object } of changesOf(api, watched(target), options, interruption())) {
    const table = tableOf(object);
    // Column definitions come with the first event only.
    if (table.columnDefinitions.length > 0) columnDefinitions = table.columnDefinitions;
    print({ columnDefinitions, rows: table.rows }, type);
  }
}

async function watchObjects(api: Connection, target: Target, flags: GetFlags, print: ObjectPrinter): Promise<void> {
  const shown = (type: string, object: ApiObject): unknown => {
    const complete = withKind(object, target.resource);
    return flags.outputWatchEvents ? { type, object: complete } : complete;
  };
  const { items, metadata } = await api.get<ObjectList>(requestPath(watched(target), {}));
  if (items.length === 0) await mustExist(api, target);
  if (!flags.watchOnly) {
    const initial = items.map((object) => shown("ADDED", object));
    // Columns are aligned over all of them.
    const areColumns = flags.output?.startsWith("custom-columns");
    const texts = areColumns ? [print({ kind: "List", items: initial })] : initial.map(print);
    process.stdout.write(texts.join(""));
  }
  const { resourceVersion } = metadata;
  const options = { parameters: { resourceVersion }, accept: "application/json" };
  for await (const { type, object } of changesOf<ApiObject>(api, watched(target), options, interruption()))
    process.stdout.write(print(shown(type, object)));
}

/** Prints a target and its changes until the server ends the watch or the user interrupts it. */
export async function watch(
  api: Connection,
  targets: readonly Target[],
  flags: GetFlags,
  print: ObjectPrinter | undefined,
): Promise<void> {
  if (new Set(targets.map(({ resource }) => resource)).size > 1)
    throw new CliError("you may only specify a single resource type");
  const [target] = targets;
  if (target === undefined || targets.length > 1)
    throw new CliError(
      `watch is only supported on individual resources and resource collections - ${targets.length} resources were found`,
    );
  await (print ? watchObjects(api, target, flags, print) : watchTable(api, target, flags));
}
