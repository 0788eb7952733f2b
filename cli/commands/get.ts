// orrery get: lists objects as a table, JSON, YAML or names, once or with every change.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { display, pathOf, query } from "../client/resources.ts";
import { session } from "../client/session.ts";
import { fetchTargets, type Target, type TargetFlags, targetsOf, throwAll } from "../client/targets.ts";
import { CliError } from "../cli-error.ts";
import { type Connection, jsonLines } from "../client/connection.ts";
import { type ServerTable, shownCells, type TableOptions, textTable, widthsOf } from "../printers/table.ts";
import { interruption } from "./cluster-option.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { withFiles, withSelection } from "./object-options.ts";

interface Flags extends GlobalFlags, TargetFlags {
  readonly output?: string;
  readonly watch?: boolean;
  readonly showLabels?: boolean;
}
const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io, application/json";

/** The path of a list or watch. A name becomes a field selector, since only lists can be watched. */
const pathFor = (
  { resource, namespace, name, selection }: Target,
  more: Readonly<Record<string, string | boolean>> = {},
): string => {
  const fieldSelector = name === undefined ? selection?.fieldSelector : `metadata.name=${name}`;
  return pathOf(resource, namespace) + query({ labelSelector: selection?.labelSelector, fieldSelector, ...more });
};

/** Throws ApiError when a named object does not exist. */
async function mustExist(api: Connection, { resource, namespace, name }: Target): Promise<void> {
  if (name !== undefined) await api.get(pathOf(resource, namespace, name));
}

const tableOptions = (flags: Flags, prefix: string): TableOptions => ({
  wide: flags.output === "wide",
  namespaces: flags.allNamespaces === true,
  labels: flags.showLabels === true,
  prefix,
});

/** Prints a table for each target that has objects; false when none has. */
async function printTables(api: Connection, targets: readonly Target[], flags: Flags): Promise<boolean> {
  const several = new Set(targets.map((target) => target.resource)).size > 1;
  const errors: unknown[] = [];
  let any = false;
  for (const target of targets) {
    try {
      await mustExist(api, target);
    } catch (error) {
      errors.push(error);
      continue;
    }
    const { body } = await api.request<ServerTable>({ path: pathFor(target), accept: asTable });
    if (body.rows.length === 0) continue;
    const { header, rows } = shownCells(body, tableOptions(flags, several ? display(target.resource, "") : ""));
    printLine((any && several ? "\n" : "") + textTable(header, rows));
    any = true;
  }
  throwAll(errors);
  return any;
}

/** Prints rows as objects change, under the header of the first ones. */
async function watchTable(api: Connection, target: Target, flags: Flags, signal: AbortSignal): Promise<void> {
  await mustExist(api, target);
  let widths: readonly number[] | undefined;
  let columns: ServerTable["columnDefinitions"] = [];
  const events = jsonLines<{ readonly type: string; readonly object: ServerTable }>(
    api.stream({ path: pathFor(target, { watch: true }), accept: asTable }, signal),
  );
  for await (const { type, object } of events) {
    if (type === "BOOKMARK" || !object.rows) continue;
    // Column definitions come with the first event only.
    columns = object.columnDefinitions?.length ? object.columnDefinitions : columns;
    const { header, rows } = shownCells({ ...object, columnDefinitions: columns }, tableOptions(flags, ""));
    const isFirst = widths === undefined;
    widths ??= widthsOf(header, rows).map((w) => w + 4);
    printLine(textTable(isFirst ? header : [], rows, widths));
  }
}

const formats = ["json", "yaml", "wide", "name"] as const;
type Format = (typeof formats)[number];

/** The output format. Throws CliError for an unknown one. */
function checkFormat(text: string | undefined): Format | undefined {
  if (text === undefined || formats.includes(text as Format)) return text as Format | undefined;
  throw new CliError(`unknown output format "${text}"`, `Choose one of: ${formats.join(", ")}`);
}

/** The object without its managed fields. */
const withoutManagedFields = (o: ApiObject): unknown => {
  const { managedFields: _, ...metadata } = o.metadata;
  return { ...o, metadata };
};

/** A single object, or a List of objects. */
async function printObjects(objects: readonly ApiObject[], format: "json" | "yaml", single: boolean): Promise<string> {
  const items = objects.map(withoutManagedFields);
  const value = single && items.length === 1 ? items[0] : { apiVersion: "v1", kind: "List", items };
  if (format === "json") return `${JSON.stringify(value, null, 2)}\n`;
  return (await import("yaml")).stringify(value, { lineWidth: 0 });
}

const get = async (words: readonly string[], flags: Flags): Promise<void> => {
  const format = checkFormat(flags.output);
  const scope = await session(flags);
  const { api } = scope;
  const targets = await targetsOf(scope, words, flags, { listsTypes: true });
  if (flags.watch) return watchTable(api, targets[0]!, flags, interruption());
  if (format === undefined || format === "wide") {
    if (!(await printTables(api, targets, flags)))
      process.stderr.write(`No resources found${flags.allNamespaces ? "" : ` in ${scope.namespace} namespace`}.\n`);
    return;
  }
  const { found, errors } = await fetchTargets(api, targets);
  if (format === "name") for (const { resource, object } of found) printLine(display(resource, object.metadata.name));
  else if (found.length > 0 || errors.length === 0) {
    const isSingle = targets.length === 1 && targets[0]!.name !== undefined;
    process.stdout.write(
      await printObjects(
        found.map((f) => f.object),
        format,
        isSingle,
      ),
    );
  }
  throwAll(errors);
};

/** Adds `get` to the program. */
export const register = (program: Command): void => {
  withFiles(withSelection(program.command("get [resource] [names...]")))
    .summary("list objects")
    .option("-o, --output <format>", "json, yaml, wide or name")
    .option("-w, --watch", "go on and print every change")
    .option("--show-labels", "with a column of labels")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery get pods -o wide --watch\n  orrery get deploy,svc -A\n  orrery get pod web-1 -o yaml\n  orrery get pods -l app=web",
    )
    .action((resource: string | undefined, names: readonly string[], flags: Flags) =>
      get(resource === undefined ? [] : [resource, ...names], flags),
    );
};
