// A map of objects with indexes, replaced completely or one object at a time.
import { keyOf, type ApiObject, type Key, type Revision } from "../api/meta.ts";

/** A read-only, slightly stale view. Objects are handed out as they are and must not be modified. */
export interface Lister<T> {
  get(key: Key): T | undefined;
  all(): readonly T[];
  /** Objects whose index function returned this value. */
  byIndex(name: string, value: string): readonly T[];
  /** How many objects {@link byIndex} would return, in constant time. */
  countByIndex(name: string, value: string): number;
  readonly revision: Revision;
}
/** Index functions by name: the values under which {@link Lister.byIndex} finds an object. */
export type Indexes<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** What happened to an object. */
export type ChangeType = "added" | "updated" | "deleted";
/** A changed object, its previous state, and the type of change. */
export type Changed<T> = readonly [object: T, before: T | undefined, type: ChangeType];

/** The writable side of a {@link Lister}, held by its informer. Writes return what was there before. */
export interface View<T> extends Omit<Lister<T>, "revision"> {
  /** Replaces all objects; returns those with another resource version and the removed ones. */
  replace(items: readonly T[]): readonly Changed<T>[];
  set(object: T): T | undefined;
  remove(object: T): T | undefined;
  /** Adds indexes over existing and future objects. An existing name keeps its function. */
  addIndexes(indexes: Indexes<T>): void;
}

/** One index: its function, and the objects by value. */
interface Index<T> {
  readonly valuesOf: (object: T) => readonly string[];
  readonly buckets: Map<string, Map<Key, T>>;
}

function add<T>({ valuesOf, buckets }: Index<T>, key: Key, object: T): void {
  for (const value of valuesOf(object)) {
    const bucket = buckets.get(value);
    if (bucket) bucket.set(key, object);
    else buckets.set(value, new Map([[key, object]]));
  }
}

function drop<T>({ valuesOf, buckets }: Index<T>, key: Key, object: T): void {
  for (const value of valuesOf(object)) {
    const bucket = buckets.get(value);
    if (bucket?.delete(key) && bucket.size === 0) buckets.delete(value);
  }
}

/** Puts an object in the place of another with its key. Most changes leave an object under the same values. */
function move<T>(index: Index<T>, key: Key, before: T | undefined, object: T): void {
  if (before === undefined) {
    add(index, key, object);
    return;
  }
  const [left, entered] = [index.valuesOf(before), index.valuesOf(object)];
  if (left.length === entered.length && left.every((value, i) => value === entered[i])) {
    for (const value of entered) index.buckets.get(value)?.set(key, object);
    return;
  }
  drop(index, key, before);
  add(index, key, object);
}

/** An empty view. */
export function view<T extends ApiObject>(initial: Indexes<T> = {}): View<T> {
  let objects = new Map<Key, T>();
  const indexes = new Map<string, Index<T>>();
  const addIndexes = (added: Indexes<T>): void => {
    for (const [name, valuesOf] of Object.entries(added)) {
      if (indexes.has(name)) continue;
      const index: Index<T> = { valuesOf, buckets: new Map() };
      for (const [key, object] of objects) add(index, key, object);
      indexes.set(name, index);
    }
  };
  addIndexes(initial);
  const bucketOf = (name: string, value: string): Map<Key, T> | undefined => {
    const index = indexes.get(name);
    if (index === undefined) throw new Error(`the view has no index named ${name}`);
    return index.buckets.get(value);
  };
  const set = (object: T): T | undefined => {
    const key = keyOf(object);
    const before = objects.get(key);
    objects.set(key, object);
    for (const index of indexes.values()) move(index, key, before, object);
    return before;
  };
  return {
    get: (key) => objects.get(key),
    all: () => [...objects.values()],
    byIndex: (name, value) => [...(bucketOf(name, value)?.values() ?? [])],
    countByIndex: (name, value) => bucketOf(name, value)?.size ?? 0,
    addIndexes,
    set,
    remove(object) {
      const key = keyOf(object);
      const before = objects.get(key);
      if (before) for (const index of indexes.values()) drop(index, key, before);
      objects.delete(key);
      return before;
    },
    replace(items) {
      const old = objects;
      objects = new Map();
      for (const { buckets } of indexes.values()) buckets.clear();
      for (const item of items) set(item);
      const gone = [...old].flatMap(([key, o]): Changed<T>[] => (objects.has(key) ? [] : [[o, o, "deleted"]]));
      const changed = items.flatMap((o): Changed<T>[] => {
        const before = old.get(keyOf(o));
        if (!before) return [[o, before, "added"]];
        if (before.metadata.resourceVersion === o.metadata.resourceVersion) return [];
        // Another object of the name took its place: what waits for its deletion must not miss it.
        if (before.metadata.uid !== o.metadata.uid)
          return [
            [before, before, "deleted"],
            [o, undefined, "added"],
          ];
        return [[o, before, "updated"]];
      });
      return [...changed, ...gone];
    },
  };
}
