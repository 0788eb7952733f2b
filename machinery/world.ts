// Clock, randomness, log and spans: the only sources of what is not computed, and where it is recorded. The simulation
// has its own.
import type { Instant } from "../api/meta.ts";
import type { Tracer } from "./trace.ts";

export interface Clock {
  now(): Instant;
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Present while tracing is on. */
  readonly tracer?: Tracer;
}
/** One line for operators. `fields` are searchable; `message` is a sentence without values. */
export type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void;
