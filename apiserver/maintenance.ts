// Periodic work of a server: compaction of history, and expiry of events.
import { hasReason } from "../api/errors.ts";
import { events } from "../api/core/events.ts";
import { type Instant, instantOf, keyOf, type Revision } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import type { World } from "../machinery/world.ts";
import type { Storage } from "./storage/storage.ts";

/** So long a watcher may have been away and still pick up where it was. */
const historyMs = 5 * 60_000;
/** So many changes are kept at most: a busy cluster's past must not fill the memory of its server. */
const mostChanges = 20_000;
const lookEveryMs = 15_000;
const eventAgeMs = 60 * 60_000;
const sweepEveryMs = 5 * 60_000;

/** Where history was at some time. */
export interface Mark {
  readonly at: Instant;
  readonly revision: Revision;
}

/** The marks still worth keeping, and the revision up to which history may go, if it may. */
export function forget(
  marks: readonly Mark[],
  now: Mark,
): { readonly kept: readonly Mark[]; readonly upTo?: Revision } {
  const isOld = ({ at, revision }: Mark): boolean => now.at - at > historyMs || now.revision - revision > mostChanges;
  const old = marks.filter(isOld);
  const kept = [...marks.filter((mark) => !isOld(mark)), now];
  const newest = old.at(-1);
  return newest ? { kept, upTo: newest.revision } : { kept };
}

/** Compacts the log from time to time. */
export async function compactHistory(storage: Storage, world: World, signal: AbortSignal): Promise<void> {
  let marks: readonly Mark[] = [];
  while (!signal.aborted) {
    try {
      const { kept, upTo } = forget(marks, { at: world.clock.now(), revision: await storage.revision() });
      if (upTo !== undefined) await storage.compact(upTo);
      marks = kept;
    } catch (e) {
      // Old history is only a burden: it can wait until the store answers again.
      world.log("history not compacted", { error: (e as Error).message });
    }
    await world.clock.sleep(lookEveryMs, signal).catch(() => {});
  }
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
      // Seen again, or gone, since we looked.
      if (!hasReason(e, "NotFound", "Conflict")) throw e;
    }
  }
}

/** Deletes events an hour after they last happened. */
export async function expireEvents(client: Client, world: World, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await world.clock.sleep(sweepEveryMs, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      await sweep(client, world.clock.now());
    } catch (e) {
      world.log("old events not deleted", { error: (e as Error).message });
    }
  }
}
