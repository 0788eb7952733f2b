// Periodic work of a server: compaction of history, and expiry of events.
import { hasReason } from "../api/errors.ts";
import { events } from "../api/core/events.ts";
import { type Instant, instant, instantOf, keyOf, type Revision, revision } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import type { World } from "../machinery/world.ts";
import { defaultHistoryLimits, type HistoryLimits } from "./history/limits.ts";
import type { History, Storage } from "./storage/storage.ts";

/** Most changes that are kept in a store that servers share: a server that starts reads them. */
const mostShared = 20_000;
const lookEveryMs = 15_000;
const eventAgeMs = 60 * 60_000;
const sweepEveryMs = 5 * 60_000;

/** Up to which revisions history is to be compacted: in memory, and in a store that servers share. */
export function compaction(
  { newest, oldest, revisionAt, beyond }: Pick<History, "newest" | "oldest" | "revisionAt" | "beyond">,
  { ageMs, bytes }: HistoryLimits,
  now: Instant,
): { readonly upTo: Revision; readonly shared: Revision } {
  const old = revisionAt(instant(now - ageMs)) ?? oldest.revision;
  const upTo = revision(Math.max(old, beyond(bytes) ?? 0));
  return { upTo, shared: revision(Math.max(old, newest.revision - mostShared)) };
}

/** Repeats work until the signal is aborted, and waits before each time. A failure is logged. */
export async function periodically(
  world: World,
  everyMs: number,
  failure: string,
  work: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await world.clock.sleep(everyMs, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      await work();
    } catch (e) {
      world.log(failure, { error: (e as Error).message });
    }
  }
}

/** Compacts the log from time to time. A failure costs memory only, and the next time makes up for it. */
export function compactHistory(
  storage: Storage,
  limits: HistoryLimits = defaultHistoryLimits,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  const compact = async (): Promise<void> => {
    const { upTo, shared } = compaction(storage.history, limits, world.clock.now());
    await storage.compact(upTo, shared);
  };
  return periodically(world, lookEveryMs, "history not compacted", compact, signal);
}

async function sweep(client: Client, now: Instant): Promise<void> {
  const { items } = await client.list(events);
  const lastSeen = (e: (typeof items)[number]): string =>
    e.series?.lastObservedTime ?? e.lastTimestamp ?? e.eventTime ?? e.metadata.creationTimestamp;
  for (const event of items) {
    if (now - instantOf(lastSeen(event)) < eventAgeMs) continue;
    try {
      await client.delete(events, keyOf(event), { resourceVersion: event.metadata.resourceVersion });
    } catch (e) {
      // Updated or deleted since it was listed.
      if (!hasReason(e, "NotFound", "Conflict")) throw e;
    }
  }
}

/** Deletes events an hour after they last happened. */
export const expireEvents = (client: Client, world: World, signal: AbortSignal): Promise<void> =>
  periodically(world, sweepEveryMs, "old events not deleted", () => sweep(client, world.clock.now()), signal);
