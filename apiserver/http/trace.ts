// Where the time of a slow request went: what was done by when, told only when the whole took long.
import type { Clock } from "../../machinery/world.ts";

/** From here on a request is slow. Kubernetes: the same. */
const slowMs = 500;

/** The trace of one request. */
export interface Trace {
  /** Says that a step is done by now. */
  readonly done: (step: string) => void;
  /** What took how long, in order, when all of it together took long. */
  slow(): string | undefined;
}

/** Takes the times of a request that began at this moment. */
export function traceSince(began: number, clock: Clock): Trace {
  const names: string[] = [];
  const times: number[] = [began];
  return {
    done(step) {
      names.push(step);
      times.push(clock.now());
    },
    slow() {
      if (times.at(-1)! - began < slowMs) return undefined;
      return names.map((name, i) => `${name} ${times[i + 1]! - times[i]!} ms`).join(", ");
    },
  };
}
