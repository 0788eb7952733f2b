// The real doors: the machine's clock and dice. Nothing else in the project may touch them.
import { instant } from "../api/meta.ts";
import type { Clock, Log, Random, World } from "./world.ts";

const clock: Clock = {
  now: () => instant(Date.now()),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    }),
};
const random: Random = { next: Math.random };

/** The world as it is; only a `main.ts` or a command may open it. */
export const realWorld = (log: Log): World => ({ clock, random, log });
