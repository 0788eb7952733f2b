// orrery get: lists objects as a table, or as themselves, once or as they change.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { type Connection, jsonLines } from "../api/connection.ts";
import { display, pathOf, type Wanted, wantedBy } from "../api/resources.ts";
import { checkFormat, printObjects } from "../printers/output.ts";
import { type ServerTable, shownCells, textTable, widthsOf } from "../printers/table.ts";
import { interruption } from "./cluster-option.ts";
import { namespaceOf, type ObjectFlags, query, selectionOf, session, withSelection } from "./object-options.ts";

interface Flags extends ObjectFlags {
  readonly output?: string;
  readonly watch?: boolean;
  readonly showLabels?: boolean;
}
const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io, application/json";

/** A name is asked for as a field, so that a watch of one object is a watch like any other. */
const pathFor = (
  { resource, name }: Wanted,
  flags: Flags,
  more: Readonly<Record<string, string | boolean>> = {},
): string => {
  const selection = selectionOf(flags);
  const named = name === undefined ? selection.fieldSelector : `metadata.name=${name}`;
  return pathOf(resource, namespaceOf(flags)) + query({ ...selection, fieldSelector: named, ...more });
};

/** Objects named one by one are missed when they are not there; a list may be empty. */
async function mustExist(api: Connection, { resource, name }: Wanted, flags: Flags): Promise<void> {
  if (name !== undefined) await api.ask({ path: pathOf(resource, namespaceOf(flags), name) });
}

interface List {
  readonly items: readonly ApiObject[];
}
async function objectsOf(api: Connection, wanted: Wanted, flags: Flags): Promise<readonly ApiObject[]> {
  if (wanted.name !== undefined)
    return [(await api.ask<ApiObject>({ path: pathOf(wanted.resource, namespaceOf(flags), wanted.name) })).body];
  const { body } = await api.ask<List & { readonly kind: string; readonly apiVersion: string }>({
    path: pathFor(wanted, flags),
  });
  return body.items.map((o) => ({
    ...o,
    apiVersion: o.apiVersion ?? body.apiVersion,
    kind: o.kind ?? body.kind.replace(/List$/, ""),
  }));
}

async function printTables(api: Connection, all: readonly Wanted[], flags: Flags): Promise<boolean> {
  const several = all.length > 1 && new Set(all.map((w) => w.resource)).size > 1;
  let any = false;
  for (const wanted of all) {
    await mustExist(api, wanted, flags);
    const { body } = await api.ask<ServerTable>({ path: pathFor(wanted, flags), accept: asTable });
    if (body.rows.length === 0) continue;
    const prefix = several ? display(wanted.resource, "") : "";
    const { header, rows } = shownCells(body, {
      wide: flags.output === "wide",
      namespaces: flags.allNamespaces === true,
      labels: flags.showLabels === true,
      prefix,
    });
    process.stdout.write(`${any && several ? "\n" : ""}${textTable(header, rows)}\n`);
    any = true;
  }
  return any;
}

/** Rows as they change, under the header of the first ones. */
async function watchTable(api: Connection, wanted: Wanted, flags: Flags, signal: AbortSignal): Promise<void> {
  await mustExist(api, wanted, flags);
  const options = {
    wide: flags.output === "wide",
    namespaces: flags.allNamespaces === true,
    labels: flags.showLabels === true,
    prefix: "",
  };
  let widths: readonly number[] | undefined;
  let columns: ServerTable["columnDefinitions"] = [];
  const events = jsonLines<{ readonly type: string; readonly object: ServerTable }>(
    api.stream({ path: pathFor(wanted, flags, { watch: true }), accept: asTable }, signal),
  );
  for await (const { type, object } of events) {
    if (type === "BOOKMARK" || !object.rows) continue;
    // Column definitions come with the first event only.
    columns = object.columnDefinitions?.length ? object.columnDefinitions : columns;
    const { header, rows } = shownCells({ ...object, columnDefinitions: columns }, options);
    const isFirst = widths === undefined;
    widths ??= widthsOf(header, rows).map((w) => w + 4);
    process.stdout.write(`${textTable(isFirst ? header : [], rows, widths)}\n`);
  }
}

const get = async (words: readonly string[], flags: Flags): Promise<void> => {
  const format = checkFormat(flags.output);
  const { api, resources } = await session(flags);
  const wanted = wantedBy(words, resources);
  if (flags.watch) return watchTable(api, wanted[0]!, flags, interruption());
  if (format === undefined || format === "wide") {
    if (!(await printTables(api, wanted, flags)))
      process.stderr.write(
        `No resources found${flags.allNamespaces ? "" : ` in ${flags.namespace ?? "default"} namespace`}.\n`,
      );
    return;
  }
  const found = await Promise.all(wanted.map(async (w) => ({ wanted: w, objects: await objectsOf(api, w, flags) })));
  if (format === "name")
    for (const { wanted: w, objects } of found)
      for (const o of objects) process.stdout.write(`${display(w.resource, o.metadata.name)}\n`);
  else
    process.stdout.write(
      printObjects(
        found.flatMap((f) => f.objects),
        format,
        wanted.length === 1 && wanted[0]!.name !== undefined,
      ),
    );
};

/** Adds `get` to the program. */
export const register = (program: Command): void => {
  withSelection(program.command("get <resource> [names...]"))
    .summary("list objects")
    .option("-o, --output <format>", "json, yaml, wide or name")
    .option("-w, --watch", "go on and print every change")
    .option("--show-labels", "with a column of labels")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery get pods -o wide --watch\n  orrery get deploy,svc -A\n  orrery get pod web-1 -o yaml\n  orrery get pods -l app=web",
    )
    .action((resource: string, names: readonly string[], flags: Flags) => get([resource, ...names], flags));
};
