// orrery get: lists objects as a table, JSON, YAML, names or by a template, once or with every change.
import type { Command } from "commander";
import { hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../client/connection.ts";
import { type ReadOptions, readObjects, readTable } from "../client/lists.ts";
import type { Resource } from "../client/resources.ts";
import { type Moment, momentOf } from "../client/moments.ts";
import { type Session, session } from "../client/session.ts";
import { checkTargets, type Target, targetsOf, throwAll } from "../client/targets.ts";
import { paintFor } from "../printers/color.ts";
import { formatList, getFormats, type ObjectPrinter, objectPrinter } from "../printers/output.ts";
import { rememberingWriter, tableStyle } from "../printers/tab-writer.ts";
import { type ServerTable, tableText } from "../printers/table.ts";
import { integer, list } from "../program/flag-values.ts";
import { clock } from "./cluster-option.ts";
import { type GetFlags, tableOptions } from "./get-flags.ts";
import { withFiles, withSelection } from "./object-options.ts";

const noType = `You must specify the type of resource to get. Use "orrery api-resources" for a complete list of supported resources.

error: Required resource not specified.
Use "orrery explain <resource>" for a detailed description of that resource (e.g. orrery explain pods).
See 'orrery get -h' for help and examples`;

/** Refuses arguments and flags that contradict each other, in kubectl's words. */
function check(args: readonly string[], flags: GetFlags): void {
  const isWatch = flags.watch === true || flags.watchOnly === true;
  const { output = "" } = flags;
  if (flags.raw !== undefined) {
    if (args.length > 0 || flags.filename) throw new CliError("arguments may not be passed when --raw is specified");
    if (isWatch || flags.selector)
      throw new CliError(
        "--raw may not be specified with other flags that filter the server request or alter the output",
      );
    return;
  }
  if (flags.outputWatchEvents && !isWatch)
    throw new CliError("--output-watch-events option can only be used with --watch or --watch-only");
  if (flags.showLabels && output !== "" && output !== "wide")
    throw new CliError(`--show-labels option cannot be used with ${output} printer`);
  if (flags.at !== undefined && (isWatch || flags.subresource))
    throw new CliError("--at reads objects as they were: it cannot be used with --watch or --subresource");
  if (args.length === 0 && !flags.filename && !flags.kustomize) throw new CliError(noType, undefined, { isBare: true });
  checkTargets(args, flags, { listsTypes: true });
}

async function sortedTable(table: ServerTable, field: string | undefined): Promise<ServerTable> {
  if (!field) return table;
  const { sortByField } = await import("../printers/sort.ts");
  return { ...table, rows: sortByField(table.rows, field, (row) => row.object) };
}

/** What was read of targets that follow each other and are of one type. */
interface Group {
  readonly resource: Resource;
  readonly tables: readonly ServerTable[];
}

/** Reads targets one after another; errors are collected. */
async function readAll<T>(
  targets: readonly Target[],
  flags: GetFlags,
  read: (target: Target) => Promise<T>,
): Promise<{ readonly results: readonly (readonly [Target, T])[]; readonly errors: readonly unknown[] }> {
  const outcomes = await Promise.allSettled(targets.map(read));
  const isExpected = (error: unknown): boolean => flags.ignoreNotFound === true && hasReason(error, "NotFound");
  return {
    results: outcomes.flatMap((o, i) => (o.status === "fulfilled" ? [[targets[i]!, o.value] as const] : [])),
    errors: outcomes.flatMap((o) => (o.status === "rejected" && !isExpected(o.reason) ? [o.reason as unknown] : [])),
  };
}

function groupsOf(results: readonly (readonly [Target, ServerTable])[]): readonly Group[] {
  const groups: { resource: Resource; tables: ServerTable[] }[] = [];
  for (const [{ resource }, table] of results) {
    const last = groups.at(-1);
    if (last?.resource === resource) last.tables.push(table);
    else groups.push({ resource, tables: [table] });
  }
  return groups;
}

/** One table of text for each group that has rows, separated by empty lines. */
function groupsText(groups: readonly Group[], flags: GetFlags, isTerminal: boolean): string {
  const showKind = new Set(groups.map(({ resource }) => resource)).size > 1;
  let namespaces = false;
  const texts = groups.flatMap(({ resource, tables }) => {
    // After a namespaced type, cluster-scoped ones have the column, too.
    namespaces ||= flags.allNamespaces === true && resource.namespaced;
    const options = { ...tableOptions(flags, resource, showKind), namespaces };
    const shown = tables.filter((t) => t.rows.length > 0).map((table) => tableText(table, options));
    if (shown.length === 0) return [];
    const { header } = shown[0]!;
    const write = rememberingWriter(tableStyle, paintFor(header, isTerminal));
    return [write([...(flags.noHeaders ? [] : [header]), ...shown.flatMap(({ rows }) => rows)])];
  });
  return texts.join(flags.noHeaders ? "" : "\n");
}

/** Tells on standard error that nothing was found. */
function reportNothing(targets: readonly Target[], namespace: string): void {
  const isNamespaced = targets.every(({ resource, namespace: own }) => resource.namespaced && own !== undefined);
  const place = isNamespaced ? ` in ${targets[0]?.namespace ?? namespace} namespace.` : "";
  process.stderr.write(`No resources found${place}\n`);
}

async function printTables(
  { api, namespace }: Session,
  targets: readonly Target[],
  flags: GetFlags,
  at: Moment | undefined,
): Promise<void> {
  const options: ReadOptions = {
    at,
    chunkSize: flags.chunkSize,
    subresource: flags.subresource,
    fullObjects: Boolean(flags.sortBy),
    hasServerColumns: flags.serverPrint !== false,
  };
  const { results, errors } = await readAll(targets, flags, async (target) =>
    sortedTable(await readTable(api, target, options), flags.sortBy),
  );
  const text = groupsText(groupsOf(results), flags, process.stdout.isTTY === true);
  process.stdout.write(text);
  throwAll(errors);
  if (text === "" && !flags.ignoreNotFound) reportNothing(targets, namespace);
}

async function printObjects(
  api: Connection,
  targets: readonly Target[],
  { at, ...flags }: Omit<GetFlags, "at"> & { readonly at: Moment | undefined },
  print: ObjectPrinter,
): Promise<void> {
  const { results, errors } = await readAll(targets, flags, (target) => readObjects(api, target, { ...flags, at }));
  let items: readonly ApiObject[] = results.flatMap(([, objects]) => objects);
  if (flags.sortBy) {
    const { sortByField } = await import("../printers/sort.ts");
    items = sortByField(items, flags.sortBy, (item) => item);
  }
  const isSingle = targets.length === 1 && targets[0]!.name !== undefined;
  const isEmpty = items.length === 0 && (isSingle || errors.length > 0 || flags.ignoreNotFound === true);
  const list = { apiVersion: "v1", items, kind: "List", metadata: { resourceVersion: "" } };
  if (!isEmpty) process.stdout.write(print(isSingle ? items[0] : list));
  throwAll(errors);
}

async function printRaw({ api }: Session, path: string): Promise<void> {
  const { signal } = new AbortController();
  for await (const chunk of api.stream({ path }, signal)) process.stdout.write(chunk);
}

async function get(args: readonly string[], flags: GetFlags): Promise<void> {
  check(args, flags);
  if (flags.raw !== undefined) return printRaw(await session(flags), flags.raw);
  const isTable = !flags.template && ["", "wide"].includes(flags.output ?? "");
  const print = isTable ? undefined : await objectPrinter(flags, getFormats);
  if (flags.sortBy) (await import("../printers/sort.ts")).fieldTemplate(flags.sortBy);
  const scope = await session(flags);
  const targets = await targetsOf(scope, args, flags, { listsTypes: true });
  if (flags.watch || flags.watchOnly) {
    const { watch } = await import("./get-watch.ts");
    return watch(scope.api, targets, flags, print);
  }
  const at = flags.at === undefined ? undefined : await momentOf(scope.api, flags.at, clock.now());
  return print ? printObjects(scope.api, targets, { ...flags, at }, print) : printTables(scope, targets, flags, at);
}

const examples = `
Examples:
  orrery get pods -o wide --watch
  orrery get deploy,svc -A
  orrery get pod web-1 -o yaml
  orrery get pods --at 10m
  orrery get pods -l app=web --sort-by=.status.startTime
  orrery get pods -o jsonpath='{.items[*].metadata.name}'
  orrery get nodes -o custom-columns=NAME:.metadata.name,CPU:.status.capacity.cpu`;

/** Adds `get` to the program. */
export const register = (program: Command): void => {
  withFiles(withSelection(program.command("get [args...]").usage("[options] (TYPE [NAME...] | TYPE/NAME...)")))
    .option("-o, --output <format>", `one of: ${formatList(getFormats)}`)
    .option("--template <text>", "the template of the output format")
    .option("--allow-missing-template-keys", "print nothing for fields that an object lacks", true)
    .option("-w, --watch", "list, then print every change")
    .option("--watch-only", "print changes without listing first")
    .option("--output-watch-events", "with the type of each change")
    .option("--show-labels", "with a column of labels")
    .option("-L, --label-columns <labels>", "with a column for each of these labels", list)
    .option("--show-kind", "with the type before each name")
    .option("--no-headers", "without the line of column names")
    .option("--sort-by <path>", "sort by a field, such as .metadata.creationTimestamp")
    .option("--show-managed-fields", "keep metadata.managedFields in the output")
    .option("--chunk-size <number>", "how many objects to read in one request; 0 reads all at once", integer, 500)
    .option("--ignore-not-found", "exit with 0 when a named object does not exist")
    .option("--subresource <name>", "a subresource, such as status or scale")
    .option("--server-print", "let the server make the columns", true)
    .option("--at <moment>", "as it was: how long ago (10m), a time (RFC 3339) or a revision")
    .option("--raw <path>", "print the response of this path of the API")
    .addHelpText("after", examples)
    .action((args: readonly string[], flags: GetFlags & { readonly headers?: boolean }) =>
      get(args, { ...flags, noHeaders: flags.headers === false }),
    );
};
