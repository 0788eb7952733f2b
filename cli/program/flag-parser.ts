// Parses arguments by the rules of pflag, over the options of a commander command: `-n=ux`, `-nux`, `-n ux`, `-it`,
// `--flag=value`, `--wait=false`, flags between arguments, `--`.
import { InvalidArgumentError, type Option } from "commander";
import { boolean } from "./flag-values.ts";

/** A flag that pflag would refuse. */
export class FlagError extends Error {
  /** The option whose argument is missing. */
  readonly incomplete: Option | undefined;
  constructor(message: string, incomplete?: Option) {
    super(message);
    this.incomplete = incomplete;
  }
}

/** The flags and arguments of a command. */
export interface ParsedFlags {
  readonly values: ReadonlyMap<Option, unknown>;
  readonly args: readonly string[];
  /** The number of arguments before `--`; undefined without one. */
  readonly argsBeforeDash: number | undefined;
  readonly wantsHelp: boolean;
}

const isBoolean = (option: Option): boolean => !option.required && !option.optional;

/** The name of an option in error messages: `-n, --namespace`. */
const display = (option: Option): string => [option.short, option.long].filter((name) => name).join(", ");

function parsedValue(option: Option, text: string, previous: unknown): unknown {
  try {
    if (isBoolean(option)) return boolean(text) !== option.negate;
    return option.parseArg ? option.parseArg(text, previous) : text;
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new FlagError(`invalid argument ${JSON.stringify(text)} for "${display(option)}" flag: ${error.message}`);
  }
}

/** The value of an option that stands alone, or undefined when it needs an argument. */
const standalone = (option: Option): string | undefined =>
  isBoolean(option) ? "true" : option.optional ? String(option.presetArg ?? "") : undefined;

/** An option and its value, and whether the value was the next argument. */
interface Match {
  readonly option: Option | "help";
  readonly text: string;
  readonly usedNext: boolean;
}

function longFlag(arg: string, next: string | undefined, options: readonly Option[]): readonly Match[] {
  const [, name, value] = /^(--[^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
  if (name === undefined || name.startsWith("---")) throw new FlagError(`bad flag syntax: ${arg}`);
  const option = options.find(({ long }) => long === name);
  if (!option && name === "--help") return [{ option: "help", text: value ?? "true", usedNext: false }];
  if (!option) throw new FlagError(`unknown flag: ${name}`);
  const text = value ?? standalone(option) ?? next;
  if (text === undefined) throw new FlagError(`flag needs an argument: ${name}`, option);
  return [{ option, text, usedNext: value === undefined && standalone(option) === undefined }];
}

function shortFlags(arg: string, next: string | undefined, options: readonly Option[]): readonly Match[] {
  const found: Match[] = [];
  for (let rest = arg.slice(1); rest !== ""; ) {
    const letter = rest[0]!;
    const option = options.find(({ short }) => short === `-${letter}`) ?? (letter === "h" ? "help" : undefined);
    if (option === undefined) throw new FlagError(`unknown shorthand flag: '${letter}' in ${arg}`);
    rest = rest.slice(1);
    const alone = option === "help" ? "true" : standalone(option);
    if (rest.startsWith("=")) return [...found, { option, text: rest.slice(1), usedNext: false }];
    if (alone !== undefined) found.push({ option, text: alone, usedNext: false });
    else if (rest !== "") return [...found, { option, text: rest, usedNext: false }];
    else if (next === undefined)
      throw new FlagError(`flag needs an argument: '${letter}' in ${arg}`, option === "help" ? undefined : option);
    else return [...found, { option, text: next, usedNext: true }];
  }
  return found;
}

const isFlag = (arg: string): boolean => arg.startsWith("-") && arg !== "-";

/** Parses arguments. Throws FlagError with pflag's messages. */
export function parseFlags(args: readonly string[], options: readonly Option[]): ParsedFlags {
  const values = new Map<Option, unknown>();
  const positional: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      const argsBeforeDash = positional.length;
      return { values, args: [...positional, ...args.slice(i + 1)], argsBeforeDash, wantsHelp: false };
    }
    if (!isFlag(arg)) {
      positional.push(arg);
      continue;
    }
    const matches = (arg.startsWith("--") ? longFlag : shortFlags)(arg, args[i + 1], options);
    for (const { option, text, usedNext } of matches) {
      if (option === "help") return { values, args: positional, argsBeforeDash: undefined, wantsHelp: true };
      values.set(option, parsedValue(option, text, values.get(option)));
      if (usedNext) i++;
    }
  }
  return { values, args: positional, argsBeforeDash: undefined, wantsHelp: false };
}

/** Finds the first argument that is no flag: flags may precede the name of a command, which `isWord` knows. */
export function splitAtWord(
  args: readonly string[],
  options: readonly Option[],
  isWord: (arg: string) => boolean,
): { readonly word: string | undefined; readonly rest: readonly string[] } {
  for (let i = 0; i < args.length && args[i] !== "--"; i++) {
    const arg = args[i]!;
    if (!isFlag(arg)) return { word: arg, rest: args.toSpliced(i, 1) };
    if (arg.includes("=")) continue;
    const option = options.find(({ short, long }) => long === arg || short === arg);
    // The flags of commands are not known here: what follows them is their value, unless it is the name of a command.
    const next = args[i + 1] ?? "";
    const takesNext = option ? standalone(option) === undefined : !isKnownAlone(arg) && !isWord(next) && !isFlag(next);
    if (takesNext) i++;
  }
  return { word: undefined, rest: args };
}

const isKnownAlone = (arg: string): boolean => ["-h", "--help"].includes(arg) || /^-\w\w/.test(arg);
