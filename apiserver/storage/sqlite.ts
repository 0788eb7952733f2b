// The log in one SQLite file: a change is a row, and opening the file replays the rows. Reads are served from memory; a
// commit returns when its row is on disk.
import { setImmediate as endOfTick } from "node:timers/promises";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { ApiError } from "../../api/errors.ts";
import { instant, type Revision, revision } from "../../api/meta.ts";
import { onAbort } from "../../machinery/abort.ts";
import { decideCommit, emptyLog, type Log, replacement, type Timer } from "./log.ts";
import { type Transformer, unchanged } from "./encryption/transformer.ts";
import type { Change, Commit, Condition, Storage, Stored, Write } from "./storage.ts";

/** Where the log is kept, and how large its file may grow. */
export interface SqliteOptions {
  readonly path: string;
  readonly maxBytes?: number;
  /** What its values are kept as; unchanged when left out. */
  readonly transformer?: Transformer;
  /** Tells the time of changes, which is kept with them. */
  readonly now?: Timer;
}

const schema = `
  CREATE TABLE IF NOT EXISTS changes
    (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB, created INTEGER NOT NULL, time INTEGER);
  CREATE INDEX IF NOT EXISTS changes_by_key ON changes (key, revision);
  CREATE TABLE IF NOT EXISTS floor (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL);
  INSERT OR IGNORE INTO floor VALUES (1, 0);`;
const hasTimes = "SELECT 1 FROM pragma_table_info('changes') WHERE name = 'time'";

/** The parts of one commit. */
type Together = readonly (Write | Condition)[];
interface Row {
  readonly revision: number;
  readonly key: string;
  readonly value: Uint8Array | null;
  readonly created: number;
  /** Null in files of earlier releases. */
  readonly time: number | null;
}
interface Waiting {
  readonly writes: Together;
  readonly settle: (commit: Commit) => void;
  readonly fail: (error: unknown) => void;
}

const sqliteFull = 13;
const sqliteIoError = 10;
const primaryCode = (e: unknown): number | undefined => {
  const code = (e as { errcode?: unknown }).errcode;
  return typeof code === "number" ? code & 0xff : undefined;
};
const hasNoRoom = (e: unknown): boolean => [sqliteFull, sqliteIoError].includes(primaryCode(e) ?? -1);

function open({ path, maxBytes }: SqliteOptions): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    // Two processes on one file would each serve their own memory: the second fails to open it.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    db.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
    // A file of an earlier release.
    if (!db.prepare(hasTimes).get()) db.exec("ALTER TABLE changes ADD COLUMN time INTEGER");
    if (maxBytes !== undefined) {
      const { page_size: pageSize } = db.prepare("PRAGMA page_size").get() as { page_size: number };
      db.exec(`PRAGMA max_page_count = ${Math.max(16, Math.floor(maxBytes / pageSize))}`);
    }
    return db;
  } catch (e) {
    db.close();
    throw new ApiError("ServiceUnavailable", `the store ${path} cannot be opened: ${(e as Error).message}`);
  }
}

function replay(db: DatabaseSync, open: Transformer["open"], now: Timer | undefined): Log {
  const { revision: floor } = db.prepare("SELECT revision FROM floor").get() as { revision: number };
  const base = new Map<string, Stored>();
  const rows = db.prepare("SELECT revision, key, value, created, time FROM changes ORDER BY revision");
  const log = emptyLog(now);
  let based = false;
  let latest = instant(0);
  const settleBase = (): void => {
    // The base of an empty file, and of one of an earlier release, is as old as this process.
    if (!based) log.restart([...base.values()], revision(floor), latest || now?.());
    based = true;
  };
  for (const row of rows.iterate() as Iterable<unknown>) {
    const { revision: at, key, value: kept, created, time } = row as Row;
    latest = instant(time ?? latest);
    const entry = { key, created: revision(created), modified: revision(at) };
    const value = kept === null ? undefined : { ...entry, value: open(key, kept) };
    if (at <= floor) {
      if (value) base.set(key, value);
      else base.delete(key);
      continue;
    }
    settleBase();
    const before = log.get(key);
    log.append({ key, revision: revision(at), ...(value && { now: value }), ...(before && { before }) }, latest);
  }
  settleBase();
  return log;
}

/** Decides about groups of writes one after the other, as if each saw those before it. */
function decideAll(
  log: Log,
  groups: readonly Together[],
): { readonly changes: readonly Change[]; readonly commits: readonly Commit[] } {
  const overlay = new Map<string, Stored | undefined>();
  const get = (key: string): Stored | undefined => (overlay.has(key) ? overlay.get(key) : log.get(key));
  const changes: Change[] = [];
  const commits = groups.map((writes): Commit => {
    const decided = decideCommit(writes, get, revision(log.head() + changes.length));
    changes.push(...decided.changes);
    for (const change of decided.changes) overlay.set(change.key, change.now);
    return decided.commit;
  });
  return { changes, commits };
}

