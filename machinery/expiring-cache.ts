// Values that are valid for a time, by key; bounded, and the oldest is dropped first.
import type { Clock } from "./world.ts";

export interface ExpiringCache<V> {
  get(key: string): V | undefined;
  set(key: string, value: V, ms: number): void;
}

/** An empty cache for so many values. */
export function expiringCache<V>(clock: Clock, limit = 4096): ExpiringCache<V> {
  const entries = new Map<string, { readonly value: V; readonly until: number }>();
  return {
    get(key) {
      const found = entries.get(key);
      if (found && clock.now() < found.until) return found.value;
      entries.delete(key);
      return undefined;
    },
    set(key, value, ms) {
      entries.delete(key);
      if (entries.size >= limit) entries.delete(entries.keys().next().value!);
      entries.set(key, { value, until: clock.now() + ms });
    },
  };
}
