// Objects as a decision or a write has left them, for as long as the view does not show it yet.
import { type ApiObject, type Key, keyOf, revisionOf } from "../../api/meta.ts";

export interface Assumed<T extends ApiObject> {
  /** The assumed state of an object that the view shows like this, unless the view is newer. */
  of(seen: T): T;
  /** Assumes an object that is to be written. It has the revision of the one that it was made from. */
  assume(object: T): void;
  /** It is not going to be written: the view is right. Another assumption about the object stays. */
  forget(object: T): void;
  /** Writes what is only assumed, once for all that rely on it, and assumes the result. */
  written(object: T, write: (object: T) => Promise<T>): Promise<T>;
}

/** Nothing is assumed. */
export function assumedObjects<T extends ApiObject>(): Assumed<T> {
  const objects = new Map<Key, T>();
  const unwritten = new WeakMap<T, Promise<T> | undefined>();
  return {
    of(seen) {
      const object = objects.get(keyOf(seen));
      if (!object) return seen;
      if (object.metadata.uid === seen.metadata.uid && revisionOf(seen) <= revisionOf(object)) return object;
      objects.delete(keyOf(seen));
      return seen;
    },
    assume(object) {
      unwritten.set(object, undefined);
      objects.set(keyOf(object), object);
    },
    forget(object) {
      if (objects.get(keyOf(object)) === object) objects.delete(keyOf(object));
    },
    async written(object, write) {
      if (!unwritten.has(object)) return object;
      const writing = unwritten.get(object) ?? write(object);
      unwritten.set(object, writing);
      const result = await writing;
      objects.set(keyOf(result), result);
      return result;
    },
  };
}
