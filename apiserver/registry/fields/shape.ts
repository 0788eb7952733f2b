// How a value falls into parts that can be owned each by itself: by its schema, lists with keys are sets of named
// things, and what is atomic is one thing. Pure.
import { resolve, type Schema } from "../../../api/schema.ts";

/** A part of a value that is owned by itself. */
export interface Part {
  readonly schema: Schema;
  readonly value: unknown;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What stands for a key field that was left out: the one such default Kubernetes has. */
export const keyDefaults: Readonly<Record<string, unknown>> = { protocol: "TCP" };

/** Which item of a list this is. */
function itemStep(item: unknown, keys: readonly string[]): string {
  const named = isObject(item) ? item : {};
  const values = keys.toSorted().map((key) => [key, named[key] ?? keyDefaults[key]]);
  return `k:${JSON.stringify(Object.fromEntries(values))}`;
}

/** What is said of a field and of its type, together. */
export const whole = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : { ...resolve(schema), ...schema, $ref: undefined };

/** How the items of a list are told apart: by their keys, by themselves, or not at all. */
export function stepFor(schema: Schema): ((item: unknown) => string) | undefined {
  const full = whole(schema);
  const type = full["x-kubernetes-list-type"];
  const keys = full["x-kubernetes-list-map-keys"] ?? [];
  if (type === "map") return (item) => itemStep(item, keys);
  return type === "set" ? (item) => `v:${JSON.stringify(item)}` : undefined;
}

/** The schema of a field by its name. */
export function fieldSchema(schema: Schema, name: string): Schema {
  const full = resolve(schema);
  return full.properties?.[name] ?? full.additionalProperties ?? {};
}

/** The parts of a value by their steps; nothing when the value is owned whole. */
export function partsOf(schema: Schema, value: unknown): ReadonlyMap<string, Part> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const full = whole(schema);
  if (Array.isArray(value)) {
    const step = stepFor(full);
    const item = full.items ?? {};
    return step && new Map(value.map((v) => [step(v), { schema: item, value: v }]));
  }
  if (full["x-kubernetes-map-type"] === "atomic" || !(full.properties ?? full.additionalProperties)) return undefined;
  const parts = new Map<string, Part>();
  for (const name of Object.keys(value)) {
    const inner = (value as Readonly<Record<string, unknown>>)[name];
    if (inner !== undefined) parts.set(`f:${name}`, { schema: fieldSchema(full, name), value: inner });
  }
  return parts;
}
