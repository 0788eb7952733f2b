// SQLite storage, tested with the contract and with process death, a full disk and a second owner.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "vitest";
import { type ApiError, hasReason } from "../../api/errors.ts";
import { revision } from "../../api/meta.ts";
import { sqliteStorage } from "../../apiserver/storage/sqlite.ts";
import { Compacted, type Storage } from "../../apiserver/storage/storage.ts";
import { storageSuite } from "./storage.ts";

const temporary: string[] = [];
const opened: AbortController[] = [];
const newFile = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "orrery-sqlite-"));
  temporary.push(folder);
  return join(folder, "log.db");
};
const open = (path: string, maxBytes?: number): { storage: Storage; close: () => void } => {
  const controller = new AbortController();
  opened.push(controller);
  const storage = sqliteStorage({ path, ...(maxBytes !== undefined && { maxBytes }) }, controller.signal);
  return { storage, close: () => controller.abort() };
};
afterEach(() => {
  for (const controller of opened.splice(0)) controller.abort();
  for (const folder of temporary.splice(0)) rmSync(folder, { recursive: true });
});

storageSuite("sqlite", async (signal) => sqliteStorage({ path: newFile() }, signal));

const none = revision(0);

/** Runs the writer until it has acknowledged a number of writes, then kills it. */
async function writeAndKill(path: string, acknowledgements: number): Promise<string[]> {
  const writer = spawn(process.execPath, [join(import.meta.dirname, "storage.writer.ts"), path]);
  const acknowledged: string[] = [];
  for await (const line of createInterface(writer.stdout)) {
    acknowledged.push(line);
    if (acknowledged.length === acknowledgements) writer.kill("SIGKILL");
  }
  return acknowledged;
}

test("sqlite: every acknowledged write survives a kill", async () => {
  const path = newFile();
  for (const round of [50, 400]) {
    const acknowledged = await writeAndKill(path, round);
    expect(acknowledged.length).toBeGreaterThanOrEqual(round);
    const { storage, close } = open(path);
    for (const line of acknowledged) {
      const [key, at] = line.split(" ");
      expect((await storage.get(key!))?.modified).toBe(Number(at));
    }
    close();
  }
});

test("sqlite: history survives a restart, and watches resume", async () => {
  const path = newFile();
  const { storage, close } = open(path);
  const first = await storage.commit({ key: "/a", expect: none, value: Buffer.from("1") });
  await storage.commit({ key: "/a", expect: first.ok ? first.revision : none, value: null });
  await storage.commit({ key: "/b", expect: none, value: Buffer.from("2") });
  await storage.compact(revision(1));
  close();
  const again = open(path).storage;
  expect(await again.revision()).toBe(3);
  for await (const { changes } of again.watch("/", revision(1), AbortSignal.timeout(5000))) {
    expect(changes.map((c) => [c.key, c.revision, c.now && 1, c.before && 1])).toEqual([
      ["/a", 2, undefined, 1],
      ["/b", 3, 1, undefined],
    ]);
    break;
  }
  await expect(again.watch("/", none, AbortSignal.timeout(5000))[Symbol.asyncIterator]().next()).rejects.toThrow(
    Compacted,
  );
});

test("sqlite: revisions do not decrease after deletions and compaction", async () => {
  const path = newFile();
  const { storage, close } = open(path);
  await storage.commit({ key: "/a", expect: none, value: Buffer.from("1") });
  await storage.commit({ key: "/a", expect: revision(1), value: null });
  await storage.compact(revision(2));
  close();
  const again = open(path).storage;
  expect([await again.revision(), (await again.list("/")).entries]).toEqual([2, []]);
});

test("sqlite: a full disk is an error without data loss, and writes succeed again with free space", async () => {
  const { storage } = open(newFile(), 256 * 1024);
  const kept: string[] = [];
  let refused: unknown;
  for (let i = 0; refused === undefined && i < 1000; i++) {
    const key = `/a/${i}`;
    await storage.commit({ key, expect: none, value: Buffer.alloc(4000, "x") }).then(
      () => kept.push(key),
      (e: unknown) => {
        refused = e;
      },
    );
  }
  expect(hasReason(refused, "ServiceUnavailable")).toBe(true);
  expect((refused as ApiError).message).toMatch(/no room left.*full/);
  expect((await storage.list("/a/")).entries.map((e) => e.key).sort()).toEqual([...kept].sort());
  expect(await storage.revision()).toBe(kept.length);
  for (const key of kept.slice(0, 10)) {
    const { modified } = (await storage.get(key))!;
    expect((await storage.commit({ key, expect: modified, value: null })).ok).toBe(true);
  }
  expect((await storage.commit({ key: "/b", expect: none, value: Buffer.alloc(4000, "y") })).ok).toBe(true);
});

test("sqlite: a write too large for the disk does not fail others of its batch", async () => {
  const { storage } = open(newFile(), 256 * 1024);
  const sizes = [100, 10_000_000, 100];
  const outcomes = await Promise.allSettled(
    sizes.map((size, i) => storage.commit({ key: `/${i}`, expect: none, value: Buffer.alloc(size) })),
  );
  expect(outcomes.map((o) => o.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

test("sqlite: a second server on the same file is refused", () => {
  const path = newFile();
  open(path);
  expect(() => open(path)).toThrow(/cannot be opened.*locked/);
});
