// Defaulting by schema. A required field that was not sent has the zero value of its type in Go, which is a default
// here like any other. Pure; unchanged structure is shared. Source: the custom resources page, "Defaulting".
import { resolve, type Schema } from "./schema.ts";

type Json = Readonly<Record<string, unknown>>;
/** Completes a value; parts identical to those of `known` are complete. */
type Fill = (value: unknown, known: unknown) => unknown;

const isZero = (value: unknown): boolean => value === "" || value === 0 || (Array.isArray(value) && value.length === 0);

interface Field {
  readonly name: string;
  readonly omitZero: boolean;
  /** The default with its own defaults; undefined where there is none. */
  readonly make: (() => unknown) | undefined;
  readonly fill: Fill | undefined;
}

/** A default is completed on first use and shared afterwards. */
function maker(schema: Schema): (() => unknown) | undefined {
  const { default: plain } = schema;
  if (plain === undefined) return undefined;
  if (typeof plain !== "object" || plain === null) return () => plain;
  let made: unknown;
  return () => {
    made ??= fillOf(schema)?.(plain, undefined) ?? plain;
    return made;
  };
}

function fieldsOf({ properties = {} }: Schema): readonly Field[] {
  return Object.entries(properties)
    .map(([name, schema]) => ({ name, omitZero: schema.omitZero === true, make: maker(schema), fill: fillOf(schema) }))
    .filter(({ make, fill }) => make ?? fill);
}

const objectFill =
  (fields: readonly Field[]): Fill =>
  (value, known) => {
    if (value === known || typeof value !== "object" || value === null) return value;
    const [object, before] = [value as Json, known as Json | undefined];
    let out: Record<string, unknown> | undefined;
    for (const { name, omitZero, make, fill } of fields) {
      const inner = object[name];
      const isUnset = inner === undefined || (omitZero && isZero(inner));
      const next = isUnset ? (make?.() ?? inner) : fill ? fill(inner, before?.[name]) : inner;
      if (next === inner) continue;
      out ??= { ...object };
      out[name] = next;
    }
    return out ?? value;
  };

const listFill =
  (fill: Fill): Fill =>
  (value, known) => {
    if (value === known || !Array.isArray(value)) return value;
    const before = Array.isArray(known) ? known : [];
    let out: unknown[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const next = fill(value[i], before[i]);
      if (next === value[i]) continue;
      out ??= [...value];
      out[i] = next;
    }
    return out ?? value;
  };

const mapFill =
  (fill: Fill): Fill =>
  (value, known) => {
    if (value === known || typeof value !== "object" || value === null) return value;
    const fields = Object.keys(value).map((name) => ({ name, omitZero: false, make: undefined, fill }));
    return objectFill(fields)(value, known);
  };

function newFill(full: Schema): Fill | undefined {
  if (full.items) {
    const fill = fillOf(full.items);
    return fill && listFill(fill);
  }
  if (full.properties) {
    const fields = fieldsOf(full);
    return fields.length > 0 ? objectFill(fields) : undefined;
  }
  const fill = full.additionalProperties && fillOf(full.additionalProperties);
  return fill && mapFill(fill);
}

const fills = new WeakMap<Schema, Fill | null>();

/** The function that completes values of a schema; undefined without defaults. Compiled once per schema. */
function fillOf(schema: Schema): Fill | undefined {
  const full = resolve(schema);
  const known = fills.get(full);
  if (known !== undefined) return known ?? undefined;
  // A type that contains itself refers to what is being compiled.
  fills.set(full, (value, before) => fillOf(full)?.(value, before) ?? value);
  const fill = newFill(full);
  fills.set(full, fill ?? null);
  return fill;
}

/** The value with its defaults. Parts identical to those of `known`, which has its defaults, are not walked again. */
export const withDefaults = <T>(schema: Schema, value: T, known?: unknown): T =>
  (fillOf(schema)?.(value, known) ?? value) as T;