/** What a full disk does to a transaction: nothing of it stays, whether or not SQLite has already undone it itself. */
function transaction(db: DatabaseSync, body: () => void): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    body();
    db.exec("COMMIT");
  } catch (e) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw e;
  }
}

interface Kept {
  readonly log: Log;
  readonly insert: StatementSync;
  readonly transformer: Transformer;
}
function replaceAll(db: DatabaseSync, { log, insert, transformer }: Kept, restored: readonly Stored[]): void {
  const { entries, at } = replacement(restored, log);
  transaction(db, () => {
    db.exec("DELETE FROM changes");
    for (const { key, value, created, modified } of entries)
      insert.run(modified, key, transformer.seal(key, value), created, log.history.newest.time);
    db.prepare("UPDATE floor SET revision = ?").run(at);
  });
  log.restart(entries, at);
}

/** A durable log in a file of its own, closed when the signal is aborted. */
export function sqliteStorage(options: SqliteOptions, signal: AbortSignal): Storage {
  const db = open(options);
  const { transformer = unchanged } = options;
  const log = replay(db, transformer.open, options.now);
  const insert = db.prepare("INSERT INTO changes (revision, key, value, created, time) VALUES (?, ?, ?, ?, ?)");
  let waiting: Waiting[] = [];

  const write = (groups: readonly Together[]): readonly Commit[] => {
    const { changes, commits } = decideAll(log, groups);
    if (changes.length > 0) {
      const time = options.now?.();
      transaction(db, () => {
        for (const { key, revision: at, now } of changes)
          insert.run(at, key, now ? transformer.seal(key, now.value) : null, now?.created ?? 0, time ?? null);
      });
      for (const change of changes) log.append(change, time);
    }
    return commits;
  };
  const compact = (upTo: Revision): void => {
    const floor = Math.min(upTo, log.head());
    if (floor <= log.floor()) return;
    transaction(db, () => {
      db.prepare("UPDATE floor SET revision = ?").run(floor);
      db.prepare(
        `DELETE FROM changes AS old WHERE revision <= ?1 AND EXISTS
           (SELECT 1 FROM changes AS later
             WHERE later.key = old.key AND later.revision > old.revision AND later.revision <= ?1)`,
      ).run(floor);
      // A deletion is removed only after the older changes that it hides.
      db.prepare("DELETE FROM changes WHERE revision <= ? AND value IS NULL").run(floor);
    });
    log.compact(revision(floor));
  };
  /** One write on its own. Without room, history is given up first: the present matters more than the past. */
  const writeAlone = ({ writes, settle, fail }: Waiting): void => {
    try {
      settle(write([writes])[0]!);
    } catch (e) {
      fail(hasNoRoom(e) ? noRoom(options.path, e) : e);
    }
  };
  const makeRoom = (): void => {
    try {
      compact(log.head());
    } catch (e) {
      if (!hasNoRoom(e)) throw e;
    }
  };
  const flush = async (): Promise<void> => {
    await endOfTick();
    const group = waiting;
    waiting = [];
    if (signal.aborted)
      return void group.forEach((w) => void w.fail(new ApiError("ServiceUnavailable", "the store is closed")));
    try {
      const commits = write(group.map((w) => w.writes));
      group.forEach((w, i) => void w.settle(commits[i]!));
    } catch (e) {
      if (!hasNoRoom(e)) return void group.forEach((w) => void w.fail(e));
      makeRoom();
      group.forEach(writeAlone);
    }
  };
  onAbort(signal, () => db.close());
  return {
    revision: async () => log.head(),
    get: async (key) => log.get(key),
    present: async () => log.present,
    received: log.present,
    history: log.history,
    list: async (prefix, page) => log.list(prefix, page),
    // All writes of one turn of the event loop share one flush to the disk.
    commit: (...writes) =>
      new Promise((settle, fail) => {
        waiting.push({ writes, settle, fail });
        if (waiting.length === 1) flush().catch(fail);
      }),
    watch: log.watch,
    compact: async (upTo) => compact(upTo),
    replaceAll: async (entries) => replaceAll(db, { log, insert, transformer }, entries),
  };
}

const noRoom = (path: string, e: unknown): ApiError =>
  new ApiError(
    "ServiceUnavailable",
    `the store ${path} has no room left, nothing was written: ${(e as Error).message}; free disk space and try again`,
    { retryAfterSeconds: 5 },
  );
