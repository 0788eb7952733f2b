// Strategic merge patch: a merge patch that knows from the schema which lists are sets of named things. Pure.
// Source: the API reference's "Strategic merge patch", and sig-api-machinery's page of that name for the directives.
import { sameJson } from "../../../api/hash.ts";
import { resolve, type Schema } from "../../../api/schema.ts";
import {
  badRetainKeys,
  deletion,
  directive,
  isObject,
  type Json,
  listIn,
  mapIn,
  order,
  plain,
  plainFields,
  retainKeys,
  unknownDirective,
} from "./directives.ts";
import { type Members, mergedList, orderedList } from "./strategic-lists.ts";

const strategies = (schema: Schema): readonly string[] => (schema["x-kubernetes-patch-strategy"] ?? "").split(",");
const fieldOf = (schema: Schema, name: string): Schema => {
  const full = resolve(schema);
  return full.properties?.[name] ?? full.additionalProperties ?? {};
};
const membersOf = (list: Schema): Members => ({
  key: list["x-kubernetes-patch-merge-key"],
  merge: (member, patch) => mergedMap(member, patch, resolve(list).items ?? {}),
});

/** Of a map that names the fields it keeps, the others go; the patch itself must not say anything of those. */
function retain(merged: Json, patch: Json): void {
  const keep = patch[retainKeys];
  if (keep === undefined) return;
  if (!Array.isArray(keep)) throw badRetainKeys();
  const isKept = (name: string): boolean => keep.includes(name);
  const names = Object.keys(patch).filter((name) => patch[name] !== null && name !== retainKeys);
  if (names.some((name) => !name.startsWith(deletion) && !name.startsWith(order) && !isKept(name)))
    throw badRetainKeys();
  for (const name of Object.keys(merged)) if (!isKept(name)) delete merged[name];
}

/** Lists whose order is asked for are merged and arranged at once; answers with their names. */
function arrange(merged: Json, patch: Json, schema: Schema): ReadonlySet<string> {
  const names = Object.keys(patch).flatMap((word) => (word.startsWith(order) ? [word.slice(order.length)] : []));
  for (const name of names) {
    const [before, list] = [merged[name], patch[name]].map((value) =>
      value === undefined ? undefined : listIn(value),
    );
    const made = orderedList(before, list, listIn(patch[order + name]), membersOf(fieldOf(schema, name)));
    if (made !== undefined) merged[name] = made;
  }
  return new Set(names);
}

/** Scalars that are to go from a list; where there is no such list, there is nothing to take from. */
function takeOut(merged: Json, name: string, gone: unknown): void {
  const before = merged[name];
  if (Array.isArray(before) && Array.isArray(gone))
    merged[name] = before.filter((member) => !gone.some((one) => sameJson(one, member)));
}

/** What a field becomes; undefined when it goes. */
function mergedField(before: unknown, value: unknown, schema: Schema): unknown {
  if (value === null) return undefined;
  const isMerged = strategies(schema).includes("merge");
  if (Array.isArray(before) && Array.isArray(value) && isMerged) return mergedList(before, value, membersOf(schema));
  if (!isObject(before) || !isObject(value)) return plain(value);
  return strategies(schema).includes("replace") ? plainFields(value) : mergedMap(before, value, schema);
}

function mergedMap(original: Json, patch: Json, schema: Schema): Json {
  if (patch[directive] === "replace") return plainFields(patch);
  if (patch[directive] === "delete") return {};
  if (patch[directive] !== undefined) throw unknownDirective(patch);
  const merged = { ...original };
  retain(merged, patch);
  const done = arrange(merged, patch, schema);
  for (const [name, value] of Object.entries(patch))
    if (name.startsWith(deletion)) takeOut(merged, name.slice(deletion.length), value);
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith(deletion) || name.startsWith(order) || name === retainKeys || done.has(name)) continue;
    const field = mergedField(merged[name], value, fieldOf(schema, name));
    if (field === undefined) delete merged[name];
    else merged[name] = field;
  }
  return merged;
}

/** What `object`, of this schema, becomes when the patch is merged into it; neither is changed. */
export const strategicPatched = (schema: Schema, object: object, patch: unknown): unknown =>
  mergedMap(object as Json, mapIn(patch), schema);
