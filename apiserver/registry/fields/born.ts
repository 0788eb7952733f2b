// The account of a new object, written down in one walk: as nobody has had anything of it yet, there is nothing to
// compare, and no sets are needed. It is what `difference` would find against an object that said nothing. Pure.
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { Schema } from "../../../api/schema.ts";
import { isPresent, presentIn } from "./present.ts";
import { type FieldSet, inStepOrder, noFields } from "./set.ts";
import { anything, isObject, type Shape, shapeOf } from "./shape.ts";

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
  const items = new Map(value.map((item) => [step!(item), item]));
  for (const at of inStepOrder([...items.keys()])) tree[at] = all(full.items ?? anything, items.get(at));
  return tree;
}

function allFields(shape: Shape, value: Json): object {
  const { type, full, fields, hasOnlyNamed } = shape;
  const tree: Tree = { ".": end };
  const present = presentIn(type);
  let isBare = true;
  for (const { name, step, schema } of fields) {
    const inner = value[name];
    if (inner !== undefined) isBare = false;
    if (inner !== undefined || present.includes(name)) tree[step] = all(schema, inner);
  }
  if (!hasOnlyNamed)
    for (const name of unnamed(shape, value)) {
      isBare = false;
      tree[`f:${name}`] = all(full.additionalProperties ?? anything, value[name]);
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
  for (const name of unnamed(shape, value)) put(name, `f:${name}`, shape.full.additionalProperties ?? anything);
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
