// Time that moves only when everybody is waiting for it.
import TinyQueue from "tinyqueue";
import { instant, type Instant } from "../../api/meta.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { Clock, Random } from "../../machinery/world.ts";

/** mulberry32: 32 bits of state, good enough to explore, small enough to trust. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

export interface VirtualClock extends Clock {
  /** Fires after `ms` unless called off first. */
  after(ms: number, fire: () => void): () => void;
  /** Live until `end`: let every promise settle, then jump to the next timer. */
  run(end: number): Promise<void>;
  /** Timers fired so far. */
  readonly fired: number;
}

/** The instant every simulated life begins at; any will do, as long as it is always the same. */
export const beginning = Date.parse("2026-01-01T00:00:00Z");

/** A tick comes after every promise that can settle has settled, and costs no turn of the event loop. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

export function virtualClock(): VirtualClock {
  let now = beginning;
  let order = 0;
  let fired = 0;
  const timers = new TinyQueue<Timer>([], (a, b) => a.at - b.at || a.order - b.order);
  const after = (ms: number, fire: () => void): (() => void) => {
    const timer: Timer = { at: now + Math.max(0, Math.round(ms)), order: order++, fire, cancelled: false };
    timers.push(timer);
    return () => {
      timer.cancelled = true;
    };
  };
  return {
    get fired() {
      return fired;
    },
    now: (): Instant => instant(now),
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        let off = (): void => {};
        const cancel = after(ms, () => {
          off();
          resolve();
        });
        if (signal)
          off = onAbort(signal, () => {
            cancel();
            reject(signal.reason as Error);
          });
      }),
    async run(end) {
      for (;;) {
        await settled();
        while (timers.peek()?.cancelled) timers.pop();
        const next = timers.peek();
        if (!next || next.at > end) {
          now = end;
          return;
        }
        // Everything due at the same moment happens in the same breath.
        now = next.at;
        while (timers.peek()?.at === now) {
          const timer = timers.pop()!;
          if (timer.cancelled) continue;
          fired++;
          timer.fire();
        }
      }
    },
  };
}
