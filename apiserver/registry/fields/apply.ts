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
  withoutFields,
  idOf,
  ownersOf,
  withOwners,
} from "./set.ts";
import { fieldSchema, isObject, keyDefaults, partsOf, stepFor, fullSchema, difference, fieldsOf } from "./shape.ts";
import { type Schema, resolve } from "../../../api/schema.ts";
import { ApiError } from "../../../api/errors.ts";
import type { ApiObject, ManagedFieldsEntry } from "../../../api/meta.ts";
import { canonicalJson, sameJson } from "../../../api/hash.ts";
import { type ResourceDefinition, apiVersionOf } from "../../../api/kinds.ts";
import { type Writer, createdBy, entryOf, ownable, touchable } from "./ownership.ts";

type Path = readonly string[];

const errorAt = (path: Path, because: string): string =>
  path.length === 0 ? because : `${shownPath(path)}: ${because}`;

/** A value as Go prints it in error messages. */
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
  const full = fullSchema(schema);
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

/** All type errors of a value in one message; undefined when there are none. */
export function typeError(schema: Schema, value: unknown): string | undefined {
  const errors = errorsIn(schema, value, []);
  return errors.length < 2 ? errors[0] : ["errors:", ...errors.map((error) => `  ${error}`)].join("\n");
}

type Json = Readonly<Record<string, unknown>>;

/** The live value with the configuration merged into it. */
export function merged(schema: Schema, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  const [liveParts, configParts] = [partsOf(schema, live), partsOf(schema, config)];
  if (live === undefined || !liveParts || !configParts) return config;
  if (!Array.isArray(config)) {
    const next: Record<string, unknown> = { ...(live as Json) };
    for (const [name, value] of Object.entries(config as Json))
      next[name] = merged(fieldSchema(schema, name), next[name], value);
    return next;
  }
  const step = stepFor(schema)!;
  const item = (configItem: unknown): unknown =>
    merged(configParts.get(step(configItem))!.schema, liveParts.get(step(configItem))?.value, configItem);
  return mergedItems(live as readonly unknown[], config, step, item);
}

/** Items of both lists: those of the configuration in its order, the others at their places. */
function mergedItems(
  live: readonly unknown[],
  config: readonly unknown[],
  step: (item: unknown) => string,
  item: (configItem: unknown) => unknown,
): unknown[] {
  const [before, configSteps] = [new Set(live.map(step)), new Set(config.map(step))];
  const result: unknown[] = [];
  const [liveLeft, configLeft] = [[...live], [...config]];
  while (liveLeft.length > 0 || configLeft.length > 0) {
    if (liveLeft.length > 0 && !configSteps.has(step(liveLeft[0]))) result.push(liveLeft.shift());
    else if (configLeft.length > 0) {
      const configItem = configLeft.shift();
      // An item of both lists replaces the next common item of the live list.
      if (before.has(step(configItem))) liveLeft.shift();
      result.push(item(configItem));
    } else liveLeft.shift();
  }
  return result;
}

/** The set with the parents of its fields, which belong to the same owner. */
export function withParents(schema: Schema, set: FieldSet): FieldSet {
  const { properties, items } = fullSchema(schema);
  const below = new Map<string, FieldSet>();
  for (const [step, inner] of set.below) {
    const isField = step.startsWith("f:");
    const found = withParents(isField ? fieldSchema(schema, step.slice(2)) : (items ?? {}), inner);
    const isNamed = isField && properties?.[step.slice(2)] !== undefined;
    below.set(step, isNamed ? { has: true, below: found.below } : found);
  }
  return setOf(set.has, below);
}

