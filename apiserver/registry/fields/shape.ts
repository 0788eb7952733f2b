// The shape by which a schema divides an object into fields: which fields a value sets, and which differ between two
// states of an object. Pure.
import { sameJson } from "../../../api/hash.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { type Schema, resolve } from "../../../api/schema.ts";
import { type FieldSet, here, isEmpty, noFields, setOf } from "./set.ts";

/** A part of a value that is owned by itself. */
export interface Part {
  readonly schema: Schema;
  readonly value: unknown;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Defaults of key fields of list items; Kubernetes has one. */
export const keyDefaults: Readonly<Record<string, unknown>> = { protocol: "TCP" };

const mostSteps = 1_000;
const longestName = 64;
/** Caches results by name: few names recur in most objects. */
function memoized(make: (name: string) => string): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const step = make(name);
    if (known.size >= mostSteps) known.clear();
    if (name.length <= longestName) known.set(name, step);
    return step;
  };
}
/** The step to a field. */
export const fieldStep = memoized((name) => `f:${name}`);

/** A key of a list item, as the beginning of its path step. */
interface KeyName {
  readonly name: string;
  readonly written: string;
}
/** Which item of a list this is. */
function itemStep(item: unknown, keys: readonly KeyName[]): string {
  const named = isObject(item) ? item : {};
  const values: string[] = [];
  for (const { name, written } of keys) {
    const value = JSON.stringify(named[name] ?? keyDefaults[name]);
    if (value !== undefined) values.push(written + value);
  }
  return `k:{${values.join(",")}}`;
}

/** What follows from a schema about the parts of its values. */
export interface Shape {
  /** The schema of the field merged with that of its type. */
  readonly full: Schema;
  /** The name of the type a field refers to. */
  readonly type: string;
  /** How list items are identified: by their keys, by their value, or not at all. */
  readonly step: ((item: unknown) => string) | undefined;
  /** Whether an object is owned field by field. */
  readonly hasFields: boolean;
  /** The fields that have a name of their own, in the order of their steps. */
  readonly fields: readonly Field[];
  readonly steps: ReadonlyMap<string, string>;
  /** Whether a decoded value has no other fields. */
  readonly hasOnlyNamed: boolean;
  /** As `fieldsV1`: objects that have nothing below their fields, by the weights of those they have. */
  readonly flat: Map<number, Record<string, object>>;
}
/** A field that has a name of its own. */
interface Field {
  readonly name: string;
  readonly step: string;
  readonly schema: Schema;
  /** A power of two: the sum of weights identifies the set of fields an object has. */
  readonly weight: number;
}

function stepIn(full: Schema): Shape["step"] {
  const type = full["x-kubernetes-list-type"];
  if (type === "set") return (item) => `v:${JSON.stringify(item)}`;
  if (type !== "map") return undefined;
  const names = (full["x-kubernetes-list-map-keys"] ?? []).toSorted();
  const keys = names.map((name) => ({ name, written: `${JSON.stringify(name)}:` }));
  const [only, ...more] = keys;
  if (!only || more.length > 0) return (item) => itemStep(item, keys);
  const stepTo = memoized((name) => itemStep({ [only.name]: name }, keys));
  return (item) => {
    const name = isObject(item) ? item[only.name] : undefined;
    return typeof name === "string" ? stepTo(name) : itemStep(item, keys);
  };
}

const keepsUnknown = (full: Schema): boolean => full["x-kubernetes-preserve-unknown-fields"] === true;

function newShape(schema: Schema): Shape {
  const full = schema.$ref === undefined ? schema : { ...resolve(schema), ...schema, $ref: undefined };
  const fields = Object.entries(full.properties ?? {})
    .map(([name, field], i): Field => ({ name, step: `f:${name}`, schema: field, weight: 2 ** i }))
    .sort((a, b) => (a.step < b.step ? -1 : 1));
  return {
    full,
    type: schema.$ref?.slice(schema.$ref.lastIndexOf(".") + 1) ?? "",
    step: stepIn(full),
    hasFields: full["x-kubernetes-map-type"] !== "atomic" && Boolean(full.properties ?? full.additionalProperties),
    fields,
    steps: new Map(fields.map(({ name, step }) => [name, step])),
    hasOnlyNamed: full.properties !== undefined && !full.additionalProperties && !keepsUnknown(full),
    flat: new Map(),
  };
}

// Cached, because every write looks a shape up for each value of an object.
const shapes = new WeakMap<Schema, Shape>();
export function shapeOf(schema: Schema): Shape {
  let shape = shapes.get(schema);
  if (!shape) {
    shape = newShape(schema);
    shapes.set(schema, shape);
  }
  return shape;
}

/** The schema of a field merged with that of its type. */
export const fullSchema = (schema: Schema): Schema => shapeOf(schema).full;
/** The name of the type a field refers to. */
export const typeOf = (schema: Schema): string => shapeOf(schema).type;
/** How list items are identified, if they are. */
export const stepFor = (schema: Schema): Shape["step"] => shapeOf(schema).step;

/** The schema of a value that is not described; it is owned as one. */
export const anySchema: Schema = {};
const fieldIn = ({ properties, additionalProperties }: Schema, name: string): Schema =>
  properties?.[name] ?? additionalProperties ?? anySchema;
/** The schema of a field by its name. */
export const fieldSchema = (schema: Schema, name: string): Schema => fieldIn(resolve(schema), name);

