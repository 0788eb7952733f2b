// The contract of the log, which is the only place where state is kept. test/suites/storage.ts holds three engines to
// it: memory, SQLite and etcd.
import type { Instant, Revision } from "../../api/meta.ts";
import type { Signal } from "../../machinery/signal.ts";

/** A current value, with the revisions of its creation and last change. */
export interface Stored {
  readonly key: string;
  readonly value: Uint8Array;
  readonly created: Revision;
  readonly modified: Revision;
}

/**
 * One change. Without `now` it is a deletion; `before` lets a filtered watch turn "left the filter" into
 * "deleted".
 */
export interface Change {
  readonly key: string;
  readonly revision: Revision;
  readonly now?: Stored;
  readonly before?: Stored;
}

/** The selected changes committed up to `revision`. Empty for progress without changes. */
export interface Batch {
  readonly revision: Revision;
  readonly changes: readonly Change[];
}

/** What a commit expects of a key: the revision of its last change, 0 when there is none. */
export interface Condition {
  readonly key: string;
  readonly expect: Revision;
}

/** The only way to write. Create expects 0, update and delete expect what was read, delete writes null. */
export interface Write extends Condition {
  readonly value: Uint8Array | null;
}

/** Whether a part of a commit writes. */
export const isWrite = (part: Write | Condition): part is Write => "value" in part;

/**
 * A failed precondition is a value, not an exception: the key and its current value. The revision is that of the first
 * write.
 */
export type Commit =
  | { readonly ok: true; readonly revision: Revision }
  | { readonly ok: false; readonly key: string; readonly current: Stored | undefined };

/** A part of a list: `after` is the last key read, `at` the revision of the first part. */
export interface Page {
  readonly limit?: number;
  readonly after?: string;
  readonly at?: Revision;
}

/** A part of the entries at `revision`, in key order, and the number of entries after it. */
export interface Listing {
  readonly entries: readonly Stored[];
  readonly revision: Revision;
  readonly remaining: number;
}

/** The prefix of a kind in a key, up to its third slash. Not all keys have one. */
export function kindOf(key: string): string | undefined {
  const first = key.indexOf("/", 1);
  const second = first < 0 ? -1 : key.indexOf("/", first + 1);
  return second < 0 ? undefined : key.slice(0, second + 1);
}

/** A field of stored objects by which watches are indexed, such as the node of a pod. */
export interface WatchIndex {
  /** Of a kind, as {@link kindOf} finds it. */
  readonly prefix: string;
  /** Under which values a change is of interest: what it has become, and what it was. */
  valuesOf(change: Change): readonly string[];
}
/**
 * One value of an index. A watch in an entry is woken by changes of its own value, and by `progress` from time to time.
 */
export interface WatchIndexEntry {
  readonly index: WatchIndex;
  readonly value: string;
  readonly progress: Signal;
  /** Whether the watch has to end. Called after each wake-up. */
  isOver(): boolean;
}

/** The current state. It advances with the log and never goes back. */
export interface Present {
  get(key: string): Stored | undefined;
  list(prefix: string): readonly Stored[];
}

/** A revision, and when it was committed. */
export interface Moment {
  readonly revision: Revision;
  readonly time: Instant;
}

/**
 * The changes that this process keeps, as far as it has received them: each server keeps its own. A revision that is
 * older than all of them throws {@link Compacted}.
 */
export interface History {
  /** The state before the oldest kept change. */
  readonly oldest: Moment;
  readonly newest: Moment;
  /** The memory that only history takes: past values, and what a change takes beside them. */
  readonly bytes: number;
  /** When a revision was committed; that of the oldest for older ones. */
  timeOf(at: Revision): Instant;
  /** The last revision at or before a time; undefined when that is older than history. */
  revisionAt(time: Instant): Revision | undefined;
  /** The changes under a prefix after `from` and up to `to`, in order. */
  changes(prefix: string, from: Revision, to?: Revision): readonly Change[];
  /** All kept changes of a key, in order. */
  changesOf(key: string): readonly Change[];
  /** The value of a key at a revision. */
  get(key: string, at: Revision): Stored | undefined;
  /** Up to which revision history would have to be compacted to take at most so many bytes, if it takes more. */
  beyond(bytes: number): Revision | undefined;
}

/** The log every component observes a view of. Reads and writes are linearizable. */
export interface Storage {
  revision(): Promise<Revision>;
  get(key: string): Promise<Stored | undefined>;
  /** The current state, no older than the call: several look-ups cost one read. */
  present(): Promise<Present>;
  /** The same without waiting: as far as this process has received history. */
  readonly received: Present;
  readonly history: History;
  /** Throws {@link Compacted} when `page.at` is older than history reaches. */
  list(prefix: string, page?: Page): Promise<Listing>;
  /** Commits all of these writes, of different keys, or none: if every condition holds. */
  commit(write: Write, ...alongside: readonly (Write | Condition)[]): Promise<Commit>;
  /** Changes after `from`, in order, without gaps. Throws {@link Compacted} when `from` is too old. */
  watch(prefix: string, from: Revision, signal: AbortSignal, entry?: WatchIndexEntry): AsyncIterable<Batch>;
  /**
   * Forgets history up to a revision. A store that several servers share is compacted up to `shared`, which may be
   * later: what a server has received, it keeps itself.
   */
  compact(upTo: Revision, shared?: Revision): Promise<void>;
  /**
   * Replaces all entries by these in one step, which a crash does not divide, at a revision above all before. Every
   * watch ends as compacted. An entry keeps its revision where it is as it was, unless the store numbers all changes
   * itself, as etcd does; one that changed since has a revision above those before.
   */
  replaceAll(entries: readonly Stored[]): Promise<void>;
  /** Whether an entry is kept in another form than it would be now, such as encrypted with a former key. */
  isStale?(stored: Stored): boolean;
}

/** The revision of a reader was compacted: it has to list again. */
export class Compacted extends Error {
  override readonly name = "Compacted";
  readonly requested: Revision;
  readonly oldest: Revision;
  constructor(requested: Revision, oldest: Revision) {
    super(`revision ${requested} was compacted: history begins at ${oldest}`);
    this.requested = requested;
    this.oldest = oldest;
  }
}
