// The values of flags, as pflag parses them: integers, durations, booleans, lists. Each parser throws Go's message.
import { InvalidArgumentError } from "commander";
import { parseDuration } from "../../api/duration.ts";

const quoted = (text: string): string => JSON.stringify(text);

/** An integer in Go's syntax: `10`, `-1`, `0x1f`. */
export function integer(text: string): number {
  const [, sign, digits] = /^([+-]?)(0[xX][\da-fA-F]+|0[oO]?[0-7]*|0[bB][01]+|[1-9]\d*)$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError(`strconv.ParseInt: parsing ${quoted(text)}: invalid syntax`);
  const value = Number(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase());
  if (!Number.isSafeInteger(value))
    throw new InvalidArgumentError(`strconv.ParseInt: parsing ${quoted(text)}: value out of range`);
  return sign === "-" ? -value : value;
}

/** An integer of 32 bits, as Go parses it. */
export function integer32(text: string): number {
  const value = integer(text);
  if (value === (value | 0)) return value;
  throw new InvalidArgumentError(`strconv.ParseInt: parsing ${quoted(text)}: value out of range`);
}

/** A duration in Go's syntax, such as `1h30m` or `-1s`, in milliseconds. */
export function duration(text: string): number {
  const parsed = parseDuration(text);
  if (typeof parsed === "number") return parsed;
  throw new InvalidArgumentError(parsed.wrong);
}

/** A boolean in Go's syntax. */
export function boolean(text: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw new InvalidArgumentError(`strconv.ParseBool: parsing ${quoted(text)}: invalid syntax`);
}

/** A repeatable flag whose values are separated by commas: pflag's StringSlice. */
export const list = (text: string, previous?: readonly string[]): readonly string[] => [
  ...(previous ?? []),
  ...(text === "" ? [] : text.split(",")),
];

/** A repeatable flag whose values may contain commas: pflag's StringArray. */
export const strings = (text: string, previous?: readonly string[]): readonly string[] => [...(previous ?? []), text];

/** A repeatable flag of `key=value` pairs separated by commas: pflag's StringToString. */
export function pairs(text: string, previous?: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = list(text).map((pair): [string, string] => {
    const at = pair.indexOf("=");
    if (at < 0) throw new InvalidArgumentError(`${pair} must be formatted as key=value`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return { ...previous, ...Object.fromEntries(entries) };
}