/** The parts of a value by their steps; undefined when the value is owned as one. */
export function partsOf(schema: Schema, value: unknown): ReadonlyMap<string, Part> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { full, step, hasFields, steps } = shapeOf(schema);
  const parts = new Map<string, Part>();
  if (Array.isArray(value)) {
    if (!step) return undefined;
    const items = full.items ?? anySchema;
    for (const item of value) parts.set(step(item), { schema: items, value: item });
    return parts;
  }
  if (!hasFields) return undefined;
  for (const name of Object.keys(value)) {
    const inner = (value as Readonly<Record<string, unknown>>)[name];
    if (inner !== undefined)
      parts.set(steps.get(name) ?? fieldStep(name), { schema: fieldIn(full, name), value: inner });
  }
  return parts;
}

/**
 * Struct fields inside structs, by Go type: an empty one counts as present, so that a writer owns what is in it but not
 * the field itself. Facts of the API's published types.
 */
const structFields = `
Container resources|EphemeralContainer resources|ContainerStatus state lastState
CronJobSpec jobTemplate|DaemonSetSpec template updateStrategy|DeploymentSpec template strategy
Endpoint conditions|Event involvedObject source regarding deprecatedSource
FlowSchemaSpec priorityLevelConfiguration|LimitedPriorityLevelConfiguration limitResponse
HorizontalPodAutoscalerSpec scaleTargetRef|ContainerResourceMetricSource target|ContainerResourceMetricStatus current
ExternalMetricSource metric target|ExternalMetricStatus metric current|ResourceMetricSource target
ObjectMetricSource describedObject target metric|ObjectMetricStatus metric current describedObject
PodsMetricSource metric target|PodsMetricStatus metric current|ResourceMetricStatus current
HTTPIngressPath backend|IngressServiceBackend port|IngressStatus loadBalancer|NetworkPolicySpec podSelector
JobSpec template|MutatingWebhook clientConfig|ValidatingWebhook clientConfig
NodeDaemonEndpoints kubeletEndpoint|NodeStatus daemonEndpoints nodeInfo
PersistentVolumeClaimSpec resources|PodSpec containers|PodTemplate template
PreferredSchedulingTerm preference|WeightedPodAffinityTerm podAffinityTerm
ReplicaSetSpec template|StatefulSetSpec template updateStrategy|ServiceStatus loadBalancer
AllocationResult devices|ResourceClaimSpec devices|ResourceSliceSpec pool|VolumeAttachmentSpec source
ClusterRoleBinding roleRef|RoleBinding roleRef
`;
const presentFields = new Map(
  structFields
    .trim()
    .split(/[|\n]/)
    .map((line) => line.split(" "))
    .map(([type = "", ...names]): [string, readonly string[]] => [type, names]),
);
/** Structs in every type. */
const structsEverywhere = new Set(["metadata", "spec", "status"]);

/** The always present fields of a type, which for a kind is its name. */
export const presentIn = (type: string): readonly string[] => presentFields.get(type) ?? [];
/** Whether a field counts as present when it is not set. */
export const isPresent = (type: string, name: string): boolean =>
  structsEverywhere.has(name) || (presentFields.get(type)?.includes(name) ?? false);

/** Every field path a value sets, as an apply owns it. An item of a list is a path beside those of its fields. */
export function fieldsOf(schema: Schema, value: unknown): FieldSet {
  const parts = partsOf(schema, value);
  if (!parts) return here;
  const named = fullSchema(schema).properties;
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
  /** Set to another value, or newly set. */
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
      below.set(fieldStep(name), allOf(full.additionalProperties ?? anySchema, value[name]));
    }
  return isBare ? here : { has: true, below };
}

/** All fields of a value that is new or removed, itself included. */
function allOf(schema: Schema, value: unknown): FieldSet {
  if (typeof value !== "object" || value === null) return here;
  const shape = shapeOf(schema);
  if (!Array.isArray(value)) return shape.hasFields ? allFields(shape, value as Record<string, unknown>) : here;
  const { step, full } = shape;
  if (!step || value.length === 0) return here;
  const below = new Map<string, FieldSet>();
  for (const item of value) below.set(step(item), allOf(full.items ?? anySchema, item));
  return { has: true, below };
}

const noParts: ReadonlyMap<string, Part> = new Map();
const empty = {};

function child(type: string, step: string, a: Part | undefined, b: Part | undefined): Difference {
  const schema = (b ?? a)!.schema;
  // A field that counts as present is empty when it is not set.
  const isPresentStruct = step.startsWith("f:") && isPresent(type, step.slice(2)) && partsOf(schema, (b ?? a)!.value);
  if (!isPresentStruct || (a && b)) return compare(schema, a?.value, b?.value);
  const blank = Array.isArray((b ?? a)!.value) ? [] : empty;
  return compare(schema, a ? a.value : blank, b ? b.value : blank);
}

function compareParts(type: string, before: ReadonlyMap<string, Part>, after: ReadonlyMap<string, Part>): Difference {
  const changed = new Map<string, FieldSet>();
  const removed = new Map<string, FieldSet>();
  const compareAt = (step: string, a: Part | undefined, b: Part | undefined): void => {
    if (a?.value === b?.value) return;
    const found = child(type, step, a, b);
    if (!isEmpty(found.changed)) changed.set(step, found.changed);
    if (!isEmpty(found.removed)) removed.set(step, found.removed);
  };
  for (const [step, part] of before) compareAt(step, part, after.get(step));
  for (const [step, part] of after) if (!before.has(step)) compareAt(step, undefined, part);
  return { changed: setOf(false, changed), removed: setOf(false, removed) };
}

/** Every path at which the two differ. Parts that are the same reference are skipped. */
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
  return compareParts(r.published.slice(r.published.lastIndexOf(".") + 1), left ?? noParts, right ?? noParts);
}
