// The real clock and randomness: the only file that reads the machine's.
import { instant } from "../api/meta.ts";
import { onAbort } from "./abort.ts";
import type { Tracer } from "./trace.ts";
import type { Clock, Log, Random, World } from "./world.ts";

const clock: Clock = {
  now: () => instant(Date.now()),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const timer = setTimeout(() => {
        off?.();
        resolve();
      }, ms);
      const off =
        signal &&
        onAbort(signal, () => {
          clearTimeout(timer);
          reject(signal.reason as Error);
        });
    }),
};
const random: Random = { next: Math.random };

/** The world of a process that is not simulated, for a `main.ts` or a command. */
export const realWorld = (log: Log, tracer?: Tracer): World => ({ clock, random, log, ...(tracer && { tracer }) });

/** Milliseconds since the epoch with fractions, for the times of spans. */
export const preciseNow = (): number => performance.timeOrigin + performance.now();
