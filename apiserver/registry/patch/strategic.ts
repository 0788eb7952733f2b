// Strategic merge patch: a merge patch whose lists are merged by the keys that their schema declares. Pure.
// Source: the API reference's "Strategic merge patch", and sig-api-machinery's page of that name for the directives.
import { ApiError } from "../../../api/errors.ts";
import { sameJson } from "../../../api/hash.ts";
import { type Schema, resolve } from "../../../api/schema.ts";

/** `map[name:web ports:[80 443]]`. */
export function printed(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(printed).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, inner]) => `${key}:${printed(inner)}`).join(" ")}]`;
}

export type Json = Record<string, unknown>;
export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Replaces or deletes the map that contains it. */
export const directive = "$patch";
/** Names the only fields a map keeps. */
export const retainKeys = "$retainKeys";
/** Prefix of the name of a list: the order of its members. */
export const order = "$setElementOrder/";
/** Prefix of the name of a list of scalars: the members to remove. */
export const deletion = "$deleteFromPrimitiveList/";

const isDirective = (name: string): boolean =>
  name === directive || name === retainKeys || name.startsWith(order) || name.startsWith(deletion);

/**
 * What a patch sets where no value exists: its own value without directives and nulls. A map that is a directive is
 * left out, so the result may be undefined.
 */
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  return value[directive] === undefined ? fieldsWithoutDirectives(value) : undefined;
}

/** The fields of a map, each as {@link withoutDirectives} leaves it. */
export function fieldsWithoutDirectives(map: Json): Json {
  const kept = Object.entries(map).filter(([name, inner]) => inner !== null && !isDirective(name));
  return Object.fromEntries(
    kept.map(([name, inner]) => [name, withoutDirectives(inner)]).filter(([, inner]) => inner !== undefined),
  );
}

const badRequest = (because: string): ApiError => new ApiError("BadRequest", because);
const typeOf = (value: unknown): string => {
  if (value === null) return "%!s(<nil>)";
  if (Array.isArray(value)) return "[]interface {}";
  if (isObject(value)) return "map[string]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : typeof value;
};

export const unknownDirective = (map: Json): ApiError =>
  badRequest(`unknown patch type: ${printed(map[directive])} in map: ${printed(map)}`);
export const noMergeKey = (map: Json, key: string): ApiError =>
  badRequest(`map: ${printed(map)} does not contain declared merge key: ${key}`);
export const badRetainKeys = (): ApiError => badRequest("invalid patch format of retainKeys");
export const noListMerge = (): ApiError => badRequest("merging lists cannot yet be specified in the patch");
export const noKeyDeclared = (): ApiError => badRequest("cannot merge lists without merge key");
export const mixedLists = (...lists: readonly (readonly unknown[])[]): ApiError =>
  badRequest(`list element types are not identical: ${printed(lists)}`);
export const listsOfLists = (): ApiError =>
  new ApiError("Invalid", "the server rejected our request due to an error in our request");
export const otherOrder = (list: readonly unknown[], order: readonly unknown[]): ApiError =>
  badRequest(`The order in patch list:\n${printed(list)}\n doesn't match $setElementOrder list:\n${printed(order)}\n`);

/** A list, or a refusal of what should have been one. */
export function listIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw badRequest(`expected a []interface {}, but received a ${typeOf(value)}`);
}
/** A map, or a refusal of what should have been one. */
export function mapIn(value: unknown): Json {
  if (isObject(value)) return value;
  throw badRequest(`expected a map[string]interface {}, but received a ${typeOf(value)}`);
}

/** How the members of a list are identified and merged. */
export interface Members {
  /** The field that names a member; of scalars none. */
  readonly key: string | undefined;
  readonly merge: (member: Json, patch: Json) => Json;
}

function idOf(member: unknown, key: string | undefined): unknown {
  if (key === undefined || !isObject(member)) return member;
  if (member[key] === undefined) throw noMergeKey(member, key);
  return member[key];
}

/** Whether members are maps; a list whose members differ in type can be neither merged nor ordered. */
function areMaps(...lists: readonly (readonly unknown[])[]): boolean {
  const members = lists.flat();
  const [first] = members;
  if (Array.isArray(first)) throw listsOfLists();
  const sort = (member: unknown): string => (Array.isArray(member) ? "list" : member === null ? "null" : typeof member);
  if (members.some((member) => sort(member) !== sort(first))) throw mixedLists(...lists);
  return isObject(first);
}

/**
 * Members in the order of `order`. Members that it does not name stay before the members that followed them in
 * `original`.
 */
export function arranged(
  members: readonly unknown[],
  order: readonly unknown[],
  original: readonly unknown[],
  key: string | undefined,
): unknown[] {
  const placeIn = (list: readonly unknown[], member: unknown): number => {
    const id = idOf(member, key);
    return list.findIndex((other) => sameJson(idOf(other, key), id));
  };
  const by = (list: readonly unknown[]) => (a: unknown, b: unknown) => placeIn(list, a) - placeIn(list, b);
  const named = members.filter((member) => placeIn(order, member) >= 0).toSorted(by(order));
  const others = members.filter((member) => placeIn(order, member) < 0).toSorted(by(original));
  const result: unknown[] = [];
  for (const other of others) {
    const was = placeIn(original, other);
    const isLater = (member: unknown): boolean => was >= 0 && was < placeIn(original, member);
    while (named.length > 0 && !isLater(named[0])) result.push(named.shift());
    result.push(other);
  }
  return [...result, ...named];
}

