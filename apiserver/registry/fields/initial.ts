// The account of a new object, written down in one walk: as nobody has had anything of it yet, there is nothing to
// compare, and no sets are needed. It is what `difference` would find against an object that said nothing. Pure.
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { Schema } from "../../../api/schema.ts";
import { isPresent, presentIn } from "./present.ts";
import { type FieldSet, inStepOrder, noFields } from "./set.ts";
import { anything, fieldStep, isObject, type Shape, shapeOf } from "./shape.ts";

type Json = Readonly<Record<string, unknown>>;
type Tree = Record<string, object>;
/** Nothing more below. */
const end: object = Object.freeze({});

/** The fields that only the value itself has names for, in their order. */
const unnamed = ({ steps }: Shape, value: Json): readonly string[] =>
  Object.keys(value)
    .filter((name) => !steps.has(name) && value[name] !== undefined)
    .sort();

function allItems({ full, step }: Shape, value: readonly unknown[], tree: Tree): Tree {
  const items = full.items ?? anything;
  if (value.length === 1) {
    tree[step!(value[0])] = all(items, value[0]);
    return tree;
  }
  const byStep = new Map(value.map((item) => [step!(item), item]));
  for (const at of inStepOrder([...byStep.keys()])) tree[at] = all(items, byStep.get(at));
  return tree;
}

/** So many kinds of objects without anything below their fields are remembered for a schema at most. */
const mostFlat = 256;
/** The tree of an object that has these of its named fields, and nothing below them. Made once and shared. */
function flatTree({ fields, flat }: Shape, which: number): Tree {
  const known = flat.get(which);
  if (known) return known;
  const tree: Tree = { ".": end };
  for (const { step, weight } of fields) if (Math.floor(which / weight) % 2 === 1) tree[step] = end;
  if (flat.size < mostFlat) flat.set(which, Object.freeze(tree));
  return tree;
}

/** Most objects have the fields that others of their type have: a copy is quicker than to put each where it belongs. */
function allNamed(shape: Shape, value: Json): object {
  const present = presentIn(shape.type);
  let [isBare, which] = [true, 0];
  const below: (readonly [step: string, tree: object])[] = [];
  for (const { name, step, schema, weight } of shape.fields) {
    const inner = value[name];
    if (inner !== undefined) isBare = false;
    else if (!present.includes(name)) continue;
    which += weight;
    const tree = all(schema, inner);
    if (tree !== end) below.push([step, tree]);
  }
  if (isBare) return end;
  const flat = flatTree(shape, which);
  if (below.length === 0) return flat;
  const whole = { ...flat };
  for (const [step, tree] of below) whole[step] = tree;
  return whole;
}

function allFields(shape: Shape, value: Json): object {
  if (shape.hasOnlyNamed) return allNamed(shape, value);
  const tree: Tree = { ".": end };
  let isBare = true;
  for (const { name, step, schema } of shape.fields)
    if (value[name] !== undefined) {
      isBare = false;
      tree[step] = all(schema, value[name]);
    }
  for (const name of unnamed(shape, value)) {
    isBare = false;
    tree[fieldStep(name)] = all(shape.full.additionalProperties ?? anything, value[name]);
  }
  return isBare ? end : tree;
}

/** All of a value: itself, and what is in it. */
function all(schema: Schema, value: unknown): object {
  if (typeof value !== "object" || value === null) return end;
  const shape = shapeOf(schema);
  if (!Array.isArray(value)) return shape.hasFields ? allFields(shape, value as Json) : end;
  return shape.step && value.length > 0 ? allItems(shape, value, { ".": end }) : end;
}

/** What is in a struct that is always there, without the ends of `cut` and what is below them, if that is anything. */
function inside(shape: Shape, type: string, value: Json, cut: FieldSet): Tree | undefined {
  const tree: Tree = {};
  let isBare = true;
  const put = (name: string, step: string, schema: Schema): void => {
    const inner = value[name];
    const less = cut.below.get(step) ?? noFields;
    if (inner === undefined || less.has) return;
    const sub = isPresent(type, name) ? ofPresent(schema, inner, less) : all(schema, inner);
    if (sub === undefined) return;
    isBare = false;
    tree[step] = sub;
  };
  for (const { name, step, schema } of shape.fields) put(name, step, schema);
  if (!shape.hasOnlyNamed)
    for (const name of unnamed(shape, value)) put(name, fieldStep(name), shape.full.additionalProperties ?? anything);
  return isBare ? undefined : tree;
}
function ofPresent(schema: Schema, value: unknown, cut: FieldSet): object | undefined {
  const shape = shapeOf(schema);
  if (isObject(value) && shape.hasFields) return inside(shape, shape.type, value, cut);
  if (!Array.isArray(value) || !shape.step) return all(schema, value);
  return value.length > 0 ? allItems(shape, value, {}) : undefined;
}

/** As `fieldsV1`: everything a new object says, but for `cut`. */
export function bornFields(r: ResourceDefinition, object: object, cut: FieldSet): object | undefined {
  const type = r.published.slice(r.published.lastIndexOf(".") + 1);
  return inside(shapeOf(r.schema), type, object as Json, cut);
}
