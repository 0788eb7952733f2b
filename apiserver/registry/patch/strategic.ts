// Strategic merge patch: a merge patch that knows from the schema which lists are sets of named things. Pure.
import { ApiError } from "../../../api/errors.ts";
import { resolve, type Schema } from "../../../api/schema.ts";
import { sameJson } from "../../../api/hash.ts";

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const directive = "$patch";
const retainKeys = "$retainKeys";
const order = "$setElementOrder/";
const deletion = "$deleteFromPrimitiveList/";

const strategies = (schema: Schema): readonly string[] => (schema["x-kubernetes-patch-strategy"] ?? "").split(",");
const fieldOf = (schema: Schema, name: string): Schema => {
  const full = resolve(schema);
  return full.properties?.[name] ?? full.additionalProperties ?? {};
};

/** Without `$patch` and its like, which are words to us and not part of the object. */
function plain(value: unknown): unknown {
  if (Array.isArray(value))
    return value
      .filter((item) => !isObject(item) || item[directive] === undefined || item[directive] === "merge")
      .map(plain);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(
    ([name, inner]) =>
      inner !== null &&
      name !== directive &&
      name !== retainKeys &&
      !name.startsWith(order) &&
      !name.startsWith(deletion),
  );
  return Object.fromEntries(kept.map(([name, inner]) => [name, plain(inner)]));
}

/** In the order the patch asks for; what it does not name stays next to what it stood behind. */
function ordered(
  items: readonly unknown[],
  wanted: readonly unknown[],
  original: readonly unknown[],
  idOf: (item: unknown) => unknown,
): unknown[] {
  const place = (item: unknown): number => wanted.findIndex((w) => sameJson(idOf(w), idOf(item)));
  const named = items.filter((item) => place(item) >= 0).toSorted((a, b) => place(a) - place(b));
  const others = items.filter((item) => place(item) < 0);
  const was = (item: unknown): number => original.findIndex((o) => sameJson(idOf(o), idOf(item)));
  const result: unknown[] = [];
  while (named.length > 0 || others.length > 0) {
    const [a, b] = [named[0], others[0]];
    const otherFirst =
      a === undefined || (b !== undefined && was(b) >= 0 && (was(a) < 0 || was(b) < was(a)) && was(a) >= 0);
    if (b !== undefined && otherFirst) result.push(others.shift());
    else if (a !== undefined) result.push(named.shift());
    else result.push(others.shift());
  }
  return result;
}

function mergePrimitives(original: readonly unknown[], patch: readonly unknown[], gone: readonly unknown[]): unknown[] {
  const kept = original.filter((item) => !gone.some((g) => sameJson(g, item)));
  return [...kept, ...patch.filter((item) => !kept.some((k) => sameJson(k, item)))];
}

function mergeByKey(original: readonly unknown[], patch: readonly Json[], key: string, item: Schema): unknown[] {
  if (patch.some((p) => p[directive] === "replace")) return patch.filter((p) => p[directive] === undefined).map(plain);
  let result = [...original];
  for (const wanted of patch) {
    const id = wanted[key];
    if (id === undefined)
      throw new ApiError("BadRequest", `map: ${JSON.stringify(wanted)} does not contain declared merge key: ${key}`);
    const at = result.findIndex((existing) => isObject(existing) && sameJson(existing[key], id));
    if (wanted[directive] === "delete")
      result = result.filter((existing) => !isObject(existing) || !sameJson(existing[key], id));
    else if (at >= 0) result[at] = mergeObject(result[at], wanted, item);
    else result.push(mergeObject({}, wanted, item));
  }
  return result;
}

function mergeList(
  original: unknown,
  patch: readonly unknown[] | undefined,
  schema: Schema,
  words: { readonly gone?: unknown; readonly order?: unknown },
): unknown[] {
  const before = Array.isArray(original) ? original : [];
  const item = resolve(schema).items ?? {};
  const key = schema["x-kubernetes-patch-merge-key"];
  if (!strategies(schema).includes("merge")) return (patch ?? before).map(plain);
  const gone = Array.isArray(words.gone) ? words.gone : [];
  const merged =
    key === undefined || resolve(item).type !== "object"
      ? mergePrimitives(before, patch ?? [], gone)
      : mergeByKey(before, (patch ?? []) as readonly Json[], key, item);
  if (!Array.isArray(words.order)) return merged;
  return ordered(merged, words.order, before, (one) => (key !== undefined && isObject(one) ? one[key] : one));
}

function mergeField(merged: Json, name: string, patch: Json, schema: Schema): void {
  const value = patch[name];
  const field = fieldOf(schema, name);
  const words = { gone: patch[deletion + name], order: patch[order + name] };
  if (value === null) delete merged[name];
  else if (Array.isArray(value) || words.gone !== undefined || words.order !== undefined)
    merged[name] = mergeList(merged[name], value as readonly unknown[] | undefined, field, words);
  else if (isObject(value)) merged[name] = mergeObject(merged[name], value, field);
  else merged[name] = value;
}

function mergeObject(original: unknown, patch: Json, schema: Schema): unknown {
  if (patch[directive] === "replace" || strategies(schema).includes("replace")) return plain(patch);
  if (patch[directive] === "delete") return undefined;
  const merged: Json = isObject(original) ? { ...original } : {};
  const keep = patch[retainKeys];
  if (Array.isArray(keep)) for (const name of Object.keys(merged)) if (!keep.includes(name)) delete merged[name];
  const named = Object.keys(patch).map((name) => name.replace(order, "").replace(deletion, ""));
  for (const name of new Set(named)) {
    if (name === directive || name === retainKeys) continue;
    mergeField(merged, name, patch, schema);
    if (merged[name] === undefined) delete merged[name];
  }
  return merged;
}

/** What `object`, of this schema, becomes when the patch is merged into it; neither is changed. */
export function strategicPatched(schema: Schema, object: unknown, patch: unknown): unknown {
  if (!isObject(patch)) throw new ApiError("BadRequest", "a strategic merge patch must be an object");
  return mergeObject(object, patch, schema) ?? {};
}
