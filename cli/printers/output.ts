// The forms in which objects leave the command line for other programs.
import { stringify } from "yaml";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";

export const formats = ["json", "yaml", "wide", "name"] as const;
export type Format = (typeof formats)[number];

/** Refuse a format nobody knows, and say which ones there are. */
export function checkFormat(text: string | undefined): Format | undefined {
  if (text === undefined || formats.includes(text as Format)) return text as Format | undefined;
  throw new CliError(`unknown output format "${text}"`, `Choose one of: ${formats.join(", ")}`);
}

/** Bookkeeping that people ask not to see unless they ask for it. */
const tidy = (o: ApiObject): unknown => {
  const { managedFields: _, ...metadata } = o.metadata;
  return { ...o, metadata };
};

/** One object as itself, several as a List. */
export function printObjects(objects: readonly ApiObject[], format: "json" | "yaml", single: boolean): string {
  const items = objects.map(tidy);
  const value = single && items.length === 1 ? items[0] : { apiVersion: "v1", kind: "List", items };
  return format === "json" ? `${JSON.stringify(value, null, 2)}\n` : stringify(value, { lineWidth: 0 });
}
