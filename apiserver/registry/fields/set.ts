// Sets of fields, as `fieldsV1` writes them; and `metadata.managedFields` as data: one entry per manager, operation,
// version and subresource. Pure.
import type { ApiObject, ManagedFieldsEntry } from "../../../api/meta.ts";

/** A set of paths as a tree: whether the path that ends here is in it, and what is below. */
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

/** The paths of either. */
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

type Both = (left: FieldSet, right: FieldSet) => FieldSet;
function combined(a: FieldSet, b: FieldSet, has: boolean, both: Both, keepsOthers: boolean): FieldSet {
  const below = new Map<string, FieldSet>();
  for (const [step, left] of a.below) {
    const right = b.below.get(step);
    if (!right) {
      if (keepsOthers) below.set(step, left);
      continue;
    }
    const result = both(left, right);
    if (!isEmpty(result)) below.set(step, result);
  }
  return setOf(has, below);
}

/** The paths of the first that the second lacks. */
export function minus(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return combined(a, b, a.has && !b.has, minus, true);
}
/** The paths of both. */
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

/** The set of these paths, each a list of steps. */
export const pathsOf = (...paths: readonly (readonly string[])[]): FieldSet =>
  paths
    .map((steps) => steps.reduceRight<FieldSet>((below, step) => setOf(false, new Map([[step, below]])), here))
    .reduce(union, noFields);

/** Every path in the set, a parent before its children. */
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
/** Steps in the order in which they are written: fields before items. Sorts in place. */
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

/** The end of a path. */
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

/** An entry, with its fields as a set. */
export interface Owner {
  readonly entry: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

/** Most entries of updates; the oldest beyond are merged into one. */
const mostUpdaters = 10;

/** The identity of an entry. For an apply it does not depend on the version. */
export const idOf = ({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string =>
  JSON.stringify({
    manager,
    operation,
    ...(operation !== "Apply" && { apiVersion }),
    ...(subresource && { subresource }),
  });

/** The owners in managed fields, or why they are invalid. */
export function readOwners(entries: readonly ManagedFieldsEntry[] = []): readonly Owner[] | string {
  const owners = new Map<string, Owner>();
  for (const [i, entry] of entries.entries()) {
    if (entry.operation !== "Apply" && entry.operation !== "Update") return "operation must be `Apply` or `Update`";
    if (!entry.apiVersion) return "apiVersion must not be empty";
    if (!entry.fieldsType) return `missing fieldsType in managed fields entry ${i}`;
    if (entry.fieldsType !== "FieldsV1")
      return `invalid fieldsType ${JSON.stringify(entry.fieldsType)} in managed fields entry ${i}`;
    const fields = fromFieldsV1(entry.fieldsV1 ?? {});
    if (!fields) return `error decoding versioned set of managed fields entry ${i}`;
    owners.set(idOf(entry), { entry, fields });
  }
  return [...owners.values()];
}

/** The owners of the fields of an object; none when its managed fields are invalid. */
export function ownersOf(object: ApiObject): readonly Owner[] {
  const owners = readOwners(object.metadata.managedFields);
  return typeof owners === "string" ? [] : owners;
}

const secondsOf = ({ time }: ManagedFieldsEntry): number =>
  time === undefined ? 0 : Math.floor(Date.parse(time) / 1000);
const before = (a = "", b = ""): number => (a < b ? -1 : a > b ? 1 : 0);
const inEntryOrder = (a: ManagedFieldsEntry, b: ManagedFieldsEntry): number =>
  before(a.operation, b.operation) ||
  secondsOf(a) - secondsOf(b) ||
  before(a.manager, b.manager) ||
  before(a.apiVersion, b.apiVersion) ||
  before(a.subresource, b.subresource);

/** Owners without these fields; an owner of nothing is dropped. */
export function withoutFields(owners: readonly Owner[], lost: FieldSet): readonly Owner[] {
  return owners.flatMap((owner) => {
    const fields = minus(owner.fields, lost);
    if (isEmpty(fields)) return [];
    return [sameFields(fields, owner.fields) ? owner : { ...owner, fields }];
  });
}

/** Merges the oldest updates of each version while there are too many. */
function capped(owners: readonly Owner[]): readonly Owner[] {
  if (owners.length <= mostUpdaters) return owners;
  const updaters = owners
    .filter(({ entry }) => entry.operation === "Update")
    .toSorted((a, b) => secondsOf(a.entry) - secondsOf(b.entry) || before(idOf(a.entry), idOf(b.entry)));
  let many = updaters.length;
  const kept = new Map(owners.map((owner) => [idOf(owner.entry), owner]));
  const first = new Map<string, Owner>();
  for (const updater of updaters) {
    if (many <= mostUpdaters) break;
    const { apiVersion = "" } = updater.entry;
    const other = first.get(apiVersion);
    if (!other) {
      first.set(apiVersion, updater);
      continue;
    }
    const entry: ManagedFieldsEntry = {
      manager: "ancient-changes",
      operation: "Update",
      apiVersion,
      ...(updater.entry.time !== undefined && { time: updater.entry.time }),
      fieldsType: "FieldsV1",
    };
    const old = kept.get(idOf(entry)) ?? other;
    kept.delete(idOf(other.entry));
    kept.delete(idOf(updater.entry));
    kept.set(idOf(entry), { entry, fields: union(old.fields, updater.fields) });
    many--;
  }
  return [...kept.values()];
}

/** The object with the managed fields of these owners. */
export function withOwners(object: ApiObject, owners: readonly Owner[]): ApiObject {
  const { managedFields: _, ...metadata } = object.metadata;
  const entries = capped(owners)
    .map(({ entry, fields }) => ({ ...entry, fieldsType: "FieldsV1", fieldsV1: toFieldsV1(fields) }))
    .sort(inEntryOrder);
  return { ...object, metadata: { ...metadata, ...(entries.length > 0 && { managedFields: entries }) } };
}
