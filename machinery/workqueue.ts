// Keys awaiting work. Guarantees: a key is never processed concurrently; a key added many times before it is taken
// is taken once; a key added during processing is taken again afterwards.
import type { Instant } from "../api/meta.ts";
import { wakeable } from "./abort.ts";
import type { Clock } from "./world.ts";

/** What a timer can hold; a key with a longer delay is worked on early. */
const longestDelayMs = 2 ** 31 - 1;

/** Milliseconds before retry number `failures`, doubling from `base` and never above `max`. Pure. */
export const backoff = (failures: number, base = 50, max = 30_000): number =>
  Math.min(max, base * 2 ** Math.max(0, failures - 1));

export interface WorkQueue<K> {
  add(key: K): void;
  /** Adds after `ms`; of two delays of the same key the shorter counts. */
  addAfter(key: K, ms: number): void;
  /** Adds after a back-off that grows with each failure until {@link forget}. */
  retry(key: K): void;
  forget(key: K): void;
  take(signal: AbortSignal): AsyncIterable<K>;
  /** To be called for every key taken, when the work is done. */
  done(key: K): void;
  /** Keys waiting to be taken. */
  readonly size: number;
  /** When each key being worked on was taken. */
  readonly active: ReadonlyMap<K, Instant>;
}

/** What a queue counts. Durations in milliseconds. */
export interface QueueMetrics {
  added(): void;
  retried(): void;
  waited(ms: number): void;
  worked(ms: number): void;
}
const uncounted: QueueMetrics = { added: () => {}, retried: () => {}, waited: () => {}, worked: () => {} };

/** Workers without a key, woken one at a time. */
function idleWorkers(): { wakeOne(): void; sleep(until: AbortSignal): Promise<void> } {
  const idle = new Set<() => void>();
  return {
    wakeOne() {
      const [wake] = idle;
      if (wake === undefined) return;
      idle.delete(wake);
      wake();
    },
    async sleep(until) {
      const { slept, wake } = wakeable(until);
      idle.add(wake);
      await slept;
      idle.delete(wake);
    },
  };
}

/** Pending delays end with `signal`; without one they keep the process alive. */
export function workQueue<K>(clock: Clock, signal?: AbortSignal, metrics: QueueMetrics = uncounted): WorkQueue<K> {
  const waiting: K[] = [];
  /** Keys to be worked on, and since when. */
  const dirty = new Map<K, Instant>();
  const active = new Map<K, Instant>();
  const failures = new Map<K, number>();
  const delays = new Map<K, number>();
  const workers = idleWorkers();

  const offer = (key: K): void => {
    waiting.push(key);
    workers.wakeOne();
  };
  const keep = (key: K, at: number): void => {
    if (delays.get(key) !== at) return;
    delays.delete(key);
    queue.add(key);
  };
  const queue: WorkQueue<K> = {
    active,
    get size() {
      return waiting.length;
    },
    add(key) {
      if (dirty.has(key)) return;
      dirty.set(key, clock.now());
      metrics.added();
      if (!active.has(key)) offer(key);
    },
    addAfter(key, delayMs) {
      const ms = Math.min(delayMs, longestDelayMs);
      const at = clock.now() + ms;
      if ((delays.get(key) ?? Number.POSITIVE_INFINITY) <= at) return;
      delays.set(key, at);
      clock.sleep(ms, signal).then(
        () => keep(key, at),
        () => delays.delete(key),
      );
    },
    retry(key) {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      metrics.retried();
      queue.addAfter(key, backoff(count));
    },
    forget: (key) => void failures.delete(key),
    done(key) {
      metrics.worked(clock.now() - (active.get(key) ?? clock.now()));
      active.delete(key);
      if (dirty.has(key)) offer(key);
    },
    async *take(until) {
      while (!until.aborted) {
        const key = waiting.shift();
        if (key === undefined) {
          await workers.sleep(until);
          continue;
        }
        const now = clock.now();
        metrics.waited(now - (dirty.get(key) ?? now));
        dirty.delete(key);
        active.set(key, now);
        yield key;
      }
      // A worker that was woken and stops leaves its key to another.
      if (waiting.length > 0) workers.wakeOne();
    },
  };
  return queue;
}
