// Periodic work of a server: compaction of history, and expiry of events.
import { hasReason } from "../api/errors.ts";
import { events } from "../api/core/events.ts";
import { type Instant, instantOf, keyOf, type Revision } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import type { World } from "../machinery/world.ts";
import type { Storage } from "./storage/storage.ts";

/** How long a watch may be interrupted and still resume. */
const historyMs = 5 * 60_000;
/** Most changes that are kept, to bound memory. */
const mostChanges = 20_000;
const lookEveryMs = 15_000;
const eventAgeMs = 60 * 60_000;
const sweepEveryMs = 5 * 60_000;

/** The revision at a time. */
export interface Mark {
  readonly at: Instant;
  readonly revision: Revision;
}

/** The marks to keep, and the revision up to which history may be compacted, if any. */
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
export function compactHistory(storage: Storage, world: World, signal: AbortSignal): Promise<void> {
  let marks: readonly Mark[] = [];
  const compact = async (): Promise<void> => {
    const { kept, upTo } = forget(marks, { at: world.clock.now(), revision: await storage.revision() });
    if (upTo !== undefined) await storage.compact(upTo);
    marks = kept;
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
