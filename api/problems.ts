// Constructors of validation problems in Kubernetes' wording, which clients match, and helpers that join checks.
import type { Problem } from "./errors.ts";
import { sameJson } from "./hash.ts";
import { quoted } from "./quote.ts";

const shown = (value: unknown): string => {
  if (typeof value === "string") return quoted(value);
  if (value === undefined) return '""';
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};

const problem = (reason: Problem["reason"], path: string, message: string): Problem => ({ path, message, reason });

export const required = (path: string, detail = ""): Problem =>
  problem("FieldValueRequired", path, detail === "" ? "Required value" : `Required value: ${detail}`);
export const invalid = (path: string, value: unknown, detail: string): Problem =>
  problem("FieldValueInvalid", path, `Invalid value: ${shown(value)}: ${detail}`);
/** An invalid value that the message does not show. */
export const unfit = (path: string, detail: string): Problem =>
  problem("FieldValueInvalid", path, `Invalid value: ${detail}`);
export const forbidden = (path: string, detail: string): Problem =>
  problem("FieldValueForbidden", path, `Forbidden: ${detail}`);
export const duplicate = (path: string, value: unknown): Problem =>
  problem("FieldValueDuplicate", path, `Duplicate value: ${shown(value)}`);
export const notFound = (path: string, value: unknown): Problem =>
  problem("FieldValueNotFound", path, `Not found: ${shown(value)}`);
export const tooMany = (path: string, actual: number, most: number): Problem =>
  problem("FieldValueTooMany", path, `Too many: ${actual}: must have at most ${most} items`);
export const tooLong = (path: string, max: number): Problem =>
  problem("FieldValueTooLong", path, `Too long: may not be more than ${max} bytes`);
export const unsupported = (path: string, value: unknown, supported: readonly string[]): Problem => {
  const list = supported.map((s) => JSON.stringify(s)).join(", ");
  return problem("FieldValueNotSupported", path, `Unsupported value: ${shown(value)}: supported values: ${list}`);
};

/** No problems: one shared empty list, because most values are valid. */
export const none: readonly Problem[] = [];

/** Result of one check: a list, one problem, or the falsy value of a condition that did not hold. */
export type Outcome = readonly Problem[] | Problem | false | undefined | null | 0 | "";

/** All of these problems. Nothing is allocated without problems. */
export function together(...outcomes: readonly Outcome[]): readonly Problem[] {
  let only = none;
  let all: Problem[] | undefined;
  for (const outcome of outcomes) {
    if (!outcome) continue;
    const list = "message" in outcome ? [outcome] : outcome;
    if (list.length === 0) continue;
    if (only.length === 0) only = list;
    else {
      all ??= [...only];
      for (const problem of list) all.push(problem);
    }
  }
  return all ?? only;
}

/** The problems of the items of a list, each validated with its path. */
export function each<T>(
  items: readonly T[] | undefined,
  path: string,
  validate: (item: T, at: string, i: number) => Outcome,
): readonly Problem[] {
  if (items === undefined) return none;
  let found: Problem[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const outcome = validate(items[i]!, `${path}[${i}]`, i);
    if (!outcome) continue;
    const problems = "message" in outcome ? [outcome] : outcome;
    if (problems.length > 0) found = found === undefined ? [...problems] : [...found, ...problems];
  }
  return found ?? none;
}

/** Reports items with the key of an earlier one: a field, or the result of a function. */
export function repeated<T>(
  items: readonly T[] | undefined,
  path: string,
  by: keyof T | ((item: T) => unknown),
  report: (at: string, item: T, key: unknown) => Problem = (at, _, key) => duplicate(at, key),
): readonly Problem[] {
  const seen = new Set<unknown>();
  return each(items, path, (item, at) => {
    const key = typeof by === "function" ? by(item) : (item[by] ?? "");
    if (!seen.has(key)) return seen.add(key) && none;
    return [report(typeof by === "function" ? at : `${at}.${String(by)}`, item, key)];
  });
}

/** A number within bounds, both included; undefined is valid. */
export function inRange(
  value: number | undefined,
  path: string,
  min: number,
  max: number,
  detail = `must be between ${min} and ${max}, inclusive`,
): readonly Problem[] {
  return value === undefined || (value >= min && value <= max) ? none : [invalid(path, value, detail)];
}
/** A field that may never change after creation. */
export const unchanged = (value: unknown, old: unknown, path: string): readonly Problem[] =>
  sameJson(value, old) ? none : [invalid(path, value, "field is immutable")];
/** One of the supported values; undefined is valid. */
export const oneOf = (value: string | undefined, path: string, supported: readonly string[]): readonly Problem[] =>
  value === undefined || supported.includes(value) ? none : [unsupported(path, value, supported)];
/** `*` includes every value, and therefore stands alone. */
export const wildcardAlone = (list: readonly string[] = [], path: string, others: string): readonly Problem[] =>
  list.length > 1 && list.includes("*")
    ? [invalid(path, list, `if '*' is present, must not specify other ${others}`)]
    : none;
/** The detail of a message without the value it quotes, to report it for another value. */
export const detailOf = ({ message }: Problem): string => message.replace(/^Invalid value: ".*?": /s, "");
/** An object as Go prints a struct in messages: every field with a capital, null where it is unset. */
export const goStruct = (object: object | undefined, fields: readonly string[]): object | null =>
  object === undefined
    ? null
    : Object.fromEntries(
        fields.map((field) => [
          field.charAt(0).toUpperCase() + field.slice(1),
          (object as Readonly<Record<string, unknown>>)[field] ?? null,
        ]),
      );
