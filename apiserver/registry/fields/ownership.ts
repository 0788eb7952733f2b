// Field ownership: `metadata.managedFields` as every write keeps it (KEP-555). What the server's own components create
// is not tracked. Pure.
import {
  type FieldSet,
  type Owner,
  inStepOrder,
  isEmpty,
  minus,
  noFields,
  pathsOf,
  union,
  withoutBelow,
  withoutFields,
  idOf,
  ownersOf,
  readOwners,
  withOwners,
} from "./set.ts";
import { type Shape, anySchema, fieldStep, isObject, isPresent, presentIn, shapeOf, difference } from "./shape.ts";
import { type ResourceDefinition, apiVersionOf, qualified } from "../../../api/kinds.ts";
import type { Schema } from "../../../api/schema.ts";
import { type ApiObject, type Draft, type Instant, type ManagedFieldsEntry, timestamp } from "../../../api/meta.ts";

const jobLabels = ["controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"];
/**
 * Fields the server fills in on create, beyond the defaults of the kind: Kubernetes determines the owners first, so
 * that these have none.
 */
const paths: Readonly<Record<string, readonly (readonly string[])[]>> = {
  pods: ["serviceAccountName", "serviceAccount", "priority", "preemptionPolicy", "tolerations"].map((f) => ["spec", f]),
  services: ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"].map((f) => ["spec", f]),
  namespaces: [["spec", "finalizers"]],
  persistentvolumes: [["metadata", "finalizers"]],
  persistentvolumeclaims: [["metadata", "finalizers"]],
  "jobs.batch": [
    ["metadata", "labels"],
    ["spec", "selector"],
    ["spec", "template", "metadata", "labels"],
    ...jobLabels.map((label) => ["spec", "template", "metadata", "labels", label]),
  ],
};

/** The paths of a kind, each with the set of it alone. */
const setsOf = new Map(
  Object.entries(paths).map(([kind, own]) => [
    kind,
    own.map((path) => ({ path, set: pathsOf(path.map((name) => `f:${name}`)) })),
  ]),
);

const isSet = (object: unknown, path: readonly string[]): boolean => {
  let at = object;
  for (const name of path) {
    if (typeof at !== "object" || at === null) return false;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return at !== undefined;
};

/** Fields of a new object that the server filled in, because the request did not set them. */
export function unsetFieldsIn(r: ResourceDefinition, sent: object): FieldSet {
  const unset = (setsOf.get(qualified(r)) ?? []).filter(({ path }) => !isSet(sent, path));
  return unset.reduce((all, { set }) => union(all, set), noFields);
}

type Json = Readonly<Record<string, unknown>>;
type Tree = Record<string, object>;
/** The end of a path. */
const end: object = Object.freeze({});

/** The fields that the schema does not name, in their order. */
const unnamed = ({ steps }: Shape, value: Json): readonly string[] =>
  Object.keys(value)
    .filter((name) => !steps.has(name) && value[name] !== undefined)
    .sort();

function allItems({ full, step }: Shape, value: readonly unknown[], tree: Tree): Tree {
  const items = full.items ?? anySchema;
  if (value.length === 1) {
    tree[step!(value[0])] = all(items, value[0]);
    return tree;
  }
  const byStep = new Map(value.map((item) => [step!(item), item]));
  for (const at of inStepOrder([...byStep.keys()])) tree[at] = all(items, byStep.get(at));
  return tree;
}

/** Most cached flat trees of a schema. */
const mostFlat = 256;
/** The tree of an object with this set of named fields and nothing below them. Cached. */
function flatTree({ fields, flat }: Shape, which: number): Tree {
  const known = flat.get(which);
  if (known) return known;
  const tree: Tree = { ".": end };
  for (const { step, weight } of fields) if (Math.floor(which / weight) % 2 === 1) tree[step] = end;
  if (flat.size < mostFlat) flat.set(which, Object.freeze(tree));
  return tree;
}

/** Copies the cached tree of objects with the same fields, which is faster than adding each field in order. */
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
  const merged = { ...flat };
  for (const [step, tree] of below) merged[step] = tree;
  return merged;
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
    tree[fieldStep(name)] = all(shape.full.additionalProperties ?? anySchema, value[name]);
  }
  return isBare ? end : tree;
}

/** All fields of a value, itself included. */
function all(schema: Schema, value: unknown): object {
  if (typeof value !== "object" || value === null) return end;
  const shape = shapeOf(schema);
  if (!Array.isArray(value)) return shape.hasFields ? allFields(shape, value as Json) : end;
  return shape.step && value.length > 0 ? allItems(shape, value, { ".": end }) : end;
}

/** The fields in a struct that counts as present, without those at or below the ends of `cut`; undefined when none. */
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
    for (const name of unnamed(shape, value)) put(name, fieldStep(name), shape.full.additionalProperties ?? anySchema);
  return isBare ? undefined : tree;
}
function ofPresent(schema: Schema, value: unknown, cut: FieldSet): object | undefined {
  const shape = shapeOf(schema);
  if (isObject(value) && shape.hasFields) return inside(shape, shape.type, value, cut);
  if (!Array.isArray(value) || !shape.step) return all(schema, value);
  return value.length > 0 ? allItems(shape, value, {}) : undefined;
}

/** As `fieldsV1`: every field that a new object sets, except `cut`. */
export function initialFields(r: ResourceDefinition, object: object, cut: FieldSet): object | undefined {
  const type = r.published.slice(r.published.lastIndexOf(".") + 1);
  return inside(shapeOf(r.schema), type, object as Json, cut);
}

/** The field manager of a write, and the subresource that is written. */
export interface Writer {
  readonly manager: string;
  readonly subresource?: string;
  readonly now: Instant;
}

