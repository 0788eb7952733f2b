// What a field that must be there is when nobody said it: in the original's language it has the zero of its type, and
// everything that judges or completes an object relies on it being there. Pure.
import { resolve, type Schema } from "./schema.ts";

type Json = Readonly<Record<string, unknown>>;

/** A selector that was not said is none, which is not the empty one: that picks everything. */
const mayBeAbsent = (schema: Schema): boolean => schema.$ref?.endsWith(".LabelSelector") === true;

function zeroOf(schema: Schema): unknown {
  if (mayBeAbsent(schema)) return undefined;
  const full = resolve(schema);
  if (full["x-kubernetes-int-or-string"]) return 0;
  switch (full.type) {
    case "object":
      return withRequired(schema, {});
    case "array":
      return [];
    case "string":
      // An amount or a moment that was not said is not written down as one.
      return full.format === undefined ? "" : undefined;
    case "integer":
    case "number":
      return 0;
    case "boolean":
      return false;
    default:
      return undefined;
  }
}

function completedItems(items: readonly unknown[], schema: Schema, known: unknown): readonly unknown[] {
  const before = Array.isArray(known) ? known : [];
  let out: unknown[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const next = withRequired(schema, items[i], before[i]);
    if (next === items[i]) continue;
    out ??= [...items];
    out[i] = next;
  }
  return out ?? items;
}

function completedFields(value: Json, schema: Schema, known?: Json): Json {
  const { properties = none, additionalProperties, required } = schema;
  let out: Record<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const inner = value[name];
    const field = typeof inner === "object" ? (properties[name] ?? additionalProperties) : undefined;
    if (field === undefined) continue;
    const next = withRequired(field, inner, known?.[name]);
    if (next === inner) continue;
    out ??= { ...value };
    out[name] = next;
  }
  if (required === undefined) return out ?? value;
  for (const name of required) {
    const zero = value[name] === undefined && properties[name] ? zeroOf(properties[name]) : undefined;
    if (zero === undefined) continue;
    out ??= { ...value };
    out[name] = zero;
  }
  return out ?? value;
}
const none: Readonly<Record<string, Schema>> = {};

/** The value with its required fields. Parts that are the very parts of `known` have theirs. */
export function withRequired(schema: Schema, value: unknown, known?: unknown): unknown {
  if (value === known || typeof value !== "object" || value === null) return value;
  const full = resolve(schema);
  if (Array.isArray(value)) return completedItems(value, full.items ?? {}, known);
  return completedFields(value as Json, full, known as Json | undefined);
}

/** An object with its required fields; whatever has a spec has one from the beginning. */
export function whole<T extends object>(schema: Schema, object: T, known?: object): T {
  const spec = resolve(schema).properties?.["spec"];
  const isWanted = spec !== undefined && resolve(spec).type === "object" && (object as Json)["spec"] === undefined;
  return withRequired(schema, isWanted ? { ...object, spec: {} } : object, known) as T;
}
