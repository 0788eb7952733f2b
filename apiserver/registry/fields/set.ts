// Sets of fields, as `fieldsV1` writes them, and the shape by which a schema divides an object into fields. Pure.
import { type Schema, resolve } from "../../../api/schema.ts";

/** What is in a set at a step and below it. Never empty, but for a set of nothing. */
export interface FieldSet {
  readonly has: boolean;
  readonly below: ReadonlyMap<string, FieldSet>;
}

const nothing: ReadonlyMap<string, FieldSet> = new Map();
/** The set of nothing. */
export const noFields: FieldSet = { has: false, below: nothing };
/** A path that ends here. */
export const here: FieldSet = { has: true, below: nothing };

export const isEmpty = (set: FieldSet | undefined): boolean => !set || (!set.has && set.below.size === 0);

/** A set of these parts; parts that are empty are left out. */
export function setOf(has: boolean, below: ReadonlyMap<string, FieldSet>): FieldSet {
  if (below.size === 0) return has ? here : noFields;
  return { has, below };
}

/** What either has. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || a === b) return b;
  if (isEmpty(b)) return a;
  const below = new Map(a.below);
  for (const [step, set] of b.below) {
    const other = below.get(step);
    below.set(step, other ? union(other, set) : set);
  }
  return setOf(a.has || b.has, below);
}

type Both = (mine: FieldSet, theirs: FieldSet) => FieldSet;
function combined(a: FieldSet, b: FieldSet, has: boolean, both: Both, keepsOthers: boolean): FieldSet {
  const below = new Map<string, FieldSet>();
  for (const [step, mine] of a.below) {
    const theirs = b.below.get(step);
    if (!theirs) {
      if (keepsOthers) below.set(step, mine);
      continue;
    }
    const left = both(mine, theirs);
    if (!isEmpty(left)) below.set(step, left);
  }
  return setOf(has, below);
}

/** What the first has and the second has not. */
export function minus(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return combined(a, b, a.has && !b.has, minus, true);
}
/** What both have. */
export function common(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return noFields;
  return combined(a, b, a.has && b.has, common, false);
}
/** The set without anything at or below the ends of these paths. */
export function withoutBelow(a: FieldSet, ends: FieldSet): FieldSet {
  if (ends.has) return noFields;
  if (isEmpty(ends)) return a;
  return combined(a, ends, a.has, withoutBelow, true);
}
export function sameFields(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.has !== b.has || a.below.size !== b.below.size) return false;
  for (const [step, set] of a.below) {
    const other = b.below.get(step);
    if (!other || !sameFields(set, other)) return false;
  }
  return true;
}

/** A set of paths, each given as its steps. */
export const pathsOf = (...paths: readonly (readonly string[])[]): FieldSet =>
  paths
    .map((steps) => steps.reduceRight<FieldSet>((below, step) => setOf(false, new Map([[step, below]])), here))
    .reduce(union, noFields);

/** Every path in the set, what is above before what is below it. */
export function* pathsIn(set: FieldSet, path: readonly string[] = []): Generator<readonly string[]> {
  const steps = sorted(set);
  for (const step of steps) if (set.below.get(step)!.has) yield [...path, step];
  for (const step of steps) yield* pathsIn(set.below.get(step)!, [...path, step]);
}

interface Tree {
  readonly [step: string]: Tree;
}

type Keys = readonly (readonly [string, unknown])[];
const keysOf = (step: string): Keys => Object.entries(JSON.parse(step.slice(2)) as object);
/** Items by their keys, and numbers by their size. */
function orderOfKeys(left: Keys, right: Keys): number {
  for (const [i, [name, value]] of left.entries()) {
    const [other = "", against] = right[i] ?? [];
    if (name !== other) return name < other ? -1 : 1;
    if (value !== against) return (value as string | number) < (against as string | number) ? -1 : 1;
  }
  return 0;
}
const isItem = (step: string): boolean => step.startsWith("k:");
/** With one key that is a plain name, items are in the order in which they are written. */
const plainKey = /^k:\{"\w+":"[\w./-]*"\}$/;
const isPlain = (step: string): boolean => !isItem(step) || plainKey.test(step);
const isInOrder = (steps: readonly string[]): boolean => steps.every((step, i) => i === 0 || steps[i - 1]! < step);
/** Steps in the order in which they are written: fields before items. Sorts what it is given. */
export function inStepOrder(steps: string[]): readonly string[] {
  if (steps.length < 2) return steps;
  if (steps.every(isPlain)) return isInOrder(steps) ? steps : steps.sort();
  const keys = new Map(steps.filter(isItem).map((step) => [step, keysOf(step)]));
  return steps.sort((a, b) => {
    const [left, right] = [keys.get(a), keys.get(b)];
    if (left && right) return orderOfKeys(left, right);
    return a < b ? -1 : 1;
  });
}
const sorted = (set: FieldSet): readonly string[] => inStepOrder([...set.below.keys()]);

