// Loads the file of one command, and finds its subcommands and options.
import { Command, type Option } from "commander";
import { CliError } from "../cli-error.ts";
import type { CommandRow, CommandTable } from "./command-row.ts";
import { splitAtWord } from "./flag-parser.ts";
import { globalOptions } from "./global-flags.ts";
import { similar } from "./suggestions.ts";

/** The program without commands. It throws instead of ending the process. */
export const newProgram = (): Command =>
  new Command("orrery")
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .helpOption("-h, --help", "show this help")
    .configureHelp({
      subcommandTerm: (command) => command.name(),
      optionDescription: ({ description, defaultValue }) =>
        [undefined, -1].includes(defaultValue as number)
          ? description
          : `${description} (default: ${JSON.stringify(defaultValue)})`,
    })
    .helpCommand(false);

/** Loads the file of a command. */
export async function loadCommand(name: string, { load, summary }: CommandRow): Promise<Command> {
  const program = newProgram();
  (await load()).register(program);
  const command = program.commands.find((c) => c.name() === name)!;
  if (command.summary() === "") command.summary(summary);
  return command;
}

/** The help of a command. */
export function helpOf(command: Command, isGlobal: boolean): string {
  const summary = command.summary();
  if (command.description() === "") command.description(`${summary[0]?.toUpperCase() ?? ""}${summary.slice(1)}.`);
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.helpCommand(false).outputHelp();
  return isGlobal ? `${text}\nUse "orrery options" for the flags of all commands about objects.\n` : text;
}

/** The commands of the help. */
export const listed = (table: CommandTable): readonly string[] =>
  Object.keys(table).filter((name) => table[name]!.summary !== "");

/** `orrery rollout status`. */
export const pathTo = (command: Command): string =>
  command.parent ? `${pathTo(command.parent)} ${command.name()}` : command.name();

/** A command without subcommands that were named, and its arguments. */
export interface Leaf {
  readonly leaf: Command;
  readonly args: readonly string[];
}

/** The subcommand that the arguments name, and the arguments without its name. Throws CliError for unknown ones. */
export function leafOf(command: Command, args: readonly string[]): Leaf {
  if (command.commands.length === 0) return { leaf: command, args };
  const named = (word: string): Command | undefined =>
    command.commands.find((c) => c.name() === word || c.aliases().includes(word));
  const { word, rest } = splitAtWord(args, [...command.options, ...globalOptions], (arg) => named(arg) !== undefined);
  const sub = word === undefined ? undefined : named(word);
  if (sub) return leafOf(sub, rest);
  // A command may have an action beside its subcommands, as `create -f` has.
  if (word === undefined || command.registeredArguments.length > 0) return { leaf: command, args };
  const [near] = similar(
    word,
    command.commands.map((c) => c.name()),
  );
  throw new CliError(
    `unknown command "${word}"`,
    near === undefined
      ? `See '${pathTo(command)} -h' for help and examples`
      : `Did you mean: ${pathTo(command)} ${near}?`,
  );
}

/** The options of a command, with the global ones that it does not redefine if it accepts them. */
export function optionsOf(leaf: Command, global: boolean): readonly Option[] {
  if (!global) return leaf.options;
  const own = new Set(leaf.options.flatMap(({ short, long }) => [short, long]));
  return [...leaf.options, ...globalOptions.filter(({ long }) => !own.has(long))];
}
