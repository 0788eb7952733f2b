// Who is woken by which change: everybody, unless they stand in an entry; then only for what is theirs.
import { type Signal, newSignal } from "./signal.ts";
import type { Change, WatchIndexEntry, WatchIndex } from "./storage.ts";

/** The signals of one log. */
export interface KeyedSignals {
  changed(change: Change): void;
  /** Wake everybody: what they stand on is no more. */
  all(): void;
  /** The signals somebody in this entry has to hear; they are forgotten when the last one leaves. */
  enter(entry: WatchIndexEntry | undefined): { readonly own: readonly Signal[]; readonly leave: () => void };
}

/** Bells nobody hears yet. */
export function keyedSignals(): KeyedSignals {
  const everybody = newSignal();
  const entries = new Map<WatchIndex, Map<string, { readonly bell: Signal; inside: number }>>();
  return {
    changed(change) {
      everybody.notify();
      for (const [index, values] of entries) {
        if (!change.key.startsWith(index.prefix)) continue;
        for (const value of index.valuesOf(change)) values.get(value)?.bell.notify();
      }
    },
    all() {
      everybody.notify();
      for (const values of entries.values()) for (const { bell: one } of values.values()) one.notify();
    },
    enter(entry) {
      if (!entry) return { own: [everybody], leave: () => {} };
      const values = entries.get(entry.index) ?? new Map<string, { readonly bell: Signal; inside: number }>();
      entries.set(entry.index, values);
      const place = values.get(entry.value) ?? { bell: newSignal(), inside: 0 };
      values.set(entry.value, place);
      place.inside++;
      const leave = (): void => {
        if (--place.inside > 0) return;
        values.delete(entry.value);
        if (values.size === 0) entries.delete(entry.index);
      };
      return { own: [place.bell, entry.progress], leave };
    },
  };
}
