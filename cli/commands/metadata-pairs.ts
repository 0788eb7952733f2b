// What `label` and `annotate` share: arguments, overwriting, and the result.
import type { Command } from "commander";
import { sameJson } from "../../api/hash.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import {
  changedPairs,
  checkOverwrite,
  type PairChanges,
  pairChanges,
  splitChanges,
} from "../generators/metadata-pairs.ts";
import { printLine } from "../program/output.ts";
import { type ModifyFlags, modify, withModification } from "./modify.ts";

interface Flags extends ModifyFlags {
  readonly overwrite?: boolean;
  readonly list?: boolean;
  readonly resourceVersion?: string;
}
/** One of the two commands. */
export interface PairCommand {
  readonly verb: "label" | "annotate";
  readonly what: "label" | "annotation";
  readonly field: "labels" | "annotations";
  readonly example: string;
}

/** What happened to labels; removal without other changes makes an object smaller. */
function labeled(before: ApiObject, after: ApiObject, overwrite: boolean): string {
  if (before === after) return "not labeled";
  return !overwrite && JSON.stringify(after).length < JSON.stringify(before).length ? "unlabeled" : "labeled";
}

interface Pairs {
  readonly resources: readonly string[];
  readonly changes: PairChanges;
}

/** Checks arguments and flags. Throws CliError in kubectl's words; nothing has been sent. */
function parse(args: readonly string[], flags: Flags, { what }: PairCommand): Pairs {
  const { resources, changes } = splitChanges(args, what);
  if (flags.list && flags.output) throw new CliError("--list and --output may not be specified together");
  if (resources.length === 0 && !flags.filename?.length && !flags.kustomize)
    throw new CliError("one or more resources must be specified as <resource> <name> or <resource>/<name>");
  if (changes.length === 0 && !flags.list) throw new CliError(`at least one ${what} update is required`);
  if (flags.local && resources.length > 0)
    throw new CliError("can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set");
  const isSingle = resources.length < 3 && !flags.all && !flags.selector && !flags.fieldSelector;
  if (flags.resourceVersion && !isSingle)
    throw new CliError("--resource-version may only be used with a single resource");
  return { resources, changes: pairChanges(changes, what) };
}

/** Prints the pairs instead of changing them. */
function printPairs(object: ApiObject, pairs: Readonly<Record<string, string>>, isSingle: boolean, what: string): void {
  const group = object.apiVersion?.includes("/") ? object.apiVersion.split("/")[0] : "";
  if (!isSingle) printLine(`Listing ${what}s for ${object.kind}.${group}/${object.metadata.name}:`);
  for (const [key, value] of Object.entries(pairs).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    printLine(`${isSingle ? "" : " "}${key}=${value}`);
}

async function run(args: readonly string[], flags: Flags, pair: PairCommand): Promise<void> {
  const { verb, what, field } = pair;
  const { resources, changes } = parse(args, flags, pair);
  const overwrite = flags.overwrite === true;
  const change = (object: ApiObject): ApiObject => {
    const before = object.metadata[field] ?? {};
    const after = changedPairs(before, changes);
    if (flags.list) {
      printPairs(object, after, resources.length < 3, what);
      return object;
    }
    if (!overwrite) checkOverwrite(before, changes, what);
    if (what === "label" && !flags.local)
      for (const key of changes.remove) if (!(key in before)) printLine(`label "${key}" not found.`);
    if (what === "label" && sameJson(before, after)) return object;
    const { [field]: _, ...metadata } = object.metadata;
    const resourceVersion = flags.resourceVersion ? { resourceVersion: flags.resourceVersion } : {};
    return { ...object, metadata: { ...metadata, [field]: after, ...resourceVersion } } as ApiObject;
  };
  const operation =
    verb === "label" ? (before: ApiObject, after: ApiObject) => labeled(before, after, overwrite) : "annotated";
  await modify(resources, flags, { change, operation, printsUnchanged: flags.list !== true });
}

const withFieldSelection = (command: Command): Command =>
  command
    .option("-A, --all-namespaces", "objects of all namespaces")
    .option("--field-selector <fields>", "objects with these fields, such as status.phase=Running");

/** Adds `label` or `annotate` to the program. */
export function addPairCommand(program: Command, pair: PairCommand): void {
  withModification(
    withFieldSelection(
      program.command(`${pair.verb} [args...]`).usage("[options] (TYPE NAME... | TYPE/NAME...) (KEY=VALUE | KEY-)..."),
    ),
    `kubectl-${pair.verb}`,
  )
    .option("--overwrite", `replace ${pair.field} that have another value`)
    .option("--list", `print the ${pair.field}`)
    .option("--resource-version <version>", "only if the object still has this version")
    .addHelpText("after", `\nExamples:\n  ${pair.example}`)
    .action((args: readonly string[], flags: Flags) => run(args, flags, pair));
}
