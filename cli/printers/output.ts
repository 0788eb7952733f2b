// Prints objects as JSON or YAML, for other programs.
import { stringify } from "yaml";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";

const formats = ["json", "yaml", "wide", "name"] as const;
type Format = (typeof formats)[number];

/** The output format. Throws CliError for an unknown one. */
export function checkFormat(text: string | undefined): Format | undefined {
  if (text === undefined || formats.includes(text as Format)) return text as Format | undefined;
  throw new CliError(`unknown output format "${text}"`, `Choose one of: ${formats.join(", ")}`);
}

/** The object without its managed fields. */
const withoutManagedFields = (o: ApiObject): unknown => {
  const { managedFields: _, ...metadata } = o.metadata;
  return { ...o, metadata };
};

/** A single object, or a List of objects. */
export function printObjects(objects: readonly ApiObject[], format: "json" | "yaml", single: boolean): string {
  const items = objects.map(withoutManagedFields);
  const value = single && items.length === 1 ? items[0] : { apiVersion: "v1", kind: "List", items };
  return format === "json" ? `${JSON.stringify(value, null, 2)}\n` : stringify(value, { lineWidth: 0 });
}
