// Sorts objects by a field, as `--sort-by` does: numbers and quantities by value, text in natural order, missing first.
import { parseQuantity } from "../../api/quantity.ts";
import { CliError } from "../cli-error.ts";
import { JsonPath } from "../../api/jsonpath/evaluate.ts";
import { relaxedPath } from "../../api/jsonpath/parse.ts";

/** Compares text with numbers in it: `pod2` comes before `pod10`. */
export function compareNaturally(a: string, b: string): number {
  const parts = [a, b].map((text) => text.match(/\d+|\D/g) ?? []);
  const [left = [], right = []] = parts;
  for (const [i, x] of left.entries()) {
    const y = right[i];
    if (y === undefined) return 1;
    if (x === y) continue;
    const areNumbers = /^\d/.test(x) && /^\d/.test(y);
    if (!areNumbers) return x < y ? -1 : 1;
    const difference = BigInt(x) - BigInt(y);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    return x.length - y.length;
  }
  return left.length - right.length;
}

/** Compares two values of a field. Throws CliError for values that have no order. */
function compareValues(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (typeof a !== "string" || typeof b !== "string") throw new CliError(`unsortable type: ${typeof a}`);
  const [x, y] = [parseQuantity(a), parseQuantity(b)];
  return x && y ? Number(x.nano - y.nano) : compareNaturally(a, b);
}

/** Sorts objects, or what contains them, by a field. Throws CliError for a malformed path or when no object has it. */
export function sortByField<T>(items: readonly T[], field: string, objectOf: (item: T) => unknown): readonly T[] {
  const template = fieldTemplate(field);
  const path = new JsonPath(template, true);
  const keyed = items.map((item) => ({ item, value: path.results(objectOf(item))[0]?.[0] }));
  if (keyed.length > 0 && keyed.every(({ value }) => value === undefined))
    throw new CliError(`couldn't find any field with path "${template}" in the list of objects`);
  const isMissing = ({ value }: { readonly value: unknown }): boolean => value === undefined || value === null;
  const present = keyed.filter((k) => !isMissing(k)).toSorted((a, b) => compareValues(a.value, b.value));
  // kubectl's order of those without the field is reversed.
  return [...keyed.filter(isMissing).toReversed(), ...present].map(({ item }) => item);
}

/** Checks a field before anything is sent. Throws CliError. */
export function fieldTemplate(field: string): string {
  try {
    const template = relaxedPath(field);
    new JsonPath(template, true);
    return template;
  } catch (error) {
    throw new CliError((error as Error).message);
  }
}