/** Nothing more below; most paths end so. */
const end: object = Object.freeze({});
/** As `fieldsV1` of a managed fields entry: a dot stands for the field itself, where there are fields below it. */
export function toFieldsV1(set: FieldSet): object {
  if (set.below.size === 0) return end;
  const tree: Record<string, object> = {};
  if (set.has) tree["."] = end;
  for (const step of sorted(set)) tree[step] = toFieldsV1(set.below.get(step)!);
  return tree;
}

/** Undo {@link toFieldsV1}; undefined when it is none. */
export function fromFieldsV1(fields: unknown): FieldSet | undefined {
  const set = fromTree(fields);
  return set && (set.has ? setOf(false, set.below) : set);
}
function fromTree(tree: unknown): FieldSet | undefined {
  if (typeof tree !== "object" || tree === null || Array.isArray(tree)) return undefined;
  const below = new Map<string, FieldSet>();
  const steps = Object.entries(tree as Tree);
  for (const [step, inner] of steps) {
    if (step === ".") continue;
    const set = /^[fkvi]:/.test(step) ? fromTree(inner) : undefined;
    if (!set) return undefined;
    below.set(step, set);
  }
  return setOf(steps.length === 0 || "." in tree, below);
}

/** As conflicts show a path: `.spec.containers[name="c"].image`. */
export const shownPath = (steps: readonly string[]): string =>
  steps
    .map((step) => {
      if (step.startsWith("f:")) return `.${step.slice(2)}`;
      if (step.startsWith("v:")) return `[=${step.slice(2)}]`;
      if (step.startsWith("i:")) return `[${step.slice(2)}]`;
      return `[${keysOf(step)
        .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
        .join(",")}]`;
    })
    .join("");

/** A part of a value that is owned by itself. */
export interface Part {
  readonly schema: Schema;
  readonly value: unknown;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What stands for a key field that was left out: the one such default Kubernetes has. */
export const keyDefaults: Readonly<Record<string, unknown>> = { protocol: "TCP" };

const mostSteps = 1_000;
const longestName = 64;
/** The same few names come again and again: what was made of one is remembered for a while. */
function remembered(make: (name: string) => string): (name: string) => string {
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
export const fieldStep = remembered((name) => `f:${name}`);

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

/** What can be known of the parts of values from their schema alone. */
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
  /** Whether there can be no others, once a value was read by its schema. */
  readonly hasOnlyNamed: boolean;
  /** As `fieldsV1`: objects that have nothing below their fields, by the weights of those they have. */
  readonly flat: Map<number, Record<string, object>>;
}
/** A field that has a name of its own. */
interface Field {
  readonly name: string;
  readonly step: string;
  readonly schema: Schema;
  /** A power of two: added up, they tell which fields an object has. */
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
  const stepTo = remembered((name) => itemStep({ [only.name]: name }, keys));
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

// Every write walks through a whole object, and asks this at each of its values. There are as many as there are
// schemas, and each goes with its own.
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
export const whole = (schema: Schema): Schema => shapeOf(schema).full;
/** The name of the type a field refers to. */
export const typeOf = (schema: Schema): string => shapeOf(schema).type;
/** How list items are identified, if they are. */
export const stepFor = (schema: Schema): Shape["step"] => shapeOf(schema).step;

/** What is not described is owned whole. */
export const anything: Schema = {};
const fieldIn = ({ properties, additionalProperties }: Schema, name: string): Schema =>
  properties?.[name] ?? additionalProperties ?? anything;
/** The schema of a field by its name. */
export const fieldSchema = (schema: Schema, name: string): Schema => fieldIn(resolve(schema), name);

/** The parts of a value by their steps; nothing when the value is owned whole. */
export function partsOf(schema: Schema, value: unknown): ReadonlyMap<string, Part> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { full, step, hasFields, steps } = shapeOf(schema);
  const parts = new Map<string, Part>();
  if (Array.isArray(value)) {
    if (!step) return undefined;
    const items = full.items ?? anything;
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

/** The always present fields of a type; its own kind's name is given for a schema without a reference. */
export const presentIn = (type: string): readonly string[] => presentFields.get(type) ?? [];
/** Whether a field counts as present when it is not set. */
export const isPresent = (type: string, name: string): boolean =>
  structsEverywhere.has(name) || (presentFields.get(type)?.includes(name) ?? false);
