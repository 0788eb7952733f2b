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

const mostSteps = 1_000;
const longestName = 64;
/** The same few names come again and again: what was made of one is remembered for a while. */
function remembered(make: (name: string) => string): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const step = make(name);
    if (known.size >= mostSteps) known.clear();
    if (name.length <= longestName) known.set(name, step);
    return step;
  };
}
/** The step to a field. */
export const fieldStep = remembered((name) => `f:${name}`);

/** A key of a list, as the beginning of what a step says of it. */
interface KeyName {
  readonly name: string;
  readonly written: string;
}
/** Which item of a list this is. */
function itemStep(item: unknown, keys: readonly KeyName[]): string {
  const named = isObject(item) ? item : {};
  const said: string[] = [];
  for (const { name, written } of keys) {
    const value = JSON.stringify(named[name] ?? keyDefaults[name]);
    if (value !== undefined) said.push(written + value);
  }
  return `k:{${said.join(",")}}`;
}

/** What can be known of the parts of values from their schema alone. */
export interface Shape {
  /** What is said of a field and of its type, together. */
  readonly full: Schema;
  /** The name of the type a field refers to. */
  readonly type: string;
  /** How the items of a list are told apart: by their keys, by themselves, or not at all. */
  readonly step: ((item: unknown) => string) | undefined;
  /** Whether an object is owned field by field. */
  readonly hasFields: boolean;
  /** The fields that have a name of their own, in the order of their steps. */
  readonly fields: readonly Field[];
  readonly steps: ReadonlyMap<string, string>;
  /** Whether there can be no others, once a value was read by its schema. */
  readonly hasOnlyNamed: boolean;
  /** As `fieldsV1`: objects that have nothing below their fields, by the weights of those they have. */
  readonly flat: Map<number, Record<string, object>>;
}
/** A field that has a name of its own. */
interface Field {
  readonly name: string;
  readonly step: string;
  readonly schema: Schema;
  /** A power of two: added up, they tell which fields an object has. */
  readonly weight: number;
}

function stepIn(full: Schema): Shape["step"] {
  const type = full["x-kubernetes-list-type"];
  if (type === "set") return (item) => `v:${JSON.stringify(item)}`;
  if (type !== "map") return undefined;
  const names = (full["x-kubernetes-list-map-keys"] ?? []).toSorted();
  const keys = names.map((name) => ({ name, written: `${JSON.stringify(name)}:` }));
  const [only, ...more] = keys;
  if (!only || more.length > 0) return (item) => itemStep(item, keys);
  const stepTo = remembered((name) => itemStep({ [only.name]: name }, keys));
  return (item) => {
    const name = isObject(item) ? item[only.name] : undefined;
    return typeof name === "string" ? stepTo(name) : itemStep(item, keys);
  };
}

const keepsUnknown = (full: Schema): boolean => full["x-kubernetes-preserve-unknown-fields"] === true;

function newShape(schema: Schema): Shape {
  const full = schema.$ref === undefined ? schema : { ...resolve(schema), ...schema, $ref: undefined };
  const fields = Object.entries(full.properties ?? {})
    .map(([name, field], i): Field => ({ name, step: `f:${name}`, schema: field, weight: 2 ** i }))
    .sort((a, b) => (a.step < b.step ? -1 : 1));
  return {
    full,
    type: schema.$ref?.slice(schema.$ref.lastIndexOf(".") + 1) ?? "",
    step: stepIn(full),
    hasFields: full["x-kubernetes-map-type"] !== "atomic" && Boolean(full.properties ?? full.additionalProperties),
    fields,
    steps: new Map(fields.map(({ name, step }) => [name, step])),
    hasOnlyNamed: full.properties !== undefined && !full.additionalProperties && !keepsUnknown(full),
    flat: new Map(),
  };
}

// Every write walks through a whole object, and asks this at each of its values. There are as many as there are
// schemas, and each goes with its own.
const shapes = new WeakMap<Schema, Shape>();
export function shapeOf(schema: Schema): Shape {
  let shape = shapes.get(schema);
  if (!shape) {
    shape = newShape(schema);
    shapes.set(schema, shape);
  }
  return shape;
}

/** What is said of a field and of its type, together. */
export const whole = (schema: Schema): Schema => shapeOf(schema).full;
/** The name of the type a field refers to. */
export const typeOf = (schema: Schema): string => shapeOf(schema).type;
/** How the items of a list are told apart, if they are. */
export const stepFor = (schema: Schema): Shape["step"] => shapeOf(schema).step;

/** What is not described is owned whole. */
export const anything: Schema = {};
const fieldIn = ({ properties, additionalProperties }: Schema, name: string): Schema =>
  properties?.[name] ?? additionalProperties ?? anything;
/** The schema of a field by its name. */
export const fieldSchema = (schema: Schema, name: string): Schema => fieldIn(resolve(schema), name);

/** The parts of a value by their steps; nothing when the value is owned whole. */
export function partsOf(schema: Schema, value: unknown): ReadonlyMap<string, Part> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { full, step, hasFields, steps } = shapeOf(schema);
  const parts = new Map<string, Part>();
  if (Array.isArray(value)) {
    if (!step) return undefined;
    const items = full.items ?? anything;
    for (const item of value) parts.set(step(item), { schema: items, value: item });
    return parts;
  }
  if (!hasFields) return undefined;
  for (const name of Object.keys(value)) {
    const inner = (value as Readonly<Record<string, unknown>>)[name];
    if (inner !== undefined)
      parts.set(steps.get(name) ?? fieldStep(name), { schema: fieldIn(full, name), value: inner });
  }
  return parts;
}
