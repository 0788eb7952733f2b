// Server-side apply: an applied configuration is checked, merged into the object, and its conflicts with other managers
// found (KEP-555). Pure.
import {
  type FieldSet,
  type Owner,
  common,
  isEmpty,
  minus,
  noFields,
  pathsIn,
  sameFields,
  setOf,
  shownPath,
  union,
  deprived,
  idOf,
  ownersOf,
  withOwners,
} from "./set.ts";
import { fieldSchema, isObject, keyDefaults, partsOf, stepFor, whole, difference, fieldsOf } from "./shape.ts";
import { type Schema, resolve } from "../../../api/schema.ts";
import { ApiError } from "../../../api/errors.ts";
import type { ApiObject, ManagedFieldsEntry } from "../../../api/meta.ts";
import { canonicalJson, sameJson } from "../../../api/hash.ts";
import { type ResourceDefinition, apiVersionOf } from "../../../api/kinds.ts";
import { type Writer, createdBy, entryOf, ownable, touchable } from "./ownership.ts";

type Path = readonly string[];

const errorAt = (path: Path, because: string): string =>
  path.length === 0 ? because : `${shownPath(path)}: ${because}`;

/** A value as the original's language shows one of its own. */
const inside = (value: unknown): string => `&value.valueUnstructured{Value:${JSON.stringify(value)}}`;
const typeOf = (value: unknown): string =>
  ({ boolean: "bool", number: Number.isInteger(value) ? "int64" : "float64" })[typeof value as string] ??
  (Array.isArray(value) ? "[]interface {}" : isObject(value) ? "map[string]interface {}" : typeof value);

function scalarErrors(schema: Schema, value: unknown, path: Path): readonly string[] {
  if (schema.type === "integer" || schema.type === "number")
    return typeof value === "number" ? [] : [errorAt(path, `expected numeric (int or float), got ${typeOf(value)}`)];
  if (schema.type === "boolean")
    return typeof value === "boolean" ? [] : [errorAt(path, `expected boolean, got ${inside(value)}`)];
  // Times and amounts are of any type to the checker.
  const isFree = schema.type !== "string" || ["quantity", "date-time", "date-time-micro"].includes(schema.format ?? "");
  return isFree || typeof value === "string" ? [] : [errorAt(path, `expected string, got ${inside(value)}`)];
}

function keyError(item: unknown, keys: readonly string[]): string | undefined {
  if (!isObject(item)) return "associative list with keys may not have non-map elements";
  const missing = keys.find((key) => item[key] === undefined && keyDefaults[key] === undefined);
  return missing === undefined
    ? undefined
    : `associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`;
}

function listErrors(full: Schema, value: readonly unknown[], path: Path): readonly string[] {
  const step = stepFor(full);
  const keys = full["x-kubernetes-list-type"] === "map" ? (full["x-kubernetes-list-map-keys"] ?? []) : [];
  const stepsSeen = new Set<string>();
  return value.flatMap((item, i) => {
    const because = step && keys.length > 0 ? keyError(item, keys) : undefined;
    if (because !== undefined) return [errorAt(path, `element ${i}: ${because}`)];
    const at = step ? step(item) : `i:${i}`;
    const again = step !== undefined && stepsSeen.has(at);
    stepsSeen.add(at);
    return [
      ...(again ? [errorAt(path, `duplicate entries for key ${shownPath([at])}`)] : []),
      ...errorsIn(full.items ?? {}, item, [...path, at]),
    ];
  });
}

function errorsIn(schema: Schema, value: unknown, path: Path): readonly string[] {
  if (value === null || value === undefined) return [];
  const full = whole(schema);
  if (full.type === "array")
    return Array.isArray(value) ? listErrors(full, value, path) : [errorAt(path, `expected list, got &{${value}}`)];
  if (full.type !== "object") return scalarErrors(full, value, path);
  if (!isObject(value)) return [errorAt(path, `expected map, got &{${value}}`)];
  const { properties, additionalProperties } = resolve(full);
  if (full["x-kubernetes-preserve-unknown-fields"]) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const field = properties && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    const at = [...path, `f:${name}`];
    return field ? errorsIn(field, inner, at) : [errorAt(at, "field not declared in schema")];
  });
}

/** Everything that is wrong with the types of a value, as one sentence; nothing when all is well. */
export function typeError(schema: Schema, value: unknown): string | undefined {
  const errors = errorsIn(schema, value, []);
  return errors.length < 2 ? errors[0] : ["errors:", ...errors.map((error) => `  ${error}`)].join("\n");
}

type Json = Readonly<Record<string, unknown>>;

