// What commands that change objects print: `deployment.apps/web created (dry run)`, or the object with `-o`.
import type { Command } from "commander";
import { type ObjectPrinter, nameOf, formatList, objectPrinter, type OutputFlags } from "../printers/output.ts";
import { orderedJson } from "../generators/ordered-json.ts";
import { boolean } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { type DryRun, dryRunOf, dryRunOption, dryRunSuffix } from "./dry-run.ts";

export interface ResultFlags extends GlobalFlags, OutputFlags {
  readonly dryRun?: string;
}

/** Adds the options of the output format. */
export const withOutput = (command: Command): Command =>
  command
    .option("-o, --output <format>", `print the object: ${formatList()}`)
    .option("--template <text>", "the template of the output format")
    .option("--allow-missing-template-keys [bool]", "print nothing for fields that are missing in a template", boolean)
    .option("--show-managed-fields", "keep metadata.managedFields in the output");

/** Adds the options of the output format and of the dry run. */
export const withResult = (command: Command): Command => withOutput(command).addOption(dryRunOption());

/** Prints the results of a command. */
export interface Results {
  readonly dryRun: DryRun;
  /** The query parameter of requests. */
  readonly dryRunParameter: "All" | undefined;
  /** Prints what was done to an object, such as `created`. */
  print(object: object, operation: string): void;
}

/** A printer that keeps the order of keys, as kubectl prints objects that it has generated. */
const orderedPrinter: ObjectPrinter = (object) => `${orderedJson(object, 4)}\n`;

/** Checks the flags. Throws CliError in kubectl's words. `isGenerated`: a client-side dry run prints our object. */
export async function resultsOf(flags: ResultFlags, { isGenerated = false } = {}): Promise<Results> {
  const dryRun = dryRunOf(flags.dryRun);
  const keepsOrder = isGenerated && dryRun === "client" && flags.output === "json";
  const hasFormat = Boolean(flags.output || flags.template);
  const printer = keepsOrder ? orderedPrinter : hasFormat ? await objectPrinter(flags) : undefined;
  const line = (object: object, operation: string): string => `${nameOf(object)} ${operation}${dryRunSuffix(dryRun)}\n`;
  return {
    dryRun,
    dryRunParameter: dryRun === "server" ? "All" : undefined,
    print: (object, operation) =>
      void process.stdout.write(printer === undefined ? line(object, operation) : printer(object)),
  };
}
