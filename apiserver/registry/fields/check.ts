// What is wrong with the types of what is applied, in the words of the original's own checker. Pure.
import { resolve, type Schema } from "../../../api/schema.ts";
import { shownPath } from "./set.ts";
import { isObject, keyDefaults, stepFor, whole } from "./shape.ts";

type Path = readonly string[];

const told = (path: Path, because: string): string => (path.length === 0 ? because : `${shownPath(path)}: ${because}`);

/** A value as the original's language shows one of its own. */
const inside = (value: unknown): string => `&value.valueUnstructured{Value:${JSON.stringify(value)}}`;
const typeOf = (value: unknown): string =>
  ({ boolean: "bool", number: Number.isInteger(value) ? "int64" : "float64" })[typeof value as string] ??
  (Array.isArray(value) ? "[]interface {}" : isObject(value) ? "map[string]interface {}" : typeof value);

function scalarErrors(schema: Schema, value: unknown, path: Path): readonly string[] {
  if (schema.type === "integer" || schema.type === "number")
    return typeof value === "number" ? [] : [told(path, `expected numeric (int or float), got ${typeOf(value)}`)];
  if (schema.type === "boolean")
    return typeof value === "boolean" ? [] : [told(path, `expected boolean, got ${inside(value)}`)];
  // Times and amounts are of any type to the checker.
  const isFree = schema.type !== "string" || ["quantity", "date-time", "date-time-micro"].includes(schema.format ?? "");
  return isFree || typeof value === "string" ? [] : [told(path, `expected string, got ${inside(value)}`)];
}

function keyError(item: unknown, keys: readonly string[]): string | undefined {
  if (!isObject(item)) return "associative list with keys may not have non-map elements";
  const missing = keys.find((key) => item[key] === undefined && keyDefaults[key] === undefined);
  return missing === undefined
    ? undefined
    : `associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`;
}

function listErrors(full: Schema, value: readonly unknown[], path: Path): readonly string[] {
  const step = stepFor(full);
  const keys = full["x-kubernetes-list-type"] === "map" ? (full["x-kubernetes-list-map-keys"] ?? []) : [];
  const seen = new Set<string>();
  return value.flatMap((item, i) => {
    const because = step && keys.length > 0 ? keyError(item, keys) : undefined;
    if (because !== undefined) return [told(path, `element ${i}: ${because}`)];
    const at = step ? step(item) : `i:${i}`;
    const again = step !== undefined && seen.has(at);
    seen.add(at);
    return [
      ...(again ? [told(path, `duplicate entries for key ${shownPath([at])}`)] : []),
      ...errorsIn(full.items ?? {}, item, [...path, at]),
    ];
  });
}

function errorsIn(schema: Schema, value: unknown, path: Path): readonly string[] {
  if (value === null || value === undefined) return [];
  const full = whole(schema);
  if (full.type === "array")
    return Array.isArray(value) ? listErrors(full, value, path) : [told(path, `expected list, got &{${value}}`)];
  if (full.type !== "object") return scalarErrors(full, value, path);
  if (!isObject(value)) return [told(path, `expected map, got &{${value}}`)];
  const { properties, additionalProperties } = resolve(full);
  if (full["x-kubernetes-preserve-unknown-fields"]) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const field = properties && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    const at = [...path, `f:${name}`];
    return field ? errorsIn(field, inner, at) : [told(at, "field not declared in schema")];
  });
}

/** Everything that is wrong with the types of a value, as one sentence; nothing when all is well. */
export function typeError(schema: Schema, value: unknown): string | undefined {
  const errors = errorsIn(schema, value, []);
  return errors.length < 2 ? errors[0] : ["errors:", ...errors.map((error) => `  ${error}`)].join("\n");
}
