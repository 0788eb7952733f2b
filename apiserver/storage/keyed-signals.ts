// Signals by key: watches outside any index are woken by every change, the others by changes of their value only.
import { type Signal, newSignal } from "../../machinery/signal.ts";
import { type Change, kindOf, type WatchIndex, type WatchIndexEntry } from "./storage.ts";

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

/** The entries of an index by value. */
type Entries = Map<string, Entry>;

/** The value of a key, created when missing. */
function madeIn<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Signals without listeners. */
export function keyedSignals(): KeyedSignals {
  const unindexed = newSignal();
  const kinds = new Map<string, Map<WatchIndex, Entries>>();
  return {
    changed(change) {
      unindexed.notify();
      for (const [index, entries] of kinds.get(kindOf(change.key) ?? "") ?? [])
        for (const value of index.valuesOf(change)) entries.get(value)?.signal.notify();
    },
    all() {
      unindexed.notify();
      for (const indexes of kinds.values())
        for (const entries of indexes.values()) for (const { signal } of entries.values()) signal.notify();
    },
    enter(place) {
      if (!place) return { own: [unindexed], leave: () => {} };
      const { index, value, progress } = place;
      const indexes = madeIn(kinds, index.prefix, () => new Map<WatchIndex, Entries>());
      const entries = madeIn(indexes, index, (): Entries => new Map());
      const entry = madeIn(entries, value, () => ({ signal: newSignal(), watches: 0 }));
      entry.watches++;
      const leave = (): void => {
        if (--entry.watches > 0) return;
        entries.delete(value);
        if (entries.size === 0) indexes.delete(index);
        if (indexes.size === 0) kinds.delete(index.prefix);
      };
      return { own: [entry.signal, progress], leave };
    },
  };
}