const metadataOfServer = [
  ...["name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion"],
].map((name) => ["f:metadata", `f:${name}`]);
const serverPaths = [["f:apiVersion"], ["f:kind"], ...metadataOfServer];
/** Fields that the server sets in every object, which have no owner. */
const serverFields = pathsOf(...serverPaths);
/** The same with their parents. */
const ownerless = pathsOf(...serverPaths, ["f:metadata"]);
const status = pathsOf(["f:status"]);
const spec = pathsOf(["f:spec"]);

/** The fields that a write of this subresource can change, and so own. */
export function touchable(r: ResourceDefinition, fields: FieldSet, subresource: string | undefined): FieldSet {
  if (subresource === "status") return withoutBelow(fields, spec);
  return subresource === undefined && r.subresources.includes("status") ? withoutBelow(fields, status) : fields;
}
/** The fields without those that have no owner. */
export const ownable = (fields: FieldSet): FieldSet => minus(fields, ownerless);

/** An entry of this writer, without its fields. */
export function entryOf(
  r: ResourceDefinition,
  operation: "Apply" | "Update",
  { manager, subresource, now }: Writer,
): ManagedFieldsEntry {
  return {
    manager: manager || "unknown",
    operation,
    apiVersion: apiVersionOf(r),
    // Without a time for scale, as in Kubernetes.
    ...(subresource !== "scale" && { time: timestamp(now) }),
    fieldsType: "FieldsV1",
    ...(subresource !== undefined && { subresource }),
  };
}

const [serverOrSpec, serverOrStatus] = [union(serverFields, spec), union(serverFields, status)];
/** The fields of a new object that a writer of this subresource cannot own. */
function notOwnable(r: ResourceDefinition, subresource: string | undefined): FieldSet {
  if (subresource === "status") return serverOrSpec;
  return subresource === undefined && r.subresources.includes("status") ? serverOrStatus : serverFields;
}

/** A new object whose fields belong to its creator, except `unset`. */
export function createdBy(r: ResourceDefinition, object: ApiObject, writer: Writer, unset: FieldSet): ApiObject {
  const fieldsV1 = initialFields(r, object, union(notOwnable(r, writer.subresource), unset));
  const { managedFields: _, ...metadata } = object.metadata;
  const managedFields = [{ ...entryOf(r, "Update", writer), fieldsV1 }];
  return { ...object, metadata: { ...metadata, ...(fieldsV1 && { managedFields }) } };
}

/** An object after a write that changed `before`, of which these were the owners, to `after`. */
export function updatedBy(
  r: ResourceDefinition,
  owners: readonly Owner[],
  { before, after }: { readonly before: ApiObject; readonly after: ApiObject },
  writer: Writer,
): ApiObject {
  const found = difference(r, before, after);
  const changed = touchable(r, found.changed, writer.subresource);
  const removed = touchable(r, found.removed, writer.subresource);
  const lost = union(changed, removed);
  if (isEmpty(lost)) return withOwners(after, owners);
  const entry = entryOf(r, "Update", writer);
  const mine = ownable(changed);
  const left = withoutFields(owners, lost);
  if (isEmpty(mine)) return withOwners(after, left);
  const held = left.find((owner) => idOf(owner.entry) === idOf(entry));
  const others = left.filter((owner) => owner !== held);
  return withOwners(after, [...others, { entry, fields: held ? union(held.fields, mine) : mine }]);
}

/** The field manager of a write, and where its managed fields come from. */
export interface Ownership {
  /** Without one, the server's own components. */
  readonly manager?: string;
  /** The object already has its new managed fields. */
  readonly ownership?: "supplied";
}
/** The time of a write, and the subresource that is written. */
export interface Occasion {
  readonly now: Instant;
  readonly subresource?: string;
}

const components = "kube-controller-manager";

const unowned = (object: ApiObject): ApiObject => {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
};

/** A new object with its first managed fields, if they are tracked. `sent` is what the request set. */
export function initialOwnership(
  r: ResourceDefinition,
  object: ApiObject,
  sent: Draft<ApiObject>,
  { manager, ownership, now }: Ownership & Occasion,
): ApiObject {
  if (ownership === "supplied") return object;
  if (manager === undefined) return unowned(object);
  return createdBy(r, object, { manager, now }, unsetFieldsIn(r, sent));
}

/** An empty list, or one empty entry, is a request to reset managed fields. */
const isCleared = ({ metadata: { managedFields: entries } }: ApiObject): boolean =>
  entries !== undefined && (entries.length === 0 || (entries.length === 1 && Object.keys(entries[0]!).length === 0));

/** The owners before a write: those it sends, if they are valid; else the stored ones. */
function previousOwners(before: ApiObject, after: ApiObject, subresource: string | undefined): readonly Owner[] {
  const sent = after.metadata.managedFields;
  if (subresource !== undefined || sent === before.metadata.managedFields) return ownersOf(before);
  if (isCleared(after)) return [];
  const read = readOwners(sent);
  return typeof read === "string" || read.length === 0 ? ownersOf(before) : read;
}

/** A changed object with its managed fields brought up to date. */
export function ownedAfter(
  r: ResourceDefinition,
  before: ApiObject,
  after: ApiObject,
  { manager = components, ownership, now, subresource }: Ownership & Occasion,
): ApiObject {
  if (ownership === "supplied") return after;
  if (before.metadata.managedFields === undefined && after.metadata.managedFields === undefined) return after;
  const owners = previousOwners(before, after, subresource);
  if (owners.length === 0) return unowned(after);
  const writer: Writer = { manager, now, ...(subresource !== undefined && { subresource }) };
  return updatedBy(r, owners, { before, after: unowned(after) }, writer);
}
