// Indexes of watches: a change wakes the watches of its kind, or of one value of a selected field such as a pod's node.
// Watches that are not woken learn of progress from time to time.
import type { ResourceDefinition } from "../../api/kinds.ts";
import { parseFieldSelector } from "../../api/field-selector.ts";
import type { Selection } from "../../machinery/client.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { World } from "../../machinery/world.ts";
import { type Signal, newSignal } from "../../machinery/signal.ts";
import type { WatchIndex, WatchIndexEntry } from "../storage/storage.ts";
import { prefixOf, selectableObjectOf } from "./codec.ts";
import { type FieldReader, fieldReader } from "./selection.ts";

export interface WatchIndexes {
  /** A client has read the revision and may wait for its watches of this kind: they report progress soon. */
  ask(r: ResourceDefinition): void;
  /** The entry of a selection, and how to leave it when the watch ends. */
  enter(r: ResourceDefinition, selection: Selection): { readonly entry: WatchIndexEntry; readonly leave: () => void };
}

/** Delay of progress after the revision was read, in milliseconds. */
const soonMs = 50;
/** Interval of progress in any case, which is how often Kubernetes sends bookmarks. */
const seldomMs = 60_000;

function indexOf(r: ResourceDefinition, read: FieldReader): WatchIndex {
  return {
    prefix: prefixOf(r),
    valuesOf: ({ now, before }) => {
      const values = [now, before]
        .filter((stored) => stored !== undefined)
        .map((stored) => read(selectableObjectOf(stored)));
      return [...new Set(values)];
    },
  };
}

/** The one value of an entry as wide as its kind. */
const everything = "";
const wholeKind = (r: ResourceDefinition): WatchIndex => ({ prefix: prefixOf(r), valuesOf: () => [everything] });

/** The watches of a kind. */
interface KindWatches {
  /** By field; the index of unfiltered watches has no field. */
  readonly indexes: Map<string, WatchIndex>;
  readonly progress: Signal;
  isProgressDue: boolean;
  watches: number;
}

/** WatchIndexes over one log. */
export function watchIndexes({ clock }: World, served: Pick<KindRegistry, "of" | "changed">): WatchIndexes {
  // Keyed by the definition: one that replaces it may read the field another way.
  const kinds = new WeakMap<ResourceDefinition, KindWatches>();
  const watched = new Set<KindWatches>();
  let unwatched = new AbortController();
  const kindOf = (r: ResourceDefinition): KindWatches => {
    const known = kinds.get(r);
    if (known) return known;
    const kind = { indexes: new Map<string, WatchIndex>(), progress: newSignal(), isProgressDue: false, watches: 0 };
    kinds.set(r, kind);
    return kind;
  };
  // Wakes the watches of kinds that are no longer served as they were defined, for them to end.
  served.changed.listen(() => {
    for (const { progress } of watched) progress.notify();
  });
  const notifySoon = async (kind: KindWatches): Promise<void> => {
    kind.isProgressDue = true;
    await clock.sleep(soonMs, unwatched.signal).catch(() => {});
    kind.isProgressDue = false;
    kind.progress.notify();
  };
  const notifySeldom = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(seldomMs, signal).catch(() => {});
      for (const { progress } of watched) progress.notify();
    }
  };
  const join = (kind: KindWatches): void => {
    if (watched.size === 0) {
      unwatched = new AbortController();
      void notifySeldom(unwatched.signal);
    }
    kind.watches++;
    watched.add(kind);
  };
  const leave = (kind: KindWatches): void => {
    if (--kind.watches > 0) return;
    watched.delete(kind);
    if (watched.size === 0) unwatched.abort(new Error("the last watch ended"));
  };
  return {
    ask(r) {
      const kind = kinds.get(r);
      if (kind && kind.watches > 0 && !kind.isProgressDue) void notifySoon(kind);
    },
    enter(r, { fieldSelector }) {
      const parsed = parseFieldSelector(fieldSelector ?? "");
      const equal = "requirements" in parsed ? parsed.requirements.find((requirement) => requirement.equal) : undefined;
      const read = equal && fieldReader(r, equal.field);
      const kind = kindOf(r);
      const name = read ? equal.field : everything;
      const index = kind.indexes.get(name) ?? (read ? indexOf(r, read) : wholeKind(r));
      kind.indexes.set(name, index);
      join(kind);
      const value = read ? equal.value : everything;
      const entry = { index, value, progress: kind.progress, isOver: () => served.of(r) !== r };
      return { entry, leave: () => leave(kind) };
    },
  };
}
