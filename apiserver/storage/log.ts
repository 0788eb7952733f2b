// The log in memory: the current values in key order, and the recent changes. Every storage reads from it. Without
// persistence it is the storage of the simulation, of tests, and of temporary servers.
import SortedBTree from "sorted-btree";
import {
  type Batch,
  type Change,
  type Commit,
  Compacted,
  type Condition,
  type History,
  isWrite,
  kindOf,
  type Listing,
  type Page,
  type Present,
  type Storage,
  type Stored,
  type WatchIndexEntry,
  type Write,
} from "./storage.ts";
import { type Instant, instant, type Revision, revision } from "../../api/meta.ts";
import { subscribe } from "../../machinery/signal.ts";
import { historyFrom } from "./history.ts";
import { type KeyedSignals, keyedSignals } from "./keyed-signals.ts";

// The package is CommonJS: imported as a module, its class is one level deeper than in its types.
const BTree = ((SortedBTree as unknown as { default?: unknown }).default ?? SortedBTree) as new (
  entries: [],
  compare: (a: string, b: string) => number,
) => Tree;
/** The current value of a key: a new value costs no search in the tree. */
interface Cell {
  stored: Stored;
}
interface Tree {
  set(key: string, value: Cell): boolean;
  delete(key: string): boolean;
  clear(): void;
  entries(from?: string): IterableIterator<[string, Cell]>;
  /** How many keys there are from `low` to before `high`; counts leaf by leaf. */
  forRange(low: string, high: string, includeHigh: false): number;
}

/** A comparison for strings only, which is faster than the package's own. */
const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The number of entries of each kind, since most kinds that are listed have none. */
function countsByKind(): { count(key: string, by: 1 | -1): void; isEmpty(prefix: string): boolean; clear(): void } {
  const counts = new Map<string, number>();
  return {
    count(key, by) {
      const kind = kindOf(key);
      if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + by);
    },
    isEmpty(prefix) {
      const kind = kindOf(prefix);
      return kind !== undefined && !counts.get(kind);
    },
    clear: () => counts.clear(),
  };
}

/** Entries by their keys. */
export interface Ordered {
  get(key: string): Stored | undefined;
  put(stored: Stored): void;
  delete(key: string): void;
  clear(): void;
  /** In the order of their keys, behind `after` when it is given. */
  under(prefix: string, after?: string): Iterable<Stored>;
  /** At most `limit` of them, and how many are left after those. */
  page(prefix: string, limit: number, after?: string): Omit<Listing, "revision">;
}

/** An empty ordered map: a hash map for single keys, and a tree for ranges. */
export function ordered(): Ordered {
  const tree = new BTree([], inOrder);
  const byKey = new Map<string, Cell>();
  const kinds = countsByKind();
  function* under(prefix: string, after?: string): Generator<Stored> {
    if (kinds.isEmpty(prefix)) return;
    for (const [key, { stored }] of tree.entries(after !== undefined && after > prefix ? after : prefix)) {
      if (!key.startsWith(prefix)) return;
      if (key !== after) yield stored;
    }
  }
  return {
    get: (key) => byKey.get(key)?.stored,
    put(stored) {
      const known = byKey.get(stored.key);
      if (known) {
        known.stored = stored;
        return;
      }
      const cell = { stored };
      byKey.set(stored.key, cell);
      tree.set(stored.key, cell);
      kinds.count(stored.key, 1);
    },
    delete(key) {
      if (!byKey.delete(key)) return;
      tree.delete(key);
      kinds.count(key, -1);
    },
    clear() {
      byKey.clear();
      tree.clear();
      kinds.clear();
    },
    under,
    page(prefix, limit, after) {
      const entries: Stored[] = [];
      for (const stored of under(prefix, after)) {
        entries.push(stored);
        if (entries.length < limit) continue;
        // No key has a character behind this one, so nothing under the prefix lies beyond it.
        return { entries, remaining: tree.forRange(stored.key, `${prefix}\uffff`, false) - 1 };
      }
      return { entries, remaining: 0 };
    },
  };
}

/** State and recent history in memory. Appending is synchronous, so readers see complete changes. */
export interface Log {
  head(): Revision;
  floor(): Revision;
  get(key: string): Stored | undefined;
  list(prefix: string, page?: Page): Listing;
  readonly present: Present;
  readonly history: History;
  /** `at` is when it was committed; by default now. */
  append(change: Change, at?: Instant): void;
  watch(prefix: string, from: Revision, signal: AbortSignal, entry?: WatchIndexEntry): AsyncIterable<Batch>;
  compact(upTo: Revision): void;
  /** Settles once the log has reached `target`, or when the signal is aborted. */
  reached(target: Revision, signal: AbortSignal): Promise<void>;
  /** Restarts from a snapshot: history before `at` is unknown, and every cursor is invalid. */
  restart(entries: readonly Stored[], at: Revision, time?: Instant): void;
}

/** The change that sets `key` to `value` at revision `at`, or deletes it when null. `before` is the previous value. */
export function changeOf(key: string, value: Uint8Array | null, at: Revision, before: Stored | undefined): Change {
  if (value === null) return { key, revision: at, ...(before && { before }) };
  const now = { key, value, created: before?.created ?? at, modified: at };
  return { key, revision: at, now, ...(before && { before }) };
}

