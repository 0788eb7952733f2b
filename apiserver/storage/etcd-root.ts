// Under which root etcd keeps the entries. A replacement of all of them is written under a new root, which then becomes
// the current one in a single step, for every API server.
import type { Etcd3 } from "etcd3";
import { ApiError } from "../../api/errors.ts";
import type { Stored } from "./storage.ts";

/** The first key after all that begin with `prefix`. */
export function prefixEnd(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1;
  return end;
}
/** The condition that a key has not been written since this revision. */
export const unchangedSince = (key: Buffer, at: number) => ({
  ...{ key, target: "Mod" as const, result: "Equal" as const, mod_revision: at },
});
type Unchanged = ReturnType<typeof unchangedSince>;

export interface EtcdRoot {
  readonly prefix: Buffer;
  /** The key under the root; undefined for a key outside of it. */
  ownKey(key: Buffer): string | undefined;
  fullKey(key: string): Buffer;
  /** The condition of every write: none is made to a root that was left. */
  isCurrent(): Unchanged;
  /** Reads which root is the current one. To be called before anything else, and when a change moves it. */
  find(): Promise<void>;
  /** Whether a change of this key moves the root. */
  isMovedBy(key: Buffer): boolean;
  /**
   * Writes the entries under a new root and makes it the current one. A crash before that changes nothing; what it
   * leaves is removed by the next replacement.
   */
  replace(entries: readonly Pick<Stored, "key" | "value">[], seal: Seal): Promise<void>;
}
type Seal = (key: string, value: Uint8Array) => Uint8Array;

/** Entries are written in transactions of so many, and of so many bytes: below etcd's limits. */
const entriesPerWrite = 100;
const bytesPerWrite = 1024 * 1024;
function* inParts<T extends Pick<Stored, "value">>(entries: readonly T[]): Generator<readonly T[]> {
  let part: T[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (part.length === entriesPerWrite || (part.length > 0 && bytes + entry.value.length > bytesPerWrite)) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(entry);
    bytes += entry.value.length;
  }
  if (part.length > 0) yield part;
}

/** The roots of a cluster, whose first one is configured. */
export function etcdRoot({ kv }: Pick<Etcd3, "kv">, first: string): EtcdRoot {
  // Later roots, and which of all is current.
  const laterRoots = `/restored${first}/at-`;
  const pointer = Buffer.from(`/restored${first}/current`);
  let text = first;
  let prefix = Buffer.from(text);
  let movedAt = 0;
  const deleteBetween = (key: Buffer, end: Buffer) => kv.deleteRange({ key, range_end: end });
  return {
    get prefix() {
      return prefix;
    },
    ownKey: (key) => (key.subarray(0, prefix.length).equals(prefix) ? key.toString("utf8", prefix.length) : undefined),
    fullKey: (key) => Buffer.from(text + key),
    isCurrent: () => unchangedSince(pointer, movedAt),
    isMovedBy: (key) => key.equals(pointer),
    async find() {
      const { kvs } = await kv.range({ key: pointer });
      text = kvs[0]?.value.toString("utf8") ?? first;
      prefix = Buffer.from(text);
      movedAt = Number(kvs[0]?.mod_revision ?? 0);
    },
    async replace(entries, seal) {
      const { header } = await kv.range({ key: pointer });
      const next = `${laterRoots}${header.revision.padStart(20, "0")}`;
      for (const part of inParts(entries)) {
        const success = part.map(({ key, value }) => {
          const { buffer, byteOffset, byteLength } = seal(key, value);
          return { request_put: { key: Buffer.from(next + key), value: Buffer.from(buffer, byteOffset, byteLength) } };
        });
        await kv.txn({ compare: [], success, failure: [] });
      }
      const moved = await kv.txn({
        compare: [unchangedSince(pointer, movedAt)],
        success: [{ request_put: { key: pointer, value: Buffer.from(next) } }],
        failure: [],
      });
      if (!moved.succeeded) throw new ApiError("Conflict", "the store was replaced by another request meanwhile");
      // All other roots: that of before, and what interrupted replacements left.
      const [later, current] = [Buffer.from(laterRoots), Buffer.from(next)];
      if (text === first) await deleteBetween(prefix, prefixEnd(prefix));
      await deleteBetween(later, current);
      await deleteBetween(prefixEnd(current), prefixEnd(later));
    },
  };
}
