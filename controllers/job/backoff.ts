// When the next pod may be created after failures: 10 s after the first, twice as long after each more, at most 10
// minutes. It follows from the pods that are there, so that a restart of the controller does not shorten it.
import type { Pod } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";
import { allIndexFailures, endedAt } from "./pods.ts";

const firstMs = 10_000;
const longestMs = 600_000;

/** Milliseconds that are left to wait. */
const remaining = (failures: number, lastFailure: Instant, now: Instant): number =>
  failures === 0 ? 0 : Math.max(0, lastFailure + Math.min(longestMs, firstMs * 2 ** (failures - 1)) - now);

/** The wait after failures since the last success. `deletedAt`: when pods ended that were deleted. */
export function waitAfter(pods: readonly Pod[], deletedAt: readonly Instant[], now: Instant): number {
  const endsOf = (phase: string): readonly Instant[] =>
    pods.filter((p) => p.status?.phase === phase && p.metadata.deletionTimestamp === undefined).map(endedAt);
  const lastSuccess = Math.max(Number.NEGATIVE_INFINITY, ...endsOf("Succeeded"));
  const failures = [...endsOf("Failed"), ...deletedAt].filter((at) => at >= lastSuccess);
  return remaining(failures.length, Math.max(...failures) as Instant, now);
}

/** The wait of an index whose last pod failed. */
export const waitOfIndex = (failed: Pod, now: Instant): number =>
  remaining(allIndexFailures(failed) + 1, endedAt(failed), now);
