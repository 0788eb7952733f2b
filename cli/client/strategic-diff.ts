// The strategic merge patch between two objects of a built-in kind: lists with a merge key are patched by item. Pure.
import { builtinKinds } from "../../api/builtin/kinds.ts";
import { sameJson } from "../../api/hash.ts";
import { apiVersionOf } from "../../api/kinds.ts";
import { resolve, type Schema } from "../../api/schema.ts";

type Json = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

const fieldOf = (schema: Schema, name: string): Schema => {
  const full = resolve(schema);
  return full.properties?.[name] ?? full.additionalProperties ?? {};
};
const isMerged = (list: Schema): boolean => (list["x-kubernetes-patch-strategy"] ?? "").split(",").includes("merge");

/** Items of a list with a merge key: added and changed ones, and directives for those removed. */
function itemsDiff(list: Schema, key: string, before: readonly Json[], after: readonly Json[]): Json[] {
  const items = resolve(list).items ?? {};
  const changed = after.flatMap((item) => {
    const old = before.find((other) => other[key] === item[key]);
    if (!old) return [item];
    const patch = mapDiff(items, old, item);
    return patch === undefined ? [] : [{ [key]: item[key], ...patch }];
  });
  const removed = before
    .filter((item) => !after.some((other) => other[key] === item[key]))
    .map((item) => ({ $patch: "delete", [key]: item[key] }));
  return [...changed, ...removed];
}

/** Whether the items of a list have a merge key. */
const areKeyed = (key: string, ...lists: readonly (readonly unknown[])[]): boolean =>
  lists.every((list) => {
    const values = list.map((item) => (isMap(item) ? item[key] : undefined));
    return !values.includes(undefined) && new Set(values).size === values.length;
  });

function listDiff(name: string, list: Schema, before: readonly unknown[], after: readonly unknown[]): Json {
  const key = list["x-kubernetes-patch-merge-key"];
  if (!isMerged(list)) return { [name]: after };
  if (key === undefined) {
    const added = after.filter((item) => !before.includes(item));
    const removed = before.filter((item) => !after.includes(item));
    return {
      [`$setElementOrder/${name}`]: after,
      ...(removed.length > 0 && { [`$deleteFromPrimitiveList/${name}`]: removed }),
      ...(added.length > 0 && { [name]: added }),
    };
  }
  // Without keys, items cannot be patched: the list is atomic.
  if (!areKeyed(key, before, after)) return { [name]: [...after, { $patch: "replace" }] };
  const items = itemsDiff(list, key, before as readonly Json[], after as readonly Json[]);
  const order = (after as readonly Json[]).map((item) => ({ [key]: item[key] }));
  return { [`$setElementOrder/${name}`]: order, ...(items.length > 0 && { [name]: items }) };
}

/** The patch of one field. */
function fieldDiff(schema: Schema, name: string, old: unknown, now: unknown): Json {
  if (now === undefined) return { [name]: null };
  const field = fieldOf(schema, name);
  if (Array.isArray(old) && Array.isArray(now)) return listDiff(name, field, old, now);
  if (!isMap(old) || !isMap(now)) return { [name]: now };
  if ((field["x-kubernetes-patch-strategy"] ?? "").split(",").includes("replace")) return { [name]: now };
  return { [name]: mapDiff(field, old, now) ?? {} };
}

function mapDiff(schema: Schema, before: Json, after: Json): Json | undefined {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const patches = names
    .filter((name) => !sameJson(before[name], after[name]))
    .map((name) => fieldDiff(schema, name, before[name], after[name]));
  return patches.length > 0 ? Object.assign({}, ...patches) : undefined;
}

/** The strategic merge patch that turns `before` into `after`; undefined for kinds that are not built in. */
export function strategicDiff(before: Json, after: Json): Json | undefined {
  const definition = builtinKinds.find((k) => k.kind === before["kind"] && apiVersionOf(k) === before["apiVersion"]);
  return definition && (mapDiff(definition.schema, before, after) ?? {});
}
