// How much of the past a server keeps in memory.

/** History is forgotten beyond this age, and beyond this many bytes of memory. */
export interface HistoryLimits {
  readonly ageMs: number;
  readonly bytes: number;
}

/** An hour of a cluster with some hundred changes a minute, and minutes of a busy one. */
export const defaultHistoryLimits: HistoryLimits = { ageMs: 60 * 60_000, bytes: 128 * 2 ** 20 };
