// How long a container that died waits for its next run: not at all the first time, then 10 s, doubling up to 5
// minutes; forgotten once a run has lasted 10 minutes. Pure: the memory is the step written on each container.
import { type Instant, instant } from "../../api/meta.ts";
import type { Exit, RuntimeContainer } from "../runtime.ts";

const firstMs = 10_000;
const longestMs = 300_000;
const forgottenAfterMs = 600_000;

/** The wait at a step of back-off; step 0 is none. */
export const waitMs = (step: number): number => (step <= 0 ? 0 : Math.min(longestMs, firstMs * 2 ** (step - 1)));

/** The step a dead container's successor waits at. */
export function stepAfter(run: RuntimeContainer & { readonly status: Exit }): number {
  const { startedAt, finishedAt } = run.status;
  const lasted = startedAt === undefined ? 0 : finishedAt - startedAt;
  return lasted >= forgottenAfterMs ? 0 : run.backoff;
}

/** When a dead container's successor may start. */
export const restartAt = (run: RuntimeContainer & { readonly status: Exit }): Instant =>
  instant(run.status.finishedAt + waitMs(stepAfter(run)));

/** `1m20s`, as durations are written in messages. */
export function writtenDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
