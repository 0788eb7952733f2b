// Keys awaiting work. Three promises: a key is never worked on twice at once; a key added many times before it is taken
// is taken once; a key added while being worked on is taken again afterwards.
import { wakeable } from "./abort.ts";
import type { Clock } from "./world.ts";

/** Milliseconds before retry number `failures`, doubling from `base` and never above `max`. Pure. */
export const backoff = (failures: number, base = 50, max = 30_000): number =>
  Math.min(max, base * 2 ** Math.max(0, failures - 1));

export interface WorkQueue<K> {
  add(key: K): void;
  /** Add after `ms`; an earlier appointment for the same key stands, a later one is moved forward. */
  addAfter(key: K, ms: number): void;
  /** Add again after a failure, later each time until {@link forget}. */
  retry(key: K): void;
  forget(key: K): void;
  take(signal: AbortSignal): AsyncIterable<K>;
  /** Must follow every key taken. */
  done(key: K): void;
  /** Keys waiting to be taken. */
  readonly size: number;
}

/** Delays in this queue die with `signal`; without one they keep the process alive. */
export function workQueue<K>(clock: Clock, signal?: AbortSignal): WorkQueue<K> {
  const waiting: K[] = [];
  const dirty = new Set<K>();
  const active = new Set<K>();
  const failures = new Map<K, number>();
  const appointments = new Map<K, number>();
  const sleepers = new Set<() => void>();

  const offer = (key: K): void => {
    waiting.push(key);
    for (const wake of sleepers) wake();
  };
  const keep = (key: K, at: number): void => {
    if (appointments.get(key) !== at) return;
    appointments.delete(key);
    queue.add(key);
  };
  const queue: WorkQueue<K> = {
    get size() {
      return waiting.length;
    },
    add(key) {
      if (dirty.has(key)) return;
      dirty.add(key);
      if (!active.has(key)) offer(key);
    },
    addAfter(key, ms) {
      const at = clock.now() + ms;
      if ((appointments.get(key) ?? Number.POSITIVE_INFINITY) <= at) return;
      appointments.set(key, at);
      clock.sleep(ms, signal).then(
        () => keep(key, at),
        () => appointments.delete(key),
      );
    },
    retry(key) {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      queue.addAfter(key, backoff(count));
    },
    forget: (key) => void failures.delete(key),
    done(key) {
      active.delete(key);
      if (dirty.has(key)) offer(key);
    },
    async *take(until) {
      while (!until.aborted) {
        const key = waiting.shift();
        if (key === undefined) {
          const { slept, wake } = wakeable(until);
          sleepers.add(wake);
          await slept;
          sleepers.delete(wake);
          continue;
        }
        dirty.delete(key);
        active.add(key);
        yield key;
      }
    },
  };
  return queue;
}
