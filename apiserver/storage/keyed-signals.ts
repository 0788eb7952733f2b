// Signals by key: watches outside any index are woken by every change, the others by changes of their value only.
import { type Signal, newSignal } from "../../machinery/signal.ts";
import type { Change, WatchIndex, WatchIndexEntry } from "./storage.ts";

/** The signals of one log. */
export interface KeyedSignals {
  changed(change: Change): void;
  /** Wakes every watch: the log they read was replaced. */
  all(): void;
  /** The signals of one entry. They are dropped when the last watch leaves it. */
  enter(entry: WatchIndexEntry | undefined): { readonly own: readonly Signal[]; readonly leave: () => void };
}

interface Entry {
  readonly signal: Signal;
  watches: number;
}

/** Signals without listeners. */
export function keyedSignals(): KeyedSignals {
  const unindexed = newSignal();
  const indexes = new Map<WatchIndex, Map<string, Entry>>();
  return {
    changed(change) {
      unindexed.notify();
      for (const [index, entries] of indexes) {
        if (!change.key.startsWith(index.prefix)) continue;
        for (const value of index.valuesOf(change)) entries.get(value)?.signal.notify();
      }
    },
    all() {
      unindexed.notify();
      for (const entries of indexes.values()) for (const { signal } of entries.values()) signal.notify();
    },
    enter(place) {
      if (!place) return { own: [unindexed], leave: () => {} };
      const entries = indexes.get(place.index) ?? new Map<string, Entry>();
      indexes.set(place.index, entries);
      const entry = entries.get(place.value) ?? { signal: newSignal(), watches: 0 };
      entries.set(place.value, entry);
      entry.watches++;
      const leave = (): void => {
        if (--entry.watches > 0) return;
        entries.delete(place.value);
        if (entries.size === 0) indexes.delete(place.index);
      };
      return { own: [entry.signal, place.progress], leave };
    },
  };
}
