// The recent changes of the log, each with its time: in order, by kind and by key, so that a read of the past costs
// what has changed since of its kind, or of its key.
import { type Instant, instant, type Revision, revision } from "../../api/meta.ts";
import { type Batch, type Change, Compacted, type History, kindOf, type Moment, type Stored } from "./storage.ts";

/** So many changes at most are handed over at once: a reader far behind must not hold the process up. */
const batchSize = 1000;
/**
 * What a change takes in memory beside the values, in bytes: the objects of the change and of a version, the header of
 * its bytes, and the entries of three indexes. `bench/history.ts` measures it.
 */
export const changeBytes = 400;

/** The memory that is freed once a change is forgotten: its new value is then the present one, or that of another. */
const bytesOf = ({ before }: Change): number => changeBytes + (before?.value.byteLength ?? 0);

/** The first index below `length` of which this holds, as of all after it; `length` without one. */
function firstIndex(length: number, holds: (index: number) => boolean, from = 0): number {
  let [low, high] = [from, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Index of the first change after `cursor`. There are no more changes behind it than revisions, unless a store shares
 * revisions, so that a cursor near the end is found in few steps.
 */
function firstAfter(changes: readonly Change[], cursor: Revision): number {
  const last = changes[changes.length - 1];
  if (!last || last.revision <= cursor) return changes.length;
  const guess = changes.length - (last.revision - cursor);
  const from = guess > 0 && changes[guess - 1]!.revision <= cursor ? guess : 0;
  return firstIndex(changes.length, (index) => changes[index]!.revision > cursor, from);
}

const none: readonly Change[] = [];

/** Removes the oldest changes of every list, as many as the map counts under its key. */
function forgetOldest(lists: Map<string, Change[]>, counts: ReadonlyMap<string, number>): void {
  for (const [key, count] of counts) {
    const list = lists.get(key)!;
    if (list.length === count) lists.delete(key);
    else list.splice(0, count);
  }
}

const countBy = (changes: readonly Change[], keyOf: (change: Change) => string | undefined): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const change of changes) {
    const key = keyOf(change);
    if (key) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
};

function appendTo(lists: Map<string, Change[]>, key: string, change: Change): void {
  const list = lists.get(key);
  if (list) list.push(change);
  else lists.set(key, [change]);
}

/** The kept changes with their times, and the same by kind and by key. */
function indexedChanges() {
  const [byKind, byKey] = [new Map<string, Change[]>(), new Map<string, Change[]>()];
  let [all, times, bytes]: [Change[], number[], number] = [[], [], 0];
  return {
    get all(): readonly Change[] {
      return all;
    },
    get times(): readonly number[] {
      return times;
    },
    get bytes() {
      return bytes;
    },
    ofKind: (kind: string | undefined): readonly Change[] => (kind === undefined ? all : (byKind.get(kind) ?? none)),
    ofKey: (key: string): readonly Change[] => byKey.get(key) ?? none,
    append(change: Change, kind: string | undefined, time: number): void {
      all.push(change);
      times.push(time);
      bytes += bytesOf(change);
      // Other roots of a shared store have no keys here.
      if (change.key !== "") appendTo(byKey, change.key, change);
      if (kind !== undefined) appendTo(byKind, kind, change);
    },
    forget(count: number): void {
      const forgotten = all.slice(0, count);
      for (const change of forgotten) bytes -= bytesOf(change);
      [all, times] = [all.slice(count), times.slice(count)];
      const kinds = countBy(forgotten, ({ key }) => kindOf(key));
      forgetOldest(byKind, kinds);
      const keys = countBy(forgotten, ({ key }) => key);
      forgetOldest(byKey, keys);
    },
    clear(): void {
      [all, times, bytes] = [[], [], 0];
      for (const lists of [byKind, byKey]) lists.clear();
    },
  };
}
type IndexedChanges = ReturnType<typeof indexedChanges>;

/** The next changes of a watch from a cursor, and how far it has come then. */
function nextBatch(all: readonly Change[], { prefix, kind }: Selected, cursor: Revision, head: Revision): Batch {
  const from = firstAfter(all, cursor);
  let to = Math.min(all.length, from + batchSize);
  // Changes of one commit stay together: a cursor is never within a revision.
  while (all[to]?.revision === all[to - 1]?.revision && to < all.length) to++;
  const upTo = to < all.length ? all[to - 1]!.revision : head;
  return { revision: upTo, changes: under({ prefix, kind }, all.slice(from, to)) };
}

/** A prefix, and the kind that it is of or within. */
interface Selected {
  readonly prefix: string;
  readonly kind: string | undefined;
}
const under = ({ prefix, kind }: Selected, some: readonly Change[]): readonly Change[] =>
  prefix === kind ? some : some.filter((change) => change.key.startsWith(prefix));

/** The reads of single moments and of sizes. `floor` is the state before the first change. */
function reads(kept: IndexedChanges, floor: () => Moment): Pick<History, "timeOf" | "revisionAt" | "beyond"> {
  return {
    timeOf(at) {
      const next = firstAfter(kept.all, at);
      return next === 0 ? floor().time : instant(kept.times[next - 1]!);
    },
    revisionAt(time) {
      if (time < floor().time) return undefined;
      const next = firstIndex(kept.times.length, (index) => kept.times[index]! > time);
      return next === 0 ? floor().revision : kept.all[next - 1]!.revision;
    },
    beyond(limit) {
      let [left, index] = [kept.bytes, 0];
      while (left > limit) left -= bytesOf(kept.all[index++]!);
      return index === 0 ? undefined : kept.all[index - 1]!.revision;
    },
  };
}

/** A history that is written to. */
export interface RecordedHistory extends History {
  readonly head: Revision;
  /** History before this revision is compacted. */
  readonly floor: Revision;
  /** Times never decrease: `at` is at least that of the change before. */
  append(change: Change, at: Instant): void;
  /** The next changes of a watch. Throws {@link Compacted} when some of its kind can be compacted. */
  read(prefix: string, cursor: Revision): Batch;
  compact(upTo: Revision): void;
  restart(at: Revision, time: Instant): void;
}

/** A history without changes. `present` is the state after all of them. */
export function historyFrom(start: Moment, present: (key: string) => Stored | undefined): RecordedHistory {
  const kept = indexedChanges();
  /** What is known of history begins at `origin`; what is kept of it, at `floor`. */
  let [head, floor, origin, floorTime] = [start.revision, start.revision, start.revision, start.time];
  /** The revision of the last change of each kind, so that idle watches advance without reading the changes. */
  const lastChanges = new Map<string, Revision>();
  const oldest = (): Moment => ({ revision: floor, time: floorTime });
  const lastTime = (): Instant => instant(kept.times.at(-1) ?? floorTime);
  const check = (at: Revision): void => {
    if (at < floor) throw new Compacted(at, floor);
  };
  return {
    ...reads(kept, oldest),
    get head() {
      return head;
    },
    get floor() {
      return floor;
    },
    get bytes() {
      return kept.bytes;
    },
    get oldest() {
      return oldest();
    },
    get newest() {
      return { revision: head, time: lastTime() };
    },
    changes(prefix, from, to = head) {
      check(from);
      const kind = kindOf(prefix);
      const all = kept.ofKind(kind);
      return under({ prefix, kind }, all.slice(firstAfter(all, from), firstAfter(all, to)));
    },
    changesOf: kept.ofKey,
    get(key, at) {
      check(at);
      const own = kept.ofKey(key);
      const next = own[firstAfter(own, at)];
      return next ? next.before : present(key);
    },
    append(change, at) {
      const kind = kindOf(change.key);
      kept.append(change, kind, Math.max(at, lastTime()));
      head = change.revision;
      if (kind !== undefined) lastChanges.set(kind, head);
    },
    read(prefix, cursor) {
      const kind = kindOf(prefix);
      if (kind !== undefined && cursor >= origin && (lastChanges.get(kind) ?? 0) <= cursor)
        return { revision: head, changes: [] };
      check(cursor);
      return nextBatch(kept.ofKind(kind), { prefix, kind }, cursor, head);
    },
    compact(upTo) {
      if (upTo <= floor) return;
      floor = revision(Math.min(upTo, head));
      const count = firstAfter(kept.all, floor);
      floorTime = instant(kept.times[count - 1] ?? floorTime);
      kept.forget(count);
    },
    restart(at, time) {
      kept.clear();
      lastChanges.clear();
      [head, floor, origin, floorTime] = [at, at, at, time];
    },
  };
}