/** What becomes of `live` when `wanted` is laid over it. */
export function merged(schema: Schema, live: unknown, wanted: unknown): unknown {
  if (wanted === undefined) return live;
  const [now, over] = [partsOf(schema, live), partsOf(schema, wanted)];
  if (live === undefined || !now || !over) return wanted;
  if (!Array.isArray(wanted)) {
    const next: Record<string, unknown> = { ...(live as Json) };
    for (const [name, value] of Object.entries(wanted as Json))
      next[name] = merged(fieldSchema(schema, name), next[name], value);
    return next;
  }
  const step = stepFor(schema)!;
  const item = (wish: unknown): unknown => merged(over.get(step(wish))!.schema, now.get(step(wish))?.value, wish);
  return mergedItems(live as readonly unknown[], wanted, step, item);
}

/** Items of both lists: those that are wanted in the order they are wanted in, the others where they were. */
function mergedItems(
  live: readonly unknown[],
  wanted: readonly unknown[],
  step: (item: unknown) => string,
  item: (wish: unknown) => unknown,
): unknown[] {
  const [before, wishes] = [new Set(live.map(step)), new Set(wanted.map(step))];
  const result: unknown[] = [];
  const [standing, open] = [[...live], [...wanted]];
  while (standing.length > 0 || open.length > 0) {
    if (standing.length > 0 && !wishes.has(step(standing[0]))) result.push(standing.shift());
    else if (open.length > 0) {
      const wish = open.shift();
      // What both have takes the place of whichever of the common ones stood here.
      if (before.has(step(wish))) standing.shift();
      result.push(item(wish));
    } else standing.shift();
  }
  return result;
}

/** The set with the parents of its fields, which belong to the same owner. */
export function withWays(schema: Schema, set: FieldSet): FieldSet {
  const { properties, items } = whole(schema);
  const below = new Map<string, FieldSet>();
  for (const [step, inner] of set.below) {
    const isField = step.startsWith("f:");
    const found = withWays(isField ? fieldSchema(schema, step.slice(2)) : (items ?? {}), inner);
    const isNamed = isField && properties?.[step.slice(2)] !== undefined;
    below.set(step, isNamed ? { has: true, below: found.below } : found);
  }
  return setOf(set.has, below);
}

/** The value without what is at these paths; what is thereby empty goes too. */
export function without(schema: Schema, value: unknown, gone: FieldSet): unknown {
  const parts = isEmpty(gone) ? undefined : partsOf(schema, value);
  if (!parts) return value;
  const left: [string, unknown][] = [];
  for (const [step, part] of parts) {
    const below = gone.below.get(step);
    if (below?.has) continue;
    const kept = below ? without(part.schema, part.value, below) : part.value;
    if (kept !== undefined) left.push([step.slice(2), kept]);
  }
  if (left.length === 0) return undefined;
  return isObject(value) ? Object.fromEntries(left) : left.map(([, item]) => item);
}

/** Fields owned by others that an apply would change. */
export type Conflicts = readonly Owner[];

const narrowed = (owners: readonly Owner[], narrow: (fields: FieldSet) => FieldSet): Conflicts =>
  owners.map(({ entry, fields }) => ({ entry, fields: narrow(fields) })).filter(({ fields }) => !isEmpty(fields));
/** The changed fields that belong to others. */
export const conflictsWith = (others: readonly Owner[], changed: FieldSet): Conflicts =>
  narrowed(others, (fields) => common(fields, changed));
/** The conflicts, without these fields. */
export const conflictsBut = (conflicts: Conflicts, allowed: FieldSet): Conflicts =>
  narrowed(conflicts, (fields) => minus(fields, allowed));

/** All the fields that are in conflict. */
export const fieldsIn = (conflicts: Conflicts): FieldSet =>
  conflicts.reduce((all, { fields }) => union(all, fields), noFields);

