// A storage whose values are encrypted where they are kept. What cannot be decrypted is refused by the reads that meet
// it, and by no others.
import type { Batch, Change, History, Present, Storage, Stored } from "../storage.ts";
import type { Encryption } from "./transformer.ts";

/** The history, in which values that cannot be read are as if they had not been there. */
function readableHistory(
  history: History,
  readable: (stored: Stored) => Stored | undefined,
  change: (change: Change) => Change,
): History {
  return {
    get oldest() {
      return history.oldest;
    },
    get newest() {
      return history.newest;
    },
    get bytes() {
      return history.bytes;
    },
    timeOf: history.timeOf,
    revisionAt: history.revisionAt,
    beyond: history.beyond,
    changes: (...of) => history.changes(...of).map(change),
    changesOf: (key) => history.changesOf(key).map(change),
    get(key, at) {
      const stored = history.get(key, at);
      return stored && readable(stored);
    },
  };
}

/** The storage, which opened its values with this encryption. */
export function encryptedStorage(storage: Storage, encryption: Encryption): Storage {
  const { readable, hasUnreadable, isStale } = encryption;
  const guarded = (present: Present): Present => ({
    get(key) {
      const stored = present.get(key);
      return stored && readable(stored);
    },
    list: (prefix) => (hasUnreadable() ? present.list(prefix).map(readable) : present.list(prefix)),
  });
  const received = guarded(storage.received);
  const changeBy =
    (open: (stored: Stored) => Stored | undefined) =>
    ({ now, before, ...other }: Change): Change => {
      const [is, was] = [now && open(now), before && readableOrNothing(before)];
      return { ...other, ...(is && { now: is }), ...(was && { before: was }) };
    };
  // A former value that cannot be read is as if it had not been there.
  const change = changeBy(readable);
  const readableOrNothing = (stored: Stored): Stored | undefined => {
    try {
      return readable(stored);
    } catch {
      return undefined;
    }
  };
  const batch = (read: IteratorResult<Batch>): IteratorResult<Batch> =>
    read.done || !hasUnreadable()
      ? read
      : { done: false, value: { ...read.value, changes: read.value.changes.map(change) } };
  return {
    ...storage,
    isStale,
    received,
    history: readableHistory(storage.history, readableOrNothing, changeBy(readableOrNothing)),
    async get(key) {
      const stored = await storage.get(key);
      return stored && readable(stored);
    },
    present: async () => guarded(await storage.present()),
    async list(prefix, page) {
      const listing = await storage.list(prefix, page);
      return hasUnreadable() ? { ...listing, entries: listing.entries.map(readable) } : listing;
    },
    async commit(write, ...alongside) {
      const commit = await storage.commit(write, ...alongside);
      return commit.ok || !commit.current ? commit : { ...commit, current: readable(commit.current) };
    },
    watch(...of) {
      const batches = storage.watch(...of)[Symbol.asyncIterator]();
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => batches.next().then(batch),
          return: async () => batches.return?.() ?? { done: true, value: undefined },
        }),
      };
    },
  };
}
