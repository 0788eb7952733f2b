// Entries of a store are there whole or not at all, also when two drivers add the same, and when one is killed meanwhile.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type StoredVolume, type VolumeStore, copyData, openStore } from "../../../csi/driver/volume-store.ts";

let root: string;
let store: VolumeStore;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "csi-store-"));
  store = await openStore(root, "node-1");
});
afterEach(() => rmSync(root, { recursive: true }));

const volume = (id: string, capacityBytes = 10): StoredVolume => ({
  id,
  name: `name of ${id}`,
  capacityBytes,
  backing: "folder",
});
const nothing = async (): Promise<void> => {};
const leftovers = (): readonly string[] => readdirSync(join(root, "incomplete", "node-1"));

test("an entry is found with its data, in the order of ids, until it is removed", async () => {
  const write = (text: string) => async (folder: string) => writeFileSync(join(folder, "file"), text);
  await store.volumes.add(volume("b"), write("of b"));
  await store.volumes.add(volume("a"), write("of a"));
  expect(await store.volumes.list()).toEqual([volume("a"), volume("b")]);
  expect(readFileSync(join(store.volumes.dataOf("b"), "file"), "utf8")).toBe("of b");
  await store.volumes.update(volume("a", 20));
  expect(await store.volumes.get("a")).toEqual(volume("a", 20));
  await store.volumes.remove("a");
  await store.volumes.remove("a");
  expect(await store.volumes.list()).toEqual([volume("b")]);
  expect(leftovers()).toEqual([]);
});

test("of two drivers that add the same, both get the first one's", async () => {
  const other = await openStore(root, "node-2");
  let filled = (): void => {};
  const slow = store.volumes.add(volume("a", 1), () => new Promise((resolve) => (filled = resolve)));
  const fast = await other.volumes.add(volume("a", 2), nothing);
  // The slow one has a folder to fill by now or later.
  const poll = async (): Promise<void> => {
    filled();
    if (leftovers().length > 0) await new Promise(setImmediate).then(poll);
  };
  const [first] = await Promise.all([slow, poll()]);
  expect([fast, first]).toEqual([volume("a", 2), volume("a", 2)]);
  expect(leftovers()).toEqual([]);
});

test("an addition that fails leaves nothing", async () => {
  const full = new Error("no space left");
  await expect(store.volumes.add(volume("a"), () => Promise.reject(full))).rejects.toThrow(full);
  expect(await store.volumes.get("a")).toBeUndefined();
  expect(leftovers()).toEqual([]);
});

test("what a killed driver left unfinished goes when it starts again; what others are at stays", async () => {
  for (const node of ["node-1", "node-2"]) mkdirSync(join(root, "incomplete", node, "a.1.0"), { recursive: true });
  await openStore(root, "node-1");
  expect(leftovers()).toEqual([]);
  expect(readdirSync(join(root, "incomplete", "node-2"))).toEqual(["a.1.0"]);
});

test.each(["../volumes", "a/b", "", ".."])("%j is no id", async (id) => {
  mkdirSync(join(root, "volumes", "a", "b"), { recursive: true });
  writeFileSync(join(root, "volumes", "record.json"), "{}");
  expect(await store.volumes.get(id)).toBeUndefined();
  await store.volumes.remove(id);
  expect(readdirSync(root).toSorted()).toEqual(["incomplete", "snapshots", "volumes"]);
});

test("new volumes may have what is free, less what the others were promised", async () => {
  const before = await store.availableBytes();
  expect(before).toBeGreaterThan(0);
  await store.volumes.add(volume("a", Number.MAX_SAFE_INTEGER), nothing);
  expect(await store.availableBytes()).toBe(0);
});

test("copies have the files, also hidden ones, with their modes", async () => {
  const [from, to] = [join(root, "from"), join(root, "to")];
  for (const folder of [from, to]) mkdirSync(folder);
  writeFileSync(join(from, ".hidden"), "text", { mode: 0o600 });
  await copyData(from, to);
  expect(readFileSync(join(to, ".hidden"), "utf8")).toBe("text");
});
