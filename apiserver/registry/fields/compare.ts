// Which fields a value sets, and which differ between two states of an object. Pure.
import { sameJson } from "../../../api/hash.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { Schema } from "../../../api/schema.ts";
import {
  type FieldSet,
  type Part,
  type Shape,
  anything,
  fieldStep,
  here,
  isEmpty,
  isObject,
  isPresent,
  noFields,
  partsOf,
  presentIn,
  setOf,
  shapeOf,
  typeOf,
  whole,
} from "./set.ts";

/** Every field path a value sets, as an apply owns it. An item of a list is a path beside those of its fields. */
export function fieldsOf(schema: Schema, value: unknown): FieldSet {
  const parts = partsOf(schema, value);
  if (!parts) return here;
  const named = whole(schema).properties;
  const below = new Map<string, FieldSet>();
  for (const [step, part] of parts) {
    const isBare = part.value === null || (isObject(part.value) && Object.keys(part.value).length === 0);
    const isField = step.startsWith("f:") && named?.[step.slice(2)] !== undefined;
    const set = fieldsOf(part.schema, part.value);
    const own = setOf(set.has || isBare || !isField, set.below);
    if (!isEmpty(own)) below.set(step, own);
  }
  return setOf(false, below);
}

/** What differs between two states. */
export interface Difference {
  /** Set where it was not, or set to something else. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}
const same: Difference = { changed: noFields, removed: noFields };

function allFields({ type, full, fields, steps }: Shape, value: Readonly<Record<string, unknown>>): FieldSet {
  const below = new Map<string, FieldSet>();
  const present = presentIn(type);
  let isBare = true;
  // In the order of their steps, which is the order in which they are written.
  for (const { name, step, schema } of fields) {
    const inner = value[name];
    if (inner !== undefined) isBare = false;
    if (inner !== undefined || present.includes(name)) below.set(step, allOf(schema, inner));
  }
  for (const name in value)
    if (!steps.has(name) && value[name] !== undefined) {
      isBare = false;
      below.set(fieldStep(name), allOf(full.additionalProperties ?? anything, value[name]));
    }
  return isBare ? here : { has: true, below };
}

/** All of a value that was not there before, or is there no more: the value itself, and what is in it. */
function allOf(schema: Schema, value: unknown): FieldSet {
  if (typeof value !== "object" || value === null) return here;
  const shape = shapeOf(schema);
  if (!Array.isArray(value)) return shape.hasFields ? allFields(shape, value as Record<string, unknown>) : here;
  const { step, full } = shape;
  if (!step || value.length === 0) return here;
  const below = new Map<string, FieldSet>();
  for (const item of value) below.set(step(item), allOf(full.items ?? anything, item));
  return { has: true, below };
}

const nothing: ReadonlyMap<string, Part> = new Map();
const empty = {};

function child(type: string, step: string, a: Part | undefined, b: Part | undefined): Difference {
  const schema = (b ?? a)!.schema;
  // A field that counts as present is empty when it is not set.
  const isThere = step.startsWith("f:") && isPresent(type, step.slice(2)) && partsOf(schema, (b ?? a)!.value);
  if (!isThere || (a && b)) return compare(schema, a?.value, b?.value);
  const blank = Array.isArray((b ?? a)!.value) ? [] : empty;
  return compare(schema, a ? a.value : blank, b ? b.value : blank);
}

function compareParts(type: string, before: ReadonlyMap<string, Part>, after: ReadonlyMap<string, Part>): Difference {
  const changed = new Map<string, FieldSet>();
  const removed = new Map<string, FieldSet>();
  const look = (step: string, a: Part | undefined, b: Part | undefined): void => {
    if (a?.value === b?.value) return;
    const found = child(type, step, a, b);
    if (!isEmpty(found.changed)) changed.set(step, found.changed);
    if (!isEmpty(found.removed)) removed.set(step, found.removed);
  };
  for (const [step, part] of before) look(step, part, after.get(step));
  for (const [step, part] of after) if (!before.has(step)) look(step, undefined, part);
  return { changed: setOf(false, changed), removed: setOf(false, removed) };
}

/** Every path at which `after` is not what `before` was. What is shared between the two is not looked into. */
function compare(schema: Schema, before: unknown, after: unknown): Difference {
  if (before === after) return same;
  if (before === undefined || before === null) return { changed: allOf(schema, after), removed: noFields };
  if (after === undefined || after === null) return { changed: noFields, removed: allOf(schema, before) };
  const [left, right] = [partsOf(schema, before), partsOf(schema, after)];
  if (left && right) return compareParts(typeOf(schema), left, right);
  return sameJson(before, after) ? same : { changed: here, removed: noFields };
}

/** What differs between two states of an object. */
export function difference(r: ResourceDefinition, before: object, after: object): Difference {
  const [left, right] = [partsOf(r.schema, before), partsOf(r.schema, after)];
  return compareParts(r.published.slice(r.published.lastIndexOf(".") + 1), left ?? nothing, right ?? nothing);
}
