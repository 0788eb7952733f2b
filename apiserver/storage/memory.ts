// The log in memory alone: for the simulation, for tests, and for a server whose state may be forgotten.
import { revision } from "../../api/meta.ts";
import { changeOf, emptyLog } from "./log.ts";
import type { Storage } from "./storage.ts";

/** A log that lives as long as its process. */
export function memoryStorage(): Storage {
  const log = emptyLog();
  return {
    revision: async () => log.head(),
    get: async (key) => log.get(key),
    present: async () => log.present,
    list: async (prefix, page) => log.list(prefix, page),
    // Check and write happen without an await between them: that is the whole concurrency story.
    async commit({ key, expect, value }) {
      const before = log.get(key);
      if ((before?.modified ?? 0) !== expect) return { ok: false, current: before };
      const at = revision(log.head() + 1);
      log.append(changeOf(key, value, at, before));
      return { ok: true, revision: at };
    },
    watch: log.watch,
    compact: async (upTo) => log.compact(upTo),
  };
}
