// Why a key was enqueued: the changes that concern it, merged while it waits and bounded per key.
import { type ApiObject, type Key, keyOf, type Revision, revisionOf } from "../api/meta.ts";
import type { ChangeType } from "./view.ts";

/** A change of an object, or that a key is due again: after a failure, or when its last decision said so. */
export type Reason =
  | { readonly type: ChangeType; readonly kind: string; readonly key: Key; readonly revision: Revision }
  | { readonly type: "retry" | "scheduled" };

/** The reason a change of an object gives. */
export const reasonOf = (type: ChangeType, object: ApiObject): Reason => ({
  type,
  kind: object.kind,
  key: keyOf(object),
  revision: revisionOf(object),
});

/** Reasons kept per key. What is beyond is dropped, oldest first. */
const limit = 8;

const sameSource = (a: Reason, b: Reason): boolean =>
  a.type === b.type && (!("key" in a) || ("key" in b && a.key === b.key && a.kind === b.kind));

/** Reasons by key, from when the key is enqueued to when it is worked on. */
export interface Reasons {
  /** A later change of the same object replaces the earlier one of the same type. */
  add(key: Key, reason: Reason): void;
  /** Returns and forgets the reasons of a key; a key without one was due again. */
  take(key: Key): readonly Reason[];
}

/** No reasons yet. */
export function newReasons(): Reasons {
  const pending = new Map<Key, Reason[]>();
  return {
    add(key, reason) {
      const known = pending.get(key);
      if (!known) return void pending.set(key, [reason]);
      const at = known.findIndex((other) => sameSource(other, reason));
      if (at >= 0) known[at] = reason;
      else known.push(reason);
      if (known.length > limit) known.shift();
    },
    take(key) {
      const reasons = pending.get(key) ?? [{ type: "scheduled" }];
      pending.delete(key);
      return reasons;
    },
  };
}
