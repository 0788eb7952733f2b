// What stands now: found by its key at once, and walked through in the order of the keys.
import SortedBTree from "sorted-btree";
import type { Listing, Stored } from "./storage.ts";

// The package is CommonJS: loaded as a module, its class hides one level deeper than its types say.
const BTree = ((SortedBTree as unknown as { default?: unknown }).default ?? SortedBTree) as new (
  entries: [],
  compare: (a: string, b: string) => number,
) => Tree;
interface Tree {
  set(key: string, value: Stored): boolean;
  delete(key: string): boolean;
  clear(): void;
  entries(from?: string): IterableIterator<[string, Stored]>;
  /** How many keys there are from `low` to before `high`; counts leaf by leaf. */
  forRange(low: string, high: string, includeHigh: false): number;
}

/** Keys are texts and nothing else: to ask each time what they are would cost more than to compare them. */
const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The beginning of a key, or of a prefix, up to its third slash: what is kept of one kind. Not all keys have one. */
function kindOf(key: string): string | undefined {
  const first = key.indexOf("/", 1);
  const second = first < 0 ? -1 : key.indexOf("/", first + 1);
  return second < 0 ? undefined : key.slice(0, second + 1);
}

/** How many there are of each kind: of most that somebody asks about there are none. */
function census(): { count(key: string, by: 1 | -1): void; isEmpty(prefix: string): boolean; clear(): void } {
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

/** No entries yet. Whoever reads and writes asks for single ones most often, so those are kept twice. */
export function ordered(): Ordered {
  const tree = new BTree([], inOrder);
  const byKey = new Map<string, Stored>();
  const kinds = census();
  function* under(prefix: string, after?: string): Generator<Stored> {
    if (kinds.isEmpty(prefix)) return;
    for (const [key, stored] of tree.entries(after !== undefined && after > prefix ? after : prefix)) {
      if (!key.startsWith(prefix)) return;
      if (key !== after) yield stored;
    }
  }
  return {
    get: (key) => byKey.get(key),
    put(stored) {
      if (!byKey.has(stored.key)) kinds.count(stored.key, 1);
      byKey.set(stored.key, stored);
      tree.set(stored.key, stored);
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
