// A map of objects with indexes over it, replaced as a whole or one object at a time.
import { keyOf, type ApiObject, type Key, type Revision } from "../api/meta.ts";

/** A read-only, slightly stale view. Objects are handed out as they are: nobody may edit them. */
export interface Lister<T> {
  get(key: Key): T | undefined;
  all(): readonly T[];
  /** Objects whose index function gave this value. */
  byIndex(name: string, value: string): readonly T[];
  readonly revision: Revision;
}
/** Values under which an object is found by `byIndex`. */
export type Indexes<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** The writable side of a {@link Lister}; only its informer holds it. Answers say what was there before. */
export interface View<T> extends Omit<Lister<T>, "revision"> {
  replace(items: readonly T[]): readonly (readonly [T, T | undefined])[];
  set(object: T): T | undefined;
  remove(object: T): T | undefined;
}

const buckets = <T>(): Map<string, Map<Key, T>> => new Map();

/** An empty view. */
export function view<T extends ApiObject>(indexes: Indexes<T>): View<T> {
  let objects = new Map<Key, T>();
  const shelves = Object.entries(indexes).map(([name, valuesOf]) => ({ name, valuesOf, buckets: buckets<T>() }));
  const file = (object: T, key: Key, add: boolean): void => {
    for (const { valuesOf, buckets } of shelves)
      for (const value of valuesOf(object)) {
        const bucket = buckets.get(value) ?? new Map<Key, T>();
        if (add) buckets.set(value, bucket.set(key, object));
        else if (bucket.delete(key) && bucket.size === 0) buckets.delete(value);
      }
  };
  const set = (object: T): T | undefined => {
    const key = keyOf(object);
    const before = objects.get(key);
    if (before) file(before, key, false);
    objects.set(key, object);
    file(object, key, true);
    return before;
  };
  return {
    get: (key) => objects.get(key),
    all: () => [...objects.values()],
    byIndex(name, value) {
      const found = shelves.find((shelf) => shelf.name === name)?.buckets.get(value);
      return found ? [...found.values()] : [];
    },
    set,
    remove(object) {
      const key = keyOf(object);
      const before = objects.get(key);
      if (before) file(before, key, false);
      objects.delete(key);
      return before;
    },
    replace(items) {
      const old = objects;
      objects = new Map();
      for (const { buckets } of shelves) buckets.clear();
      for (const item of items) set(item);
      const gone = [...old].filter(([key]) => !objects.has(key)).map(([, o]) => [o, o] as const);
      return [...items.map((o) => [o, old.get(keyOf(o))] as const), ...gone];
    },
  };
}