/** The changes of an atomic group of writes, at the revisions after `head`; none if a precondition fails. */
export function decideCommit(
  parts: readonly (Write | Condition)[],
  get: (key: string) => Stored | undefined,
  head: Revision,
): { readonly changes: readonly Change[]; readonly commit: Commit } {
  const changes: Change[] = [];
  for (const part of parts) {
    const { key, expect } = part;
    const before = get(key);
    if ((before?.modified ?? 0) !== expect) return { changes: [], commit: { ok: false, key, current: before } };
    if (isWrite(part)) changes.push(changeOf(key, part.value, revision(head + changes.length + 1), before));
  }
  return { changes, commit: { ok: true, revision: revision(head + 1) } };
}

/** The entries under the prefix before the changes `undone`. */
function rewind(present: Iterable<Stored>, undone: readonly Change[], after: string): Stored[] {
  const then = new Map<string, Stored | undefined>();
  for (const change of undone) {
    if (change.key > after && !then.has(change.key)) then.set(change.key, change.before);
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

/** Tells the time of changes. */
export type Timer = () => Instant;
/** For a log whose times nobody reads. */
const timeless: Timer = () => instant(0);

/** An empty log, whose history begins at `start`. */
export function emptyLog(now: Timer = timeless, start: Revision = revision(0)): Log {
  const present = ordered();
  const signals: KeyedSignals = keyedSignals();
  const history = historyFrom({ revision: start, time: now() }, present.get);
  let epoch = 0;
  return {
    head: () => history.head,
    floor: () => history.floor,
    get: present.get,
    list(prefix, page = {}) {
      const { limit = Number.POSITIVE_INFINITY, after, at = history.head } = page;
      if (at >= history.head) return { revision: at, ...present.page(prefix, limit, after) };
      const all = rewind(present.under(prefix, after), history.changes(prefix, at), after ?? "");
      const entries = all.length > limit ? all.slice(0, limit) : all;
      return { entries, revision: at, remaining: all.length - entries.length };
    },
    present: { get: present.get, list: (prefix) => [...present.under(prefix)] },
    history,
    append(change, at = now()) {
      if (change.now) present.put(change.now);
      else present.delete(change.key);
      history.append(change, at);
      signals.changed(change);
    },
    async *watch(prefix, from, signal, entry) {
      let cursor = from;
      const began = epoch;
      const { own, leave } = signals.enter(entry);
      const subscription = subscribe(own, signal);
      try {
        while (!signal.aborted && entry?.isOver() !== true) {
          if (began !== epoch) throw new Compacted(cursor, history.floor);
          if (cursor >= history.head) {
            await subscription.next();
            continue;
          }
          const batch = history.read(prefix, cursor);
          cursor = batch.revision;
          yield batch;
        }
      } finally {
        subscription.close();
        leave();
      }
    },
    compact: history.compact,
    reached: (target, signal) => waitUntil(signals, () => history.head >= target, signal),
    restart(entries, at, time = now()) {
      present.clear();
      for (const stored of entries) present.put(stored);
      history.restart(at, time);
      epoch++;
      signals.all();
    },
  };
}

const isEqual = (a: Stored | undefined, b: Stored): boolean =>
  a?.modified === b.modified && Buffer.compare(a.value, b.value) === 0;

/**
 * What replaces all entries of a log, and the revision after it. An entry keeps its revision if it is as it was, or if
 * that is above all that readers of this log have seen; any other one has a new revision, since for a reader that saw a
 * later state of the object, it is a change.
 */
export function replacement(
  entries: readonly Stored[],
  log: Pick<Log, "get" | "head">,
): { readonly entries: readonly Stored[]; readonly at: Revision } {
  const head = log.head();
  const taken = new Set<Revision>();
  let last = revision(entries.reduce((most, { modified }) => Math.max(most, modified), Number(head)));
  const renumbered = entries.map((stored) => {
    // Stores that commit several entries at one revision make archives in which they share it.
    const isNew = stored.modified > head && !taken.has(stored.modified);
    if (isNew || isEqual(log.get(stored.key), stored)) {
      taken.add(stored.modified);
      return stored;
    }
    last = revision(last + 1);
    return { ...stored, modified: last };
  });
  return { entries: renumbered, at: revision(last + 1) };
}

/** A log without persistence. */
export function memoryStorage(now?: Timer): Storage {
  const log = emptyLog(now);
  return {
    revision: async () => log.head(),
    get: async (key) => log.get(key),
    present: async () => log.present,
    received: log.present,
    history: log.history,
    list: async (prefix, page) => log.list(prefix, page),
    // There is no await between checks and writes, so no other write can interleave.
    async commit(...parts) {
      const { changes, commit } = decideCommit(parts, log.get, log.head());
      for (const change of changes) log.append(change);
      return commit;
    },
    watch: log.watch,
    compact: async (upTo) => log.compact(upTo),
    async replaceAll(restored) {
      const { entries, at } = replacement(restored, log);
      log.restart(entries, at);
    },
  };
}