function nameOf({ manager = "", operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  const who = subresource
    ? `${JSON.stringify(manager)} with subresource ${JSON.stringify(subresource)}`
    : JSON.stringify(manager);
  return operation === "Update" ? `${who} using ${apiVersion}` : who;
}

/** The refusal of an apply. */
export function conflictError(conflicts: Conflicts): ApiError {
  const errorAt = conflicts
    .toSorted((a, b) => (idOf(a.entry) < idOf(b.entry) ? -1 : 1))
    .map(({ entry, fields }) => ({ owner: nameOf(entry), paths: [...pathsIn(fields)].map(shownPath) }));
  const causes = errorAt.flatMap(({ owner, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${owner}`, field })),
  );
  const [only] = causes;
  const listed = errorAt.flatMap(({ owner, paths }) => [
    `conflicts with ${owner}:`,
    ...paths.map((path) => `- ${path}`),
  ]);
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${only!.message}: ${only!.field}`
      : `Apply failed with ${causes.length} conflicts: ${listed.join("\n")}`;
  return new ApiError("Conflict", message, { causes });
}

const annotation = "kubectl.kubernetes.io/last-applied-configuration";
const noted = (object: ApiObject): string => object.metadata.annotations?.[annotation] ?? "";

/** What the client applied and still stands: its own server-side apply may have it. */
export function fromClientSide(r: ResourceDefinition, live: ApiObject): FieldSet {
  try {
    const config = JSON.parse(noted(live)) as ApiObject;
    if (config.apiVersion !== apiVersionOf(r)) return noFields;
    const { changed, removed } = difference(r, config, live);
    return minus(fieldsOf(r.schema, config), union(changed, removed));
  } catch {
    // No note, or none that can be read: then nothing is known to be allowed.
    return noFields;
  }
}

/** The annotation of the last applied configuration, brought up to date where there is one. */
export function followed(object: ApiObject, said: object, manager: string): ApiObject {
  if (manager !== "kubectl" || noted(object) === "") return object;
  const { metadata } = said as ApiObject;
  const { [annotation]: _, ...others } = metadata.annotations ?? {};
  const plain = metadata.annotations ? { ...said, metadata: { ...metadata, annotations: others } } : said;
  const annotations = { ...object.metadata.annotations, [annotation]: `${canonicalJson(plain)}\n` };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** The owners of an object. Fields from before tracking belong to the manager `before-first-apply`. */
function claimed(r: ResourceDefinition, live: ApiObject, writer: Writer): readonly Owner[] {
  const owners = ownersOf(live);
  if (owners.length > 0) return owners;
  return ownersOf(createdBy(r, live, { ...writer, manager: "before-first-apply" }, noFields));
}

/** The object without fields that only this manager applied, and applies no longer. */
function pruned(r: ResourceDefinition, over: unknown, last: FieldSet, held: FieldSet): ApiObject {
  const { schema } = r;
  const standing = common(held, fieldsOf(schema, over));
  return without(schema, over, minus(withWays(schema, last), withWays(schema, standing))) as ApiObject;
}

function refuse(r: ResourceDefinition, live: ApiObject, conflicts: Conflicts, manager: string): void {
  if (conflicts.length === 0) return;
  if (manager !== "kubectl") throw conflictError(conflicts);
  const allowed = fromClientSide(r, live);
  if (!isEmpty(minus(fieldsIn(conflicts), allowed))) throw conflictError(conflictsBut(conflicts, allowed));
}

/** What becomes of what stands there when a manager applies what it wants. */
export function applied(
  r: ResourceDefinition,
  live: ApiObject,
  wanted: ApiObject,
  writer: Writer,
  force: boolean,
): ApiObject {
  const owners = claimed(r, live, writer);
  const entry = entryOf(r, "Apply", writer);
  const before = owners.find((owner) => idOf(owner.entry) === idOf(entry));
  const others = owners.filter((owner) => owner !== before);
  const said = touchable(r, fieldsOf(r.schema, wanted), writer.subresource);
  const held = others.reduce((all, { fields }) => union(all, fields), said);
  const bare = withOwners(live, []);
  const over = merged(r.schema, bare, wanted);
  const next = before ? pruned(r, over, before.fields, held) : (over as ApiObject);
  const found = difference(r, bare, next);
  const changed = touchable(r, found.changed, writer.subresource);
  if (!force) refuse(r, live, conflictsWith(others, changed), writer.manager);
  const left = deprived(others, union(changed, touchable(r, found.removed, writer.subresource)));
  const own = ownable(said);
  const isSame = sameJson(bare, next);
  const kept = before && sameFields(before.fields, own);
  const { time, ...timeless } = entry;
  const mine = { entry: isSame ? { ...timeless, ...(before?.entry.time && { time: before.entry.time }) } : entry };
  const after = [...left, ...(isEmpty(own) ? [] : [{ ...mine, fields: own }])];
  return isSame && kept && left.length === others.length ? live : withOwners(next, after);
}

/** A new object from a configuration, all of whose fields belong to its manager. */
export function appliedNew(r: ResourceDefinition, wanted: ApiObject, writer: Writer): ApiObject {
  const own = ownable(touchable(r, fieldsOf(r.schema, wanted), writer.subresource));
  return withOwners(wanted, isEmpty(own) ? [] : [{ entry: entryOf(r, "Apply", writer), fields: own }]);
}
