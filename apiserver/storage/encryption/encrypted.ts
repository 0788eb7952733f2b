// A storage whose values are encrypted where they are kept. What cannot be decrypted is refused by the reads that meet
// it, and by no others.
import type { Batch, Change, Present, Storage } from "../storage.ts";
import type { Encryption } from "./transformer.ts";

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
  const change = ({ now, before, ...other }: Change): Change => {
    // A value that could not be read is as if it had not been there.
    const was = before && readableOrNothing(before);
    return { ...other, ...(now && { now: readable(now) }), ...(was && { before: was }) };
  };
  const readableOrNothing = (stored: NonNullable<Change["before"]>) => {
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
