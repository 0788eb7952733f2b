// Objects as a decision or a write has left them, for as long as the view does not show it yet.
import { type ApiObject, type Key, keyOf, revisionOf } from "../../../api/meta.ts";

export interface Assumed<T extends ApiObject> {
  /** The assumed state of an object that the view shows like this, unless the view is newer. */
  of(seen: T): T;
  assume(object: T): void;
  /** Nothing was written: the view is right. Another assumption about the object stays. */
  forget(object: T): void;
}

/** Nothing is assumed. An assumed object has the revision of what it was made from, or of its write. */
export function assumedObjects<T extends ApiObject>(): Assumed<T> {
  const objects = new Map<Key, T>();
  return {
    of(seen) {
      const object = objects.get(keyOf(seen));
      if (!object) return seen;
      if (object.metadata.uid === seen.metadata.uid && revisionOf(seen) <= revisionOf(object)) return object;
      objects.delete(keyOf(seen));
      return seen;
    },
    assume: (object) => void objects.set(keyOf(object), object),
    forget(object) {
      if (objects.get(keyOf(object)) === object) objects.delete(keyOf(object));
    },
  };
}
