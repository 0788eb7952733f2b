// Runs a command: finds its name among the arguments, loads its file only, parses its flags, calls its action.
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import type { CommandRow, CommandTable } from "./command-row.ts";
import { helpOf, leafOf, listed, loadCommand, newProgram, optionsOf, pathTo } from "./command-tree.ts";
import { FlagError, type ParsedFlags, parseFlags, splitAtWord } from "./flag-parser.ts";
import { type Environment, globalOptions } from "./global-flags.ts";
import { helpText } from "./help.ts";
import { similar } from "./suggestions.ts";

const didYouMean = (names: readonly string[]): string | undefined =>
  names.length === 0 ? undefined : `\nDid you mean this?\n${names.map((name) => `\t${name}`).join("\n")}`;

/** Parses the flags of a command. Throws CliError with pflag's words and what was probably meant. */
function parse(leaf: Command, args: readonly string[], global: boolean): ParsedFlags {
  const options = optionsOf(leaf, global);
  try {
    return parseFlags(args, options);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    const [, flag = ""] = /^unknown flag: (--.*)$/.exec(error.message) ?? [];
    const near =
      flag === ""
        ? []
        : similar(
            flag.slice(2),
            options.flatMap(({ long }) => long?.slice(2) ?? []),
          );
    const advice = near.length > 0 ? `Did you mean --${near[0]}? ` : "";
    // The exit code 1 of diff means that objects differ.
    const exitCode = leaf.name() === "diff" ? 2 : 1;
    throw new CliError(error.message, `${advice}See '${pathTo(leaf)} --help' for usage.`, { exitCode });
  }
}

/** Prints the help of a command whose subcommand is missing: where kubectl prints it, with kubectl's exit code. */
function printUsage(group: Command, isGlobal: boolean): void {
  const isResult = ["rollout", "certificate"].includes(group.name());
  (isResult ? process.stdout : process.stderr).write(helpOf(group, isGlobal));
  process.exitCode = group.name() === "certificate" ? 0 : 1;
}

async function execute(
  command: Command,
  argsOfCommand: readonly string[],
  row: CommandRow,
  environment: Environment,
): Promise<void> {
  const { leaf, args } = leafOf(command, argsOfCommand);
  const parsed = parse(leaf, args, row.global);
  const isGroup = leaf.commands.length > 0 && leaf.registeredArguments.length === 0 && leaf.options.length === 0;
  if (parsed.wantsHelp) return void process.stdout.write(helpOf(leaf, row.global));
  if (isGroup) return printUsage(leaf, row.global);
  const missing = leaf.options.filter((option) => option.mandatory && !parsed.values.has(option));
  if (missing.length > 0)
    throw new CliError(`required flag(s) ${missing.map((o) => JSON.stringify(o.name())).join(", ")} not set`);
  for (const [option, value] of parsed.values) leaf.setOptionValueWithSource(option.attributeName(), value, "cli");
  leaf.setOptionValueWithSource("environment", environment, "cli");
  leaf.setOptionValueWithSource("argsBeforeDash", parsed.argsBeforeDash, "cli");
  await leaf.parseAsync(["--", ...parsed.args], { from: "user" });
}

/** Runs the command that the arguments name. Throws what the command throws, and CliError for bad usage. */
export async function run(args: readonly string[], table: CommandTable, environment: Environment): Promise<void> {
  const isCommand = (word: string): boolean => Object.hasOwn(table, word) || word === "help";
  const found = splitAtWord(args, globalOptions, isCommand);
  const isHelp = found.word === "help";
  const { word, rest } = isHelp ? splitAtWord(found.rest, globalOptions, isCommand) : found;
  const row = word !== undefined && Object.hasOwn(table, word) ? table[word] : undefined;
  if (word !== undefined && row === undefined)
    throw new CliError(
      `unknown command "${word}" for "orrery"`,
      didYouMean(similar(word, listed(table))) ?? "See 'orrery --help' for the commands.",
    );
  if (row === undefined) {
    // Flags without a command are either a wish for help or mistakes.
    const { wantsHelp } = parse(newProgram(), rest, true);
    if (args.length > 0 && !wantsHelp && !isHelp)
      throw new CliError("say which command to run", "See 'orrery --help' for the commands.");
    return void process.stdout.write(helpText(table));
  }
  await execute(await loadCommand(word!, row), isHelp ? [...rest, "--help"] : rest, row, environment);
}
