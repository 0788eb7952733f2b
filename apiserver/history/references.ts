// Which stored objects refer to a uid, as their owner or as what an event is about, now or in kept history. Brought up
// to date when it is read: it costs nothing while nobody reads history, and a read costs what is new since the last.
import { type ApiObject, type Revision, revision } from "../../api/meta.ts";
import { objectOf } from "../registry/codec.ts";
import type { Storage, Stored } from "../storage/storage.ts";
import { regardedUid } from "./timeline.ts";

/** Storage keys by the uids that their objects refer to. */
export interface References {
  to(uid: string): readonly string[];
}

function uidsIn(object: ApiObject): readonly string[] {
  const regarded = regardedUid(object);
  const owners = object.metadata.ownerReferences?.map(({ uid }) => uid) ?? [];
  return regarded === undefined ? owners : [...owners, regarded];
}

export function references({ received, history }: Pick<Storage, "received" | "history">): References {
  let keys = new Map<string, Set<string>>();
  /** The state at `begun` and all later changes up to `until` are in the map. */
  let [begun, until]: [Revision | undefined, Revision] = [undefined, revision(0)];
  const add = (stored: Stored | undefined): void => {
    // What is kept beside objects, such as claims of node ports, is empty.
    if (!stored || stored.value.length === 0) return;
    for (const uid of uidsIn(objectOf(stored))) {
      const known = keys.get(uid);
      if (known) known.add(stored.key);
      else keys.set(uid, new Set([stored.key]));
    }
  };
  const catchUp = (): void => {
    const { oldest, newest } = history;
    // Begun anew when all that it was begun with is forgotten, so that it holds what history holds.
    if (begun === undefined || oldest.revision > until || oldest.revision > begun) {
      keys = new Map();
      received.list("").forEach(add);
      [begun, until] = [newest.revision, oldest.revision];
    }
    for (const { now, before } of history.changes("", until)) {
      if (!now || !before) add(before);
      add(now);
    }
    until = newest.revision;
  };
  return {
    to(uid) {
      catchUp();
      return [...(keys.get(uid) ?? [])];
    },
  };
}