/** The value without what is at these paths, and without parts that this leaves empty. */
export function without(schema: Schema, value: unknown, removed: FieldSet): unknown {
  const parts = isEmpty(removed) ? undefined : partsOf(schema, value);
  if (!parts) return value;
  const left: [string, unknown][] = [];
  for (const [step, part] of parts) {
    const below = removed.below.get(step);
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
  const shownManager = subresource
    ? `${JSON.stringify(manager)} with subresource ${JSON.stringify(subresource)}`
    : JSON.stringify(manager);
  return operation === "Update" ? `${shownManager} using ${apiVersion}` : shownManager;
}

/** The refusal of an apply. */
export function conflictError(conflicts: Conflicts): ApiError {
  const byOwner = conflicts
    .toSorted((a, b) => (idOf(a.entry) < idOf(b.entry) ? -1 : 1))
    .map(({ entry, fields }) => ({ owner: nameOf(entry), paths: [...pathsIn(fields)].map(shownPath) }));
  const causes = byOwner.flatMap(({ owner, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${owner}`, field })),
  );
  const [only] = causes;
  const listed = byOwner.flatMap(({ owner, paths }) => [
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
const lastApplied = (object: ApiObject): string => object.metadata.annotations?.[annotation] ?? "";

/** Unchanged fields of the last client-side apply, which a server-side apply may take over. */
export function clientSideFields(r: ResourceDefinition, live: ApiObject): FieldSet {
  try {
    const config = JSON.parse(lastApplied(live)) as ApiObject;
    if (config.apiVersion !== apiVersionOf(r)) return noFields;
    const { changed, removed } = difference(r, config, live);
    return minus(fieldsOf(r.schema, config), union(changed, removed));
  } catch {
    // Without a readable annotation no field may be taken over.
    return noFields;
  }
}

/** The annotation of the last applied configuration, brought up to date where there is one. */
export function withLastApplied(object: ApiObject, sent: object, manager: string): ApiObject {
  if (manager !== "kubectl" || lastApplied(object) === "") return object;
  const { metadata } = sent as ApiObject;
  const { [annotation]: _, ...others } = metadata.annotations ?? {};
  const plain = metadata.annotations ? { ...sent, metadata: { ...metadata, annotations: others } } : sent;
  const annotations = { ...object.metadata.annotations, [annotation]: `${canonicalJson(plain)}\n` };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** The owners of an object. Fields from before tracking belong to the manager `before-first-apply`. */
function trackedOwners(r: ResourceDefinition, live: ApiObject, writer: Writer): readonly Owner[] {
  const owners = ownersOf(live);
  if (owners.length > 0) return owners;
  return ownersOf(createdBy(r, live, { ...writer, manager: "before-first-apply" }, noFields));
}

/** The object without fields that only this manager applied and that its configuration no longer has. */
function pruned(r: ResourceDefinition, combined: unknown, last: FieldSet, held: FieldSet): ApiObject {
  const { schema } = r;
  const present = common(held, fieldsOf(schema, combined));
  return without(schema, combined, minus(withParents(schema, last), withParents(schema, present))) as ApiObject;
}

function checkConflicts(r: ResourceDefinition, live: ApiObject, conflicts: Conflicts, manager: string): void {
  if (conflicts.length === 0) return;
  if (manager !== "kubectl") throw conflictError(conflicts);
  const allowed = clientSideFields(r, live);
  if (!isEmpty(minus(fieldsIn(conflicts), allowed))) throw conflictError(conflictsBut(conflicts, allowed));
}

/** The object after a manager applied a configuration to it. */
export function applied(
  r: ResourceDefinition,
  live: ApiObject,
  config: ApiObject,
  writer: Writer,
  force: boolean,
): ApiObject {
  const owners = trackedOwners(r, live, writer);
  const entry = entryOf(r, "Apply", writer);
  const before = owners.find((owner) => idOf(owner.entry) === idOf(entry));
  const others = owners.filter((owner) => owner !== before);
  const appliedFields = touchable(r, fieldsOf(r.schema, config), writer.subresource);
  const held = others.reduce((all, { fields }) => union(all, fields), appliedFields);
  const unowned = withOwners(live, []);
  const combined = merged(r.schema, unowned, config);
  const next = before ? pruned(r, combined, before.fields, held) : (combined as ApiObject);
  const found = difference(r, unowned, next);
  const changed = touchable(r, found.changed, writer.subresource);
  if (!force) checkConflicts(r, live, conflictsWith(others, changed), writer.manager);
  const left = withoutFields(others, union(changed, touchable(r, found.removed, writer.subresource)));
  const own = ownable(appliedFields);
  const isSame = sameJson(unowned, next);
  const kept = before && sameFields(before.fields, own);
  const { time, ...timeless } = entry;
  const mine = { entry: isSame ? { ...timeless, ...(before?.entry.time && { time: before.entry.time }) } : entry };
  const after = [...left, ...(isEmpty(own) ? [] : [{ ...mine, fields: own }])];
  return isSame && kept && left.length === others.length ? live : withOwners(next, after);
}

/** A new object from a configuration, all of whose fields belong to its manager. */
export function appliedNew(r: ResourceDefinition, config: ApiObject, writer: Writer): ApiObject {
  const own = ownable(touchable(r, fieldsOf(r.schema, config), writer.subresource));
  return withOwners(config, isEmpty(own) ? [] : [{ entry: entryOf(r, "Apply", writer), fields: own }]);
}
