// The log as this process holds it: what stands now in key order, the changes that led here, and cursors over them.
// Every engine reads from one; they differ in what they do before a change is appended.
import { type Revision, revision } from "../../api/meta.ts";
import { subscribe } from "../../machinery/signal.ts";
import { type KeyedSignals, keyedSignals } from "./keyed-signals.ts";
import { ordered } from "./ordered.ts";
import {
  type Batch,
  type Change,
  Compacted,
  type WatchIndexEntry,
  type Listing,
  type Page,
  type Present,
  type Stored,
} from "./storage.ts";

/** So many changes at most are handed over at once: a reader far behind must not hold the process up. */
const batchSize = 1000;

/** State and recent history in memory. Appending is synchronous, so nobody ever sees half a change. */
export interface Log {
  head(): Revision;
  floor(): Revision;
  get(key: string): Stored | undefined;
  list(prefix: string, page?: Page): Listing;
  readonly present: Present;
  append(change: Change): void;
  watch(prefix: string, from: Revision, signal: AbortSignal, entry?: WatchIndexEntry): AsyncIterable<Batch>;
  compact(upTo: Revision): void;
  /** Settles once the log has reached `target`, or when the signal is aborted. */
  reached(target: Revision, signal: AbortSignal): Promise<void>;
  /** Begin anew from a snapshot: history before `at` is unknown from here on, and every cursor is void. */
  restart(entries: readonly Stored[], at: Revision): void;
}

/** The fact that `value` stands under `key` from `at` on (or nothing, when null), given what stood there before. */
export function changeOf(key: string, value: Uint8Array | null, at: Revision, before: Stored | undefined): Change {
  if (value === null) return { key, revision: at, ...(before && { before }) };
  const now = { key, value, created: before?.created ?? at, modified: at };
  return { key, revision: at, now, ...(before && { before }) };
}

/**
 * Index of the first change after `cursor`: by subtraction while revisions are dense, by search where a store shares
 * them.
 */
function firstAfter(changes: readonly Change[], cursor: Revision): number {
  const last = changes[changes.length - 1];
  if (!last || last.revision <= cursor) return changes.length;
  const guess = changes.length - (last.revision - cursor);
  if (guess >= 0 && changes[guess]!.revision === cursor + 1) return guess;
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (changes[middle]!.revision <= cursor) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What stood under the prefix before `undone`, the changes since, had happened. */
function rewind(present: Iterable<Stored>, undone: readonly Change[], prefix: string, after: string): Stored[] {
  const then = new Map<string, Stored | undefined>();
  for (const change of undone) {
    if (change.key.startsWith(prefix) && change.key > after && !then.has(change.key))
      then.set(change.key, change.before);
  }
  const kept = [...present].filter((stored) => !then.has(stored.key));
  const restored = [...then.values()].filter((stored) => stored !== undefined);
  return [...kept, ...restored].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Checks the condition at every notification until it holds or the signal is aborted. */
async function waitUntil(signals: KeyedSignals, holds: () => boolean, signal: AbortSignal): Promise<void> {
  const { own, leave } = signals.enter(undefined);
  const subscription = subscribe(own, signal);
  while (!holds() && !signal.aborted) await subscription.next();
  subscription.close();
  leave();
}

/** An empty log, whose history begins at `start`. */
export function emptyLog(start: Revision = revision(0)): Log {
  const present = ordered();
  const signals: KeyedSignals = keyedSignals();
  let changes: Change[] = [];
  let head = start;
  let floor = start;
  let epoch = 0;

  const read = (prefix: string, cursor: Revision): Batch => {
    const from = firstAfter(changes, cursor);
    const to = Math.min(changes.length, from + batchSize);
    const upTo = to < changes.length ? changes[to - 1]!.revision : head;
    return { revision: upTo, changes: changes.slice(from, to).filter((change) => change.key.startsWith(prefix)) };
  };
  const since = (at: Revision): readonly Change[] => {
    if (at < floor) throw new Compacted(at, floor);
    return changes.slice(firstAfter(changes, at));
  };
  return {
    head: () => head,
    floor: () => floor,
    get: present.get,
    list(prefix, page = {}) {
      const { limit = Number.POSITIVE_INFINITY, after, at = head } = page;
      if (at >= head) return { revision: at, ...present.page(prefix, limit, after) };
      const all = rewind(present.under(prefix, after), since(at), prefix, after ?? "");
      const entries = all.length > limit ? all.slice(0, limit) : all;
      return { entries, revision: at, remaining: all.length - entries.length };
    },
    present: { get: present.get, list: (prefix) => [...present.under(prefix)] },
    append(change) {
      if (change.now) present.put(change.now);
      else present.delete(change.key);
      changes.push(change);
      head = change.revision;
      signals.changed(change);
    },
    async *watch(prefix, from, signal, entry) {
      let cursor = from;
      const began = epoch;
      const { own, leave } = signals.enter(entry);
      const subscription = subscribe(own, signal);
      try {
        while (!signal.aborted) {
          if (cursor < floor || began !== epoch) throw new Compacted(cursor, floor);
          if (cursor >= head) {
            await subscription.next();
            continue;
          }
          const batch = read(prefix, cursor);
          cursor = batch.revision;
          yield batch;
        }
      } finally {
        subscription.close();
        leave();
      }
    },
    compact(upTo) {
      if (upTo <= floor) return;
      floor = revision(Math.min(upTo, head));
      changes = changes.slice(firstAfter(changes, floor));
    },
    reached: (target, signal) => waitUntil(signals, () => head >= target, signal),
    restart(entries, at) {
      present.clear();
      for (const stored of entries) present.put(stored);
      changes = [];
      head = at;
      floor = at;
      epoch++;
      signals.all();
    },
  };
}
