// Paces bookmarks: the first at once, later ones combined, and one shortly before the watch ends.
import type { Revision } from "../../api/meta.ts";
import type { Clock } from "../../machinery/world.ts";
import type { StoredEvent } from "../registry/listing.ts";

/** How often bookmarks are sent. */
export interface Pace {
  readonly everyMs: number;
  /** A last bookmark is sent after so long, with or without progress: the watch is about to end. */
  readonly lastAfterMs?: number;
}

/** The same events, with at most one progress in each `everyMs`; the last one is never lost. */
export async function* paced(
  events: AsyncIterable<StoredEvent>,
  { everyMs, lastAfterMs, from }: Pace & { readonly from: Revision },
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent> {
  const reader = events[Symbol.asyncIterator]();
  let next = reader.next();
  let wake = (): void => {};
  let [isDue, hasNews, isLast] = [true, false, false];
  let reached = from;
  const later = (ms: number, then: () => void): void =>
    void clock.sleep(ms, signal).then(
      () => {
        then();
        wake();
      },
      () => {},
    );
  if (lastAfterMs !== undefined) later(lastAfterMs, () => (isLast = true));
  try {
    for (;;) {
      if (isLast || (isDue && hasNews)) {
        [isDue, hasNews, isLast] = [false, false, false];
        later(everyMs, () => (isDue = true));
        yield { type: "PROGRESS", revision: reached };
        continue;
      }
      // Made anew for every wait: what is waited on for long would keep all that ever waited.
      const woken = new Promise<undefined>((resolve) => (wake = () => resolve(undefined)));
      const result = await Promise.race([next, woken]);
      if (!result) continue;
      if (result.done) return;
      next = reader.next();
      reached = result.value.revision;
      if (result.value.type === "PROGRESS") hasNews = true;
      else yield result.value;
    }
  } finally {
    // The pending read ends with the signal, and is not awaited.
    next.catch(() => {});
    await reader.return?.();
  }
}
