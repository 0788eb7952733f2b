// Restart back-off: none for the first restart, then 10 s, doubled up to 5 minutes, and reset by a run of 10 minutes.
// Pure: the number of steps is a label of each container.
import { type Instant, instant } from "../../api/meta.ts";
import type { Exit, RuntimeContainer } from "../runtime.ts";

const firstMs = 10_000;
const longestMs = 300_000;
const forgottenAfterMs = 600_000;

/** The delay of a back-off step in milliseconds; step 0 has none. */
export const waitMs = (step: number): number => (step <= 0 ? 0 : Math.min(longestMs, firstMs * 2 ** (step - 1)));

/** The back-off step of the run after this one. */
export function stepAfter(run: RuntimeContainer & { readonly status: Exit }): number {
  const { startedAt, finishedAt } = run.status;
  const lasted = startedAt === undefined ? 0 : finishedAt - startedAt;
  return lasted >= forgottenAfterMs ? 0 : run.backoff;
}

/** When the run after this one may start. */
export const restartAt = (run: RuntimeContainer & { readonly status: Exit }): Instant =>
  instant(run.status.finishedAt + waitMs(stepAfter(run)));

/** Formats a duration for messages, such as `1m20s`. */
export function writtenDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
