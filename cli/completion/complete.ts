// Completes a command line: finds what the last word is (a command, a flag, the value of a flag, an argument), and what
// it may become. The words are those of `orrery __complete`, in cobra's protocol.
import type { Command, Option } from "commander";
import type { CommandTable } from "../program/command-row.ts";
import { leafOf, listed, loadCommand, optionsOf } from "../program/command-tree.ts";
import { FlagError, type ParsedFlags, parseFlags, splitAtWord } from "../program/flag-parser.ts";
import { list, strings } from "../program/flag-values.ts";
import { type Environment, globalOptions } from "../program/global-flags.ts";
import { argumentSources } from "./argument-sources.ts";
import { flagSource } from "./flag-sources.ts";
import { type Candidate, directives, type Line, nothing, type Offer } from "./offer.ts";

/** A command whose name is complete, or the program. */
interface Place {
  readonly path: string;
  readonly options: readonly Option[];
  readonly subcommands: readonly Candidate[];
  readonly args: readonly string[];
}

const isRepeatable = ({ parseArg }: Option): boolean => [list, strings].some((parser) => parser === parseArg);

/** The flags that may still be set. */
function flagsOf({ options }: Place, values: ReadonlyMap<Option, unknown>): readonly Candidate[] {
  const open = options.filter((option) => !option.hidden && (!values.has(option) || isRepeatable(option)));
  const named = open.flatMap(({ long, short, description }) =>
    [long, short].flatMap((value) => (value ? [{ value, description }] : [])),
  );
  const help = { value: "--help", description: "how the command is used" };
  return [...named, help, { ...help, value: "-h" }];
}

/** Flags that must be set and are not: they are offered like arguments. */
const requiredFlags = ({ options }: Place, values: ReadonlyMap<Option, unknown>): readonly Candidate[] =>
  options
    .filter((option) => option.mandatory && !values.has(option))
    .map(({ long, description }) => ({ value: long!, description }));

interface Parsed extends Pick<ParsedFlags, "values" | "args" | "argsBeforeDash"> {
  /** The flag whose value is completed. */
  readonly open: Option | undefined;
}

/** Parses the words before the last. */
function parsed(args: readonly string[], options: readonly Option[]): Parsed {
  try {
    return { ...parseFlags(args, options), open: undefined };
  } catch (error) {
    if (!(error instanceof FlagError && error.incomplete)) throw error;
    return { ...parseFlags(args.slice(0, -1), options), open: error.incomplete };
  }
}

const attributes = (values: ReadonlyMap<Option, unknown>): Readonly<Record<string, unknown>> =>
  Object.fromEntries([...values].map(([option, value]) => [option.attributeName(), value]));

async function offerAt(place: Place, lastWord: string, environment: Environment): Promise<Offer> {
  const { path, options } = place;
  const isDashed = place.args.includes("--");
  const [, flag, value] = /^(-\w|--[^=]+)=(.*)$/s.exec(isDashed ? "" : lastWord) ?? [];
  const words = flag === undefined ? place.args : [...place.args, flag];
  const { values, args, argsBeforeDash, open } = parsed(words, options);
  // Flags whose values are optional are set only by `--flag=value`.
  const valued = open ?? (flag === undefined ? undefined : options.find((o) => o.long === flag || o.short === flag));
  const line: Line = { path, args, flags: { ...attributes(values), environment }, toComplete: value ?? lastWord };
  if (valued) return matching(await flagSource(path, valued)(line), line.toComplete);
  if (lastWord.startsWith("-") && !isDashed)
    return matching({ candidates: flagsOf(place, values), directive: directives.noFiles }, lastWord);
  const required = requiredFlags(place, values);
  const subcommands = args.length === 0 ? place.subcommands : [];
  const source = argsBeforeDash === undefined ? argumentSources[path] : undefined;
  const offer = (await source?.(line)) ?? nothing;
  return matching({ ...offer, candidates: [...required, ...subcommands, ...offer.candidates] }, lastWord);
}

/** The candidates that begin with the word. After `TYPE/`, `POD:` or `CONTAINER=` no space follows. */
function matching({ candidates, directive }: Offer, toComplete: string): Offer {
  if (directive & directives.extensions) return { candidates, directive };
  const fitting = candidates.filter(({ value }) => value.startsWith(toComplete));
  const isContinued = fitting.length > 0 && fitting.every(({ value }) => /[/:=]$/.test(value));
  return { candidates: fitting, directive: isContinued ? directive | directives.noSpace : directive };
}

const summaries = (commands: readonly Command[]): readonly Candidate[] =>
  commands.map((c) => ({ value: c.name(), description: c.summary() || c.description() }));

/** The command that the words name, or the program. */
async function placeOf(words: readonly string[], table: CommandTable): Promise<Place> {
  const isCommand = (word: string): boolean => Object.hasOwn(table, word) || word === "help";
  const found = splitAtWord(words, globalOptions, isCommand);
  const isHelp = found.word === "help";
  const { word, rest } = isHelp ? splitAtWord(found.rest, globalOptions, isCommand) : found;
  if (word === undefined) {
    const commands = listed(table).map((name) => ({ value: name, description: table[name]!.summary }));
    const help = isHelp ? [] : [{ value: "help", description: "show the help of a command" }];
    return { path: "", options: globalOptions, subcommands: [...commands, ...help], args: rest };
  }
  const row = Object.hasOwn(table, word) ? table[word]! : undefined;
  if (row === undefined) return { path: "", options: [], subcommands: [], args: rest };
  const { leaf, args } = leafOf(await loadCommand(word, row), rest);
  const subcommands = summaries(leaf.commands);
  if (isHelp) return { path: "help", options: [], subcommands, args: [] };
  const names: string[] = [];
  for (let c: Command | null = leaf; c?.parent; c = c.parent) names.unshift(c.name());
  return { path: names.join(" "), options: optionsOf(leaf, row.global), subcommands, args };
}

const text = ({ candidates, directive }: Offer): string => {
  const lines = candidates.map((c) => (c.description ? `${c.value}\t${c.description}` : c.value));
  return [...lines, `:${directive}`, ""].join("\n");
};

/**
 * The output of `orrery __complete WORD...`, whose last word is completed: a candidate and its description a line, and
 * then the directives. Whatever fails offers nothing, as there is no place for errors on a line that is being typed.
 */
export async function complete(
  words: readonly string[],
  table: CommandTable,
  environment: Environment,
): Promise<string> {
  const offer = placeOf(words.slice(0, -1), table).then((place) => offerAt(place, words.at(-1) ?? "", environment));
  return text(await offer.catch(() => nothing));
}
