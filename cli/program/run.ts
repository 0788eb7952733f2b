// Runs a command: finds its name among the arguments, loads its file only, parses its flags, calls its action.
import { Command } from "commander";
import { CliError } from "../cli-error.ts";
import type { CommandRow, CommandTable } from "./command-row.ts";
import { FlagError, type ParsedFlags, parseFlags, splitAtWord } from "./flag-parser.ts";
import { type Environment, globalOptions } from "./global-flags.ts";
import { helpText } from "./help.ts";
import { similar } from "./suggestions.ts";

const newProgram = (): Command =>
  new Command("orrery")
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .helpCommand(false);

/** Loads the file of a command and adds it to the program. */
async function load(program: Command, name: string, { load: open, summary }: CommandRow): Promise<void> {
  (await open()).register(program);
  const command = program.commands.find((c) => c.name() === name);
  if (command && command.summary() === "") command.summary(summary);
  if (command && command.description() === "") command.description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`);
}

const didYouMean = (names: readonly string[]): string | undefined =>
  names.length === 0 ? undefined : `\nDid you mean this?\n${names.map((name) => `\t${name}`).join("\n")}`;

const listed = (table: CommandTable): readonly string[] =>
  Object.keys(table).filter((name) => table[name]!.summary !== "");

const pathTo = (command: Command): string =>
  command.parent ? `${pathTo(command.parent)} ${command.name()}` : command.name();

/** The subcommand that the arguments name, and the arguments without its name. Throws CliError for unknown ones. */
function leafOf(
  command: Command,
  args: readonly string[],
): { readonly leaf: Command; readonly args: readonly string[] } {
  if (command.commands.length === 0) return { leaf: command, args };
  const named = (word: string): Command | undefined =>
    command.commands.find((c) => c.name() === word || c.aliases().includes(word));
  const { word, rest } = splitAtWord(args, [...command.options, ...globalOptions], (arg) => named(arg) !== undefined);
  const sub = word === undefined ? undefined : named(word);
  if (sub) return leafOf(sub, rest);
  // A command may have an action beside its subcommands, as `create -f` has.
  if (word === undefined || command.registeredArguments.length > 0) return { leaf: command, args };
  const near = similar(
    word,
    command.commands.map((c) => c.name()),
  );
  throw new CliError(
    `unknown command "${word}"`,
    near.length > 0
      ? `Did you mean: ${pathTo(command)} ${near[0]}?`
      : `See '${pathTo(command)} -h' for help and examples`,
  );
}

/** Parses the flags of a command. Throws CliError with pflag's words and what was probably meant. */
function parse(leaf: Command, args: readonly string[], global: boolean): ParsedFlags {
  const shadows = (name: string | undefined): boolean =>
    name !== undefined && leaf.options.some(({ short, long }) => short === name || long === name);
  const outer = global ? globalOptions.filter(({ long }) => !shadows(long)) : [];
  const options = [...leaf.options, ...outer];
  try {
    return parseFlags(args, options);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    const [, flag = ""] = /^unknown flag: (--.*)$/.exec(error.message) ?? [];
    const near =
      flag === ""
        ? []
        : similar(
            flag,
            options.flatMap(({ long }) => long ?? []),
          );
    const advice = near.length > 0 ? `Did you mean ${near[0]}? ` : "";
    throw new CliError(error.message, `${advice}See '${pathTo(leaf)} --help' for usage.`);
  }
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
  if (parsed.wantsHelp || isGroup) return void process.stdout.write(leaf.helpInformation());
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
  const program = newProgram();
  if (row.loadsAll) for (const [name, other] of Object.entries(table)) await load(program, name, other);
  else await load(program, word!, row);
  const command = program.commands.find((c) => c.name() === word)!;
  await execute(command, isHelp ? [...rest, "--help"] : rest, row, environment);
}
