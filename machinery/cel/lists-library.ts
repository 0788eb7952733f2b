// Functions on lists in CEL expressions, and those that find what matches a pattern. Source: the Kubernetes reference,
// "CEL in Kubernetes", list library and regex library.
import type { Environment } from "@marcbachmann/cel-js";
import { patternOf } from "./patterns.ts";

type Item = bigint | number | string | boolean | Date;
type Items = readonly Item[];

const isSorted = (items: Items): boolean => items.every((item, i) => i === 0 || items[i - 1]! <= item);

/** The sum of numbers of one type; of no items it is the integer 0. */
function sum(items: Items): Item {
  if (items.length === 0) return 0n;
  return items.reduce((total, item) => (total as number) + (item as number));
}

function extreme(items: Items, name: "min" | "max"): Item {
  if (items.length === 0) throw new Error(`${name} called on empty list`);
  return items.reduce((best, item) => ((name === "min" ? item < best : item > best) ? item : best));
}

const same = (a: Item, b: Item): boolean => a === b || (a instanceof Date && b instanceof Date && +a === +b);

function found(text: string, pattern: string, most: number): readonly string[] {
  const matcher = patternOf(pattern).matcher(text);
  const matches: string[] = [];
  while (matches.length < most && matcher.find()) matches.push(matcher.group() ?? "");
  return matches;
}

/** Adds the functions. */
export const withLists = (environment: Environment): Environment =>
  environment
    .registerFunction("list.isSorted(): bool", isSorted)
    .registerFunction("list.sum(): dyn", sum)
    .registerFunction("list.min(): dyn", (items: Items) => extreme(items, "min"))
    .registerFunction("list.max(): dyn", (items: Items) => extreme(items, "max"))
    .registerFunction("list.indexOf(dyn): int", (items: Items, item: Item) =>
      BigInt(items.findIndex((other) => same(other, item))),
    )
    .registerFunction("list.lastIndexOf(dyn): int", (items: Items, item: Item) =>
      BigInt(items.findLastIndex((other) => same(other, item))),
    )
    .registerFunction(
      "string.find(string): string",
      (text: string, pattern: string) => found(text, pattern, 1)[0] ?? "",
    )
    .registerFunction("string.findAll(string): list<string>", (text: string, pattern: string) =>
      found(text, pattern, Number.POSITIVE_INFINITY),
    )
    .registerFunction("string.findAll(string, int): list<string>", (text: string, pattern: string, most: bigint) =>
      found(text, pattern, Number(most)),
    );