/** Applies the members that are directives: what remains of the list, and what is to be merged into it. */
function applyDirectives(
  before: readonly unknown[],
  patch: readonly Json[],
  key: string,
): { readonly left: readonly unknown[]; readonly items: readonly Json[] } {
  let left = before;
  const items = patch.filter((member) => member[directive] === undefined);
  for (const member of patch) {
    const name = member[directive];
    if (name === undefined || name === "replace") continue;
    if (name === "merge") throw noListMerge();
    if (name !== "delete") throw unknownDirective(member);
    const id = idOf(member, key);
    left = left.filter((other) => !sameJson(idOf(other, key), id));
  }
  const isReplaced = patch.some((member) => member[directive] === "replace");
  return isReplaced ? { left: items.map(fieldsWithoutDirectives), items: [] } : { left, items };
}

/** What a list becomes when another is merged into it. */
export function mergedList(before: readonly unknown[], patch: readonly unknown[], { key, merge }: Members): unknown[] {
  if (before.length + patch.length === 0) return [];
  if (!areMaps(before, patch)) {
    const both = [...before, ...patch];
    const once = both.filter((member, i) => both.findIndex((other) => sameJson(other, member)) === i);
    return arranged(once, patch, before, undefined);
  }
  if (key === undefined) throw noKeyDeclared();
  const { left, items } = applyDirectives(before, patch as readonly Json[], key);
  const result = [...left];
  for (const member of items) {
    const id = idOf(member, key);
    const at = result.findIndex((other) => sameJson(idOf(other, key), id));
    if (at >= 0) result[at] = merge(mapIn(result[at]), member);
    else result.push(fieldsWithoutDirectives(member));
  }
  return arranged(result, items, left, key);
}

/** Throws when the members of a patch are not in the order that the patch itself requires. */
function checkOrder(list: readonly unknown[], order: readonly unknown[], key: string | undefined): void {
  if (order.length === 0) return;
  const named = list.filter((member) => !isObject(member) || member[directive] === undefined);
  let next = 0;
  for (const member of named) {
    const at = order.findIndex((other, i) => i >= next && sameJson(idOf(other, key), idOf(member, key)));
    if (at < 0) throw otherOrder(list, order);
    next = at + 1;
  }
}

/** A list merged with a patch that has an order of its members; undefined when neither exists. */
export function orderedList(
  before: readonly unknown[] | undefined,
  patch: readonly unknown[] | undefined,
  order: readonly unknown[],
  members: Members,
): unknown[] | undefined {
  if (patch) checkOrder(patch, order, members.key);
  if (before === undefined && patch === undefined) return undefined;
  const merged =
    before && patch ? mergedList(before, patch, members) : [...(before ?? (withoutDirectives(patch) as unknown[]))];
  return arranged(merged, order, before ?? [], members.key);
}

const strategies = (schema: Schema): readonly string[] => (schema["x-kubernetes-patch-strategy"] ?? "").split(",");
const fieldOf = (schema: Schema, name: string): Schema => {
  const full = resolve(schema);
  return full.properties?.[name] ?? full.additionalProperties ?? {};
};
const membersOf = (list: Schema): Members => ({
  key: list["x-kubernetes-patch-merge-key"],
  merge: (member, patch) => mergedMap(member, patch, resolve(list).items ?? {}),
});

/** Removes all fields but those in `$retainKeys`; the patch itself must not set any other. */
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

/** Merges and arranges the lists that have an order; returns their names. */
function mergeOrderedLists(merged: Json, patch: Json, schema: Schema): ReadonlySet<string> {
  const names = Object.keys(patch).flatMap((name) => (name.startsWith(order) ? [name.slice(order.length)] : []));
  for (const name of names) {
    const [before, list] = [merged[name], patch[name]].map((value) =>
      value === undefined ? undefined : listIn(value),
    );
    const made = orderedList(before, list, listIn(patch[order + name]), membersOf(fieldOf(schema, name)));
    if (made !== undefined) merged[name] = made;
  }
  return new Set(names);
}

/** Removes scalars from a list, if it exists. */
function removeScalars(merged: Json, name: string, removed: unknown): void {
  const before = merged[name];
  if (Array.isArray(before) && Array.isArray(removed))
    merged[name] = before.filter((member) => !removed.some((one) => sameJson(one, member)));
}

/** The merged field; undefined when it is removed. */
function mergedField(before: unknown, value: unknown, schema: Schema): unknown {
  if (value === null) return undefined;
  const isMerged = strategies(schema).includes("merge");
  if (Array.isArray(before) && Array.isArray(value) && isMerged) return mergedList(before, value, membersOf(schema));
  if (!isObject(before) || !isObject(value)) return withoutDirectives(value);
  return strategies(schema).includes("replace") ? fieldsWithoutDirectives(value) : mergedMap(before, value, schema);
}

function mergedMap(original: Json, patch: Json, schema: Schema): Json {
  if (patch[directive] === "replace") return fieldsWithoutDirectives(patch);
  if (patch[directive] === "delete") return {};
  if (patch[directive] !== undefined) throw unknownDirective(patch);
  const merged = { ...original };
  retain(merged, patch);
  const ordered = mergeOrderedLists(merged, patch, schema);
  for (const [name, value] of Object.entries(patch))
    if (name.startsWith(deletion)) removeScalars(merged, name.slice(deletion.length), value);
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith(deletion) || name.startsWith(order) || name === retainKeys || ordered.has(name)) continue;
    const field = mergedField(merged[name], value, fieldOf(schema, name));
    if (field === undefined) delete merged[name];
    else merged[name] = field;
  }
  return merged;
}

/** What `object`, of this schema, becomes when the patch is merged into it; neither is changed. */
export const strategicPatched = (schema: Schema, object: object, patch: unknown): unknown =>
  mergedMap(object as Json, mapIn(patch), schema);
