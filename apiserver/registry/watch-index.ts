// Indexes of watches: a change wakes the watches of its kind, or of one value of a selected field such as a pod's node.
// Watches that are not woken learn of progress from time to time.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import { parseFieldSelector } from "../../api/field-selector.ts";
import type { Selection } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import { type Signal, newSignal } from "../../machinery/signal.ts";
import type { WatchIndex, WatchIndexEntry } from "../storage/storage.ts";
import { objectOf, prefixOf } from "./codec.ts";
import { type FieldReader, fieldReader } from "./selection.ts";

export interface WatchIndexes {
  /** A client has read the revision: indexed watches report progress soon, since it may wait for them. */
  ask(): void;
  /** The entry of a selection, and how to leave it when the watch ends. */
  enter(r: ResourceDefinition, selection: Selection): { readonly entry: WatchIndexEntry; readonly leave: () => void };
}

/** Delay of progress after the revision was read, in milliseconds. */
const soonMs = 50;
/** Interval of progress in any case, so that compaction does not overtake idle watches. */
const seldomMs = 30_000;

function indexOf(r: ResourceDefinition, read: FieldReader): WatchIndex {
  return {
    prefix: prefixOf(r),
    valuesOf: ({ now, before }) => {
      const values = [now, before]
        .filter((stored) => stored !== undefined)
        .map((stored) => read(objectOf<ApiObject>(stored)));
      return [...new Set(values)];
    },
  };
}

/** The one value of an entry as wide as its kind. */
const everything = "";
const wholeKind = (r: ResourceDefinition): WatchIndex => ({ prefix: prefixOf(r), valuesOf: () => [everything] });

/** Notifies soon after the revision was read, otherwise seldom, and only while there are watches. */
function progressOf({ clock }: World): { readonly progress: Signal; ask(): void; enter(): () => void } {
  const progress = newSignal();
  let inside = 0;
  let isDue = false;
  let stop = new AbortController();
  const notify = async (): Promise<void> => {
    await clock.sleep(soonMs, stop.signal).catch(() => {});
    isDue = false;
    progress.notify();
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(seldomMs, signal).catch(() => {});
      progress.notify();
    }
  };
  return {
    progress,
    ask() {
      if (isDue || inside === 0) return;
      isDue = true;
      void notify();
    },
    enter() {
      if (inside++ === 0) {
        stop = new AbortController();
        void run(stop.signal);
      }
      return () => {
        if (--inside === 0) stop.abort();
      };
    },
  };
}

/** WatchIndexes over one log. */
export function watchIndexes(world: World): WatchIndexes {
  // Keyed by the definition: one that replaces it may read the field another way.
  const indexes = new WeakMap<ResourceDefinition, Map<string, WatchIndex>>();
  const { progress, ask, enter } = progressOf(world);
  return {
    ask,
    enter(r, { fieldSelector }) {
      const parsed = parseFieldSelector(fieldSelector ?? "");
      const equal = "requirements" in parsed ? parsed.requirements.find((requirement) => requirement.equal) : undefined;
      const read = equal && fieldReader(r, equal.field);
      const own = indexes.get(r) ?? new Map<string, WatchIndex>();
      indexes.set(r, own);
      const name = read ? equal.field : everything;
      const index = own.get(name) ?? (read ? indexOf(r, read) : wholeKind(r));
      own.set(name, index);
      return { entry: { index, value: read ? equal.value : everything, progress }, leave: enter() };
    },
  };
}
