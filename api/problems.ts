// The sentences in which a field is wrong, as Kubernetes words them: clients and people grep for these.
import type { Problem } from "./errors.ts";
import { sameJson } from "./hash.ts";
import { quoted } from "./quote.ts";

const shown = (value: unknown): string =>
  typeof value === "string"
    ? quoted(value)
    : value === undefined
      ? '""'
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value);

export const required = (path: string, detail = ""): Problem => ({
  path,
  message: detail === "" ? "Required value" : `Required value: ${detail}`,
  reason: "FieldValueRequired",
});
export const invalid = (path: string, value: unknown, detail: string): Problem => ({
  path,
  message: `Invalid value: ${shown(value)}: ${detail}`,
  reason: "FieldValueInvalid",
});
export const forbidden = (path: string, detail: string): Problem => ({
  path,
  message: `Forbidden: ${detail}`,
  reason: "FieldValueForbidden",
});
export const duplicate = (path: string, value: unknown): Problem => ({
  path,
  message: `Duplicate value: ${shown(value)}`,
  reason: "FieldValueDuplicate",
});
export const notFound = (path: string, value: unknown): Problem => ({
  path,
  message: `Not found: ${shown(value)}`,
  reason: "FieldValueNotFound",
});
/** An invalid value that is not shown. */
export const unfit = (path: string, detail: string): Problem => ({
  path,
  message: `Invalid value: ${detail}`,
  reason: "FieldValueInvalid",
});
export const tooMany = (path: string, actual: number, most: number): Problem => ({
  path,
  message: `Too many: ${actual}: must have at most ${most} items`,
  reason: "FieldValueTooMany",
});
export const unsupported = (path: string, value: unknown, supported: readonly string[]): Problem => ({
  path,
  message: `Unsupported value: ${shown(value)}: supported values: ${supported.map((s) => JSON.stringify(s)).join(", ")}`,
  reason: "FieldValueNotSupported",
});

/** No problems: one shared empty list, because most values are valid. */
export const none: readonly Problem[] = [];

/** Result of one check: a list, one problem, or the falsy value of a condition that did not hold. */
export type Outcome = readonly Problem[] | Problem | false | undefined | null | 0 | "";

/** All of these problems. Nothing is allocated where there are none. */
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

/** Items that have the key of an earlier one: the value of a field, or what a function makes of the item. */
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
/** A value is too long. */
export const tooLong = (path: string, max: number): Problem => ({
  path,
  message: `Too long: may not be more than ${max} bytes`,
  reason: "FieldValueTooLong",
});
/** One of the supported values; undefined is valid. */
export const oneOf = (value: string | undefined, path: string, supported: readonly string[]): readonly Problem[] =>
  value === undefined || supported.includes(value) ? none : [unsupported(path, value, supported)];
/** `*` stands for every value, so nothing may stand beside it. */
export const wildcardAlone = (list: readonly string[] = [], path: string, others: string): readonly Problem[] =>
  list.length > 1 && list.includes("*")
    ? [invalid(path, list, `if '*' is present, must not specify other ${others}`)]
    : none;
/** The detail of a message without the value it quotes, to report it for another value. */
export const detailOf = ({ message }: Problem): string => message.replace(/^Invalid value: ".*?": /s, "");
/**
 * How the original's own types show themselves: every field, its name beginning with a capital, and null where nothing
 * is said.
 */
export const shownWhole = (object: object | undefined, fields: readonly string[]): object | null =>
  object === undefined
    ? null
    : Object.fromEntries(
        fields.map((field) => [
          field.charAt(0).toUpperCase() + field.slice(1),
          (object as Readonly<Record<string, unknown>>)[field] ?? null,
        ]),
      );
