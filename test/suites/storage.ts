// The contract of every storage implementation.
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { type Revision, revision } from "../../api/meta.ts";
import { newSignal } from "../../machinery/signal.ts";
import {
  type Batch,
  type Change,
  Compacted,
  type Storage,
  type Stored,
  type Write,
} from "../../apiserver/storage/storage.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();
const none = revision(0);

/** Opens an empty storage that closes with the signal. */
export type OpenStorage = (signal: AbortSignal) => Promise<Storage>;

const put = async (storage: Storage, key: string, value: string, expected: Revision = none): Promise<Revision> => {
  const commit = await storage.commit({ key, expect: expected, value: bytes(value) });
  if (!commit.ok) throw new Error(`${key} was expected at ${expected}, but is at ${commit.current?.modified}`);
  return commit.revision;
};
const remove = async (storage: Storage, key: string, expected: Revision): Promise<Revision> => {
  const commit = await storage.commit({ key, expect: expected, value: null });
  if (!commit.ok) throw new Error(`${key} is not at ${expected}`);
  return commit.revision;
};
const changeText = ({ key, now, before }: Change): string =>
  `${key}: ${text(before?.value) ?? "-"} -> ${text(now?.value) ?? "-"}`;

/** Reads a watch up to revision `target`. */
async function until(batches: AsyncIterable<Batch>, target: Revision): Promise<Batch[]> {
  const seen: Batch[] = [];
  for await (const batch of batches) {
    seen.push(batch);
    if (batch.revision >= target) break;
  }
  return seen;
}
const changesOf = (batches: readonly Batch[]): Change[] => batches.flatMap((b) => b.changes);

export function storageSuite(
  name: string,
  openStorage: OpenStorage,
  gaps: Readonly<Record<string, string>> = {},
): void {
  let open: AbortController[] = [];
  const signal = (): AbortSignal => {
    const controller = new AbortController();
    open.push(controller);
    return controller.signal;
  };
  afterEach(() => {
    for (const controller of open) controller.abort();
    open = [];
  });
  const it = (what: string, body: (storage: Storage) => Promise<void>): void => {
    const gap = gaps[what];
    if (gap !== undefined) test(`${name}: not ${what}, because ${gap}`, () => {});
    else test(`${name}: ${what}`, async () => body(await openStorage(signal())));
  };
  writes(it);
  replacements(it);
  writesTogether(it);
  conditions(it);
  lists(it);
  watches(it, signal);
  indexedWatches(it, signal);
  histories(it, signal);
  pastStates(it, signal);
}
type It = (what: string, body: (storage: Storage) => Promise<void>) => void;

/** An entry as an archive has it. */
const entry = (key: string, value: string, at: number): Stored => ({
  ...{ key, value: bytes(value), created: revision(at), modified: revision(at) },
});

function replacements(it: It): void {
  it("all entries are replaced in one step, above all revisions before", async (storage) => {
    await put(storage, "/core/pods/a", "old");
    const before = await put(storage, "/core/pods/gone", "old");
    await storage.replaceAll([entry("/core/pods/a", "new", 1), entry("/core/pods/b", "new", 1)]);
    const { entries, revision: at } = await storage.list("/");
    expect(entries.map(({ key, value }) => `${key} ${text(value)}`)).toEqual(["/core/pods/a new", "/core/pods/b new"]);
    expect(at).toBeGreaterThan(before);
    expect(await storage.revision()).toBe(at);
  });
  it("a watch from before a replacement ends, one from after it goes on", async (storage) => {
    const before = await put(storage, "/core/pods/a", "old");
    const old = until(storage.watch("/core/pods/", before, new AbortController().signal), revision(before + 1_000));
    old.catch(() => {});
    await storage.replaceAll([entry("/core/pods/a", "new", before)]);
    await expect(old).rejects.toBeInstanceOf(Compacted);
    const { entries, revision: at } = await storage.list("/core/pods/");
    const next = await put(storage, "/core/pods/a", "newer", entries[0]!.modified);
    expect(next).toBeGreaterThan(at);
    const seen = await until(storage.watch("/core/pods/", at, new AbortController().signal), next);
    expect(changesOf(seen).map(changeText)).toEqual(["/core/pods/a: new -> newer"]);
  });
  it("an entry that was changed since is at a revision above all before", async (storage) => {
    const first = await put(storage, "/core/pods/a", "first");
    const second = await put(storage, "/core/pods/a", "second", first);
    await storage.replaceAll([entry("/core/pods/a", "first", first)]);
    const { value, modified } = (await storage.get("/core/pods/a"))!;
    expect(text(value)).toBe("first");
    expect(modified).toBeGreaterThan(second);
  });
  it("a write that expects what was before a replacement loses", async (storage) => {
    const before = await put(storage, "/core/pods/a", "old");
    const second = await put(storage, "/core/pods/a", "older", before);
    await storage.replaceAll([entry("/core/pods/a", "new", before)]);
    const commit = await storage.commit({ key: "/core/pods/a", expect: second, value: bytes("x") });
    expect(commit).toMatchObject({ ok: false, key: "/core/pods/a" });
    expect(text((await storage.get("/core/pods/a"))!.value)).toBe("new");
  });
  it("a second replacement leaves nothing of the first", async (storage) => {
    const many = Array.from({ length: 250 }, (_, i) => entry(`/core/pods/${i}`, "x".repeat(10_000), i + 1));
    await storage.replaceAll(many);
    expect((await storage.list("/core/pods/")).entries).toHaveLength(250);
    await storage.replaceAll([entry("/core/pods/only", "y", 3)]);
    expect((await storage.list("/")).entries.map(({ key }) => key)).toEqual(["/core/pods/only"]);
    await put(storage, "/core/pods/more", "z");
    expect((await storage.list("/")).entries).toHaveLength(2);
  });
}

function writes(it: It): void {
  it("revisions are dense: each commit is the next one", async (storage) => {
    const start = await storage.revision();
    const first = await put(storage, "/a/1", "x");
    const second = await put(storage, "/a/2", "x");
    const third = await remove(storage, "/a/1", first);
    expect([first, second, third]).toEqual([start + 1, start + 2, start + 3]);
    expect(await storage.revision()).toBe(third);
  });
  it("a read returns the written bytes with the revisions of creation and modification", async (storage) => {
    const value = new Uint8Array([0, 255, 10, 195, 164]);
    const first = await storage.commit({ key: "/a/ä", expect: none, value });
    const created = first.ok ? first.revision : none;
    expect([...(await storage.get("/a/ä"))!.value]).toEqual([...value]);
    const modified = await put(storage, "/a/ä", "2", created);
    const { key, created: c, modified: m } = (await storage.get("/a/ä"))!;
    expect({ key, c, m }).toEqual({ key: "/a/ä", c: created, m: modified });
  });
  it("a failed precondition changes nothing and returns the current value", async (storage) => {
    const first = await put(storage, "/a", "1");
    const second = await put(storage, "/a", "2", first);
    const rows = [
      ["create an existing key", "/a", none, bytes("x"), "2"],
      ["update from an old revision", "/a", first, bytes("x"), "2"],
      ["delete from an old revision", "/a", first, null, "2"],
      ["update a missing key", "/b", second, bytes("x"), undefined],
      ["delete a missing key", "/b", second, null, undefined],
    ] as const;
    for (const [what, key, expected, value, current] of rows) {
      const commit = await storage.commit({ key, expect: expected, value });
      expect([what, commit.ok, commit.ok ? "" : text(commit.current?.value)]).toEqual([what, false, current]);
    }
    expect(await storage.revision()).toBe(second);
  });
  it("a deleted key can be created again with a new creation revision", async (storage) => {
    const first = await put(storage, "/a", "1");
    await remove(storage, "/a", first);
    expect(await storage.get("/a")).toBeUndefined();
    const again = await put(storage, "/a", "2");
    expect((await storage.get("/a"))!.created).toBe(again);
  });
  it("concurrent writes of one key are each applied once", async (storage) => {
    await put(storage, "/counter", "0");
    const add = async (): Promise<void> => {
      for (;;) {
        const { value, modified } = (await storage.get("/counter"))!;
        const next = bytes(String(Number(text(value)) + 1));
        if ((await storage.commit({ key: "/counter", expect: modified, value: next })).ok) return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, add));
    expect(text((await storage.get("/counter"))!.value)).toBe("20");
  });
}

const write = (key: string, expected: Revision, value: string | null): Write => ({
  ...{ key, expect: expected, value: value === null ? null : bytes(value) },
});

function conditions(it: It): void {
  it("a condition holds a write back without being written itself", async (storage) => {
    const lease = await put(storage, "/lease", "a");
    const created = await storage.commit(write("/pod", none, "1"), { key: "/lease", expect: lease });
    expect([created.ok, (await storage.get("/lease"))?.modified]).toEqual([true, lease]);
    const pod = created.ok ? created.revision : none;
    expect(await storage.revision()).toBe(lease + 1);
    const next = await put(storage, "/lease", "b", lease);
    const deposed = await storage.commit(write("/pod", pod, "2"), { key: "/lease", expect: lease });
    expect(deposed.ok ? "" : [deposed.key, text(deposed.current?.value)]).toEqual(["/lease", "b"]);
    const both = await storage.commit(write("/pod", none, "2"), { key: "/lease", expect: lease });
    expect(both.ok ? "" : both.key).toBe("/pod");
    await remove(storage, "/lease", next);
    const orphan = await storage.commit(write("/pod", pod, null), { key: "/lease", expect: next });
    expect(orphan.ok ? "" : [orphan.key, orphan.current]).toEqual(["/lease", undefined]);
    const absent = await storage.commit(write("/pod", pod, "2"), { key: "/lease", expect: none });
    expect([absent.ok, text((await storage.get("/pod"))?.value)]).toEqual([true, "2"]);
  });
  it("no conditional write is committed after its condition has ended", async (storage) => {
    let lease = await put(storage, "/lease", "0");
    const start = lease;
    const late: Promise<unknown>[] = [];
    for (let term = 1; term <= 20; term++) {
      const held = { key: "/lease", expect: lease };
      late.push(...[1, 2, 3].map((n) => storage.commit(write(`/pods/${term}-${n}`, none, "pod"), held)));
      lease = await put(storage, "/lease", String(term), lease);
    }
    await Promise.all(late);
    // Each write comes before the end of its term.
    const watch = storage.watch("/", start, AbortSignal.timeout(5_000));
    let current = 1;
    for (const { key, now } of changesOf(await until(watch, await storage.revision()))) {
      if (key === "/lease") current = Number(text(now?.value)) + 1;
      else expect([key, Number(/\d+/.exec(key)![0])]).toEqual([key, current]);
    }
  });
}

function writesTogether(it: It): void {
  it("writes that belong together happen all, and a watch from before sees all of them", async (storage) => {
    const start = await storage.revision();
    const quota = await put(storage, "/a/quota", "0");
    const commit = await storage.commit(write("/a/pod", none, "pod"), write("/a/quota", quota, "1"));
    const { modified } = (await storage.get("/a/pod"))!;
    expect(commit).toEqual({ ok: true, revision: modified });
    expect(text((await storage.get("/a/quota"))!.value)).toBe("1");
    const target = await storage.revision();
    const batches = await until(storage.watch("/a/", start, AbortSignal.timeout(5_000)), target);
    expect(changesOf(batches).map(changeText)).toEqual([
      "/a/quota: - -> 0",
      ...["/a/pod: - -> pod", "/a/quota: 0 -> 1"],
    ]);
    const later = await until(storage.watch("/a/", quota, AbortSignal.timeout(5_000)), target);
    expect(changesOf(later).map(changeText)).toEqual(["/a/pod: - -> pod", "/a/quota: 0 -> 1"]);
  });
  it("writes that belong together happen not at all when one expects what is not so", async (storage) => {
    const quota = await put(storage, "/a/quota", "0");
    const changed = await put(storage, "/a/quota", "1", quota);
    const commit = await storage.commit(write("/a/pod", none, "pod"), write("/a/quota", quota, "1"));
    expect(commit.ok ? "" : [commit.key, text(commit.current?.value)]).toEqual(["/a/quota", "1"]);
    expect([await storage.get("/a/pod"), await storage.revision()]).toEqual([undefined, changed]);
    const own = await storage.commit(write("/a/pod", quota, "pod"), write("/a/quota", changed, "2"));
    expect(own.ok ? "" : [own.key, own.current]).toEqual(["/a/pod", undefined]);
    const removed = await storage.commit(write("/a/quota", changed, null), write("/a/pod", none, "pod"));
    expect([removed.ok, await storage.get("/a/quota"), text((await storage.get("/a/pod"))?.value)]).toEqual([
      ...[true, undefined, "pod"],
    ]);
  });
  it("concurrent writes with a shared counter are each counted once", async (storage) => {
    await put(storage, "/quota", "0");
    const create = async (_: unknown, i: number): Promise<void> => {
      for (;;) {
        const { value, modified } = (await storage.get("/quota"))!;
        const next = write("/quota", modified, String(Number(text(value)) + 1));
        if ((await storage.commit(write(`/pods/${i}`, none, "pod"), next)).ok) return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, create));
    expect(text((await storage.get("/quota"))!.value)).toBe("20");
    expect((await storage.list("/pods/")).entries).toHaveLength(20);
  });
}

function lists(it: It): void {
  it("a snapshot of the present has all earlier commits", async (storage) => {
    await put(storage, "/a/1", "x");
    const present = await storage.present();
    expect([text(present.get("/a/1")?.value), present.get("/a/2"), present.list("/b/")]).toEqual(["x", undefined, []]);
    await put(storage, "/a/2", "y");
    await storage.present();
    expect(present.list("/a/").map(({ value }) => text(value))).toEqual(["x", "y"]);
  });

  it("a list has the keys of its prefix in order, and its revision", async (storage) => {
    for (const key of ["/pods/b/1", "/pods/a/2", "/pods/a/10", "/podsx/a", "/nodes/a"]) await put(storage, key, key);
    const { entries, revision: at, remaining } = await storage.list("/pods/");
    expect(entries.map((e) => e.key)).toEqual(["/pods/a/10", "/pods/a/2", "/pods/b/1"]);
    expect([at, remaining]).toEqual([await storage.revision(), 0]);
  });
  it("the pages of a list have one revision during writes", async (storage) => {
    for (let i = 0; i < 5; i++) await put(storage, `/a/${i}`, "old");
    const first = await storage.list("/a/", { limit: 2 });
    const { modified } = (await storage.get("/a/3"))!;
    await put(storage, "/a/3", "new", modified);
    await remove(storage, "/a/4", (await storage.get("/a/4"))!.modified);
    await put(storage, "/a/2x", "new");
    const page = { limit: 2, after: first.entries[1]!.key, at: first.revision };
    const second = await storage.list("/a/", page);
    const third = await storage.list("/a/", { ...page, after: second.entries[1]!.key });
    const all = [first, second, third].flatMap((l) => l.entries.map((e) => `${e.key} ${text(e.value)}`));
    expect(all).toEqual(["/a/0 old", "/a/1 old", "/a/2 old", "/a/3 old", "/a/4 old"]);
    expect([first.remaining, second.remaining, third.remaining]).toEqual([3, 1, 0]);
    expect(third.revision).toBe(first.revision);
  });
}

function watches(it: It, signal: () => AbortSignal): void {
  it("a watch has every change under its prefix in order, with the previous value", async (storage) => {
    const start = await storage.revision();
    const first = await put(storage, "/a/1", "x");
    const second = await put(storage, "/a/1", "y", first);
    await put(storage, "/b/1", "elsewhere");
    const last = await remove(storage, "/a/1", second);
    const received = changesOf(await until(storage.watch("/a/", start, signal()), last));
    expect(received.map(changeText)).toEqual(["/a/1: - -> x", "/a/1: x -> y", "/a/1: y -> -"]);
    expect(received.map((c) => c.revision)).toEqual([first, second, last]);
  });
  it("a waiting watch receives new changes", async (storage) => {
    const start = await storage.revision();
    const received = until(storage.watch("/a/", start, signal()), revision(start + 2));
    await put(storage, "/a/1", "x");
    await put(storage, "/a/2", "y");
    expect(changesOf(await received).map(changeText)).toEqual(["/a/1: - -> x", "/a/2: - -> y"]);
  });
  it("a watch from a revision has only later changes", async (storage) => {
    await put(storage, "/a/1", "x");
    const middle = await put(storage, "/a/2", "y");
    const last = await put(storage, "/a/3", "z");
    const received = changesOf(await until(storage.watch("/a/", middle, signal()), last));
    expect(received.map((c) => c.key)).toEqual(["/a/3"]);
  });
  it("a watch without changes receives progress", async (storage) => {
    const start = await storage.revision();
    const last = await put(storage, "/elsewhere", "x");
    const batches = await until(storage.watch("/a/", start, signal()), last);
    expect(changesOf(batches)).toEqual([]);
    expect(batches.at(-1)!.revision).toBe(last);
  });
  it("a slow reader misses nothing and delays no other", async (storage) => {
    const start = await storage.revision();
    const slow = storage.watch("/a/", start, signal())[Symbol.asyncIterator]();
    await put(storage, "/a/first", "x");
    const first = await slow.next();
    const keys = Array.from({ length: 1500 }, (_, i) => `/a/${i}`);
    for (let i = 0; i < keys.length; i += 50) await Promise.all(keys.slice(i, i + 50).map((k) => put(storage, k, "x")));
    const last = await storage.revision();
    const rest: Change[] = [];
    for (let at = none; at < last; ) {
      const { value } = (await slow.next()) as { value: Batch };
      rest.push(...value.changes);
      at = value.revision;
    }
    expect((first.value as Batch).changes).toHaveLength(1);
    expect(rest.map((c) => c.revision)).toEqual(keys.map((_, i) => start + 2 + i));
    await slow.return?.();
  });
  it("a watch ends when its signal is aborted", async (storage) => {
    const stop = new AbortController();
    const received = until(
      storage.watch("/a/", await storage.revision(), stop.signal),
      revision(Number.MAX_SAFE_INTEGER),
    );
    stop.abort();
    expect(changesOf(await received)).toEqual([]);
  });
}

function indexedWatches(it: It, signal: () => AbortSignal): void {
  it("an indexed watch is not notified of other changes, except for progress", async (storage) => {
    const start = await storage.revision();
    const index = { prefix: "/x/a/", valuesOf: ({ now, before }: Change) => [text((now ?? before)?.value) ?? ""] };
    const progress = newSignal();
    const received: Batch[] = [];
    const reading = (async () => {
      for await (const batch of storage.watch("/x/a/", start, signal(), {
        index,
        value: "mine",
        progress,
        isOver: () => false,
      }))
        received.push(batch);
    })();
    const other = await put(storage, "/x/a/1", "others'");
    await put(storage, "/x/b/1", "mine");
    await storage.list("/x/a/");
    expect(received).toEqual([]);
    progress.notify();
    await vi.waitFor(() => expect(received.at(-1)?.revision).toBe(start + 2));
    const mine = await put(storage, "/x/a/2", "mine");
    await vi.waitFor(() => expect(changesOf(received).map((c) => c.revision)).toEqual([other, mine]));
    await remove(storage, "/x/a/2", mine);
    await vi.waitFor(() => expect(received.at(-1)?.revision).toBe(start + 4));
    void reading;
  });
}

function histories(it: It, signal: () => AbortSignal): void {
  it("reads of a compacted revision are an error", async (storage) => {
    const first = await put(storage, "/a/1", "x");
    const second = await put(storage, "/a/1", "y", first);
    const third = await put(storage, "/a/2", "z");
    const lagging = storage.watch("/a/", first, signal())[Symbol.asyncIterator]();
    await storage.compact(second);
    await expect(until(storage.watch("/a/", first, signal()), third)).rejects.toBeInstanceOf(Compacted);
    await expect(lagging.next()).rejects.toBeInstanceOf(Compacted);
    await expect(storage.list("/a/", { at: first })).rejects.toBeInstanceOf(Compacted);
    const received = changesOf(await until(storage.watch("/a/", second, signal()), third));
    expect(received.map(changeText)).toEqual(["/a/2: - -> z"]);
    expect((await storage.list("/a/")).entries.map((e) => text(e.value))).toEqual(["y", "z"]);
  });
  it("compaction does not end a watch whose prefix has not changed since", async (storage) => {
    const idle = await put(storage, "/x/a/1", "x");
    const first = await put(storage, "/x/b/1", "y");
    const last = await put(storage, "/x/b/1", "z", first);
    await storage.compact(last);
    expect(changesOf(await until(storage.watch("/x/a/", idle, signal()), last))).toEqual([]);
    await expect(until(storage.watch("/x/b/", idle, signal()), last)).rejects.toBeInstanceOf(Compacted);
  });
  it("history has the changes of a key, their times, and how far it reaches", async (storage) => {
    const { history } = storage;
    const first = await put(storage, "/x/a/1", "x");
    const second = await put(storage, "/x/a/1", "yy", first);
    const third = await remove(storage, "/x/a/1", second);
    const last = await put(storage, "/x/b/1", "z");
    await storage.revision();
    expect(history.changesOf("/x/a/1").map(changeText)).toEqual([
      ...["/x/a/1: - -> x", "/x/a/1: x -> yy", "/x/a/1: yy -> -"],
    ]);
    expect(history.changes("/x/", first, third).map((c) => c.revision)).toEqual([second, third]);
    expect(history.newest.revision).toBe(last);
    const times = [first, second, third, last].map(history.timeOf);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(history.revisionAt(history.newest.time)).toBe(last);
    const bytes = history.bytes;
    await storage.compact(second);
    expect([history.oldest.revision, history.bytes < bytes]).toEqual([second, true]);
    expect(history.changesOf("/x/a/1").map(changeText)).toEqual(["/x/a/1: yy -> -"]);
    expect(() => history.get("/x/a/1", first)).toThrow(Compacted);
    expect([text(history.get("/x/a/1", second)?.value), history.get("/x/a/1", third)]).toEqual(["yy", undefined]);
  });
}

function pastStates(it: It, signal: () => AbortSignal): void {
  it("repeated compaction, or beyond the current revision, is harmless", async (storage) => {
    const first = await put(storage, "/a", "x");
    await storage.compact(revision(first + 1000));
    await storage.compact(first);
    expect(text((await storage.get("/a"))!.value)).toBe("x");
    expect(await put(storage, "/a", "y", first)).toBe(first + 1);
  });
  it("replaying history from any revision gives the current state", async (storage) => {
    const keys = ["/x/p/n/a", "/x/p/n/b", "/x/p/m/a"];
    const step = fc.record({
      key: fc.constantFrom(...keys, "/x/q/c"),
      value: fc.option(fc.string({ maxLength: 4 })),
    });
    const property = fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.nat(20), async (steps, from) => {
      const start = await storage.revision();
      const states = [await storage.list("/x/p/")];
      for (const { key, value } of steps) {
        const expected = (await storage.get(key))?.modified ?? none;
        if (value === null && expected === none) continue;
        await storage.commit({ key, expect: expected, value: value === null ? null : bytes(value) });
        states.push(await storage.list("/x/p/"));
      }
      const begin = states[Math.min(from, states.length - 1)]!;
      const end = states.at(-1)!;
      const replayed = new Map(begin.entries.map((e) => [e.key, text(e.value)]));
      if (end.revision > begin.revision)
        for (const { key, now } of changesOf(
          await until(storage.watch("/x/p/", begin.revision, signal()), end.revision),
        ))
          if (now) replayed.set(key, text(now.value));
          else replayed.delete(key);
      expect([...replayed].sort()).toEqual(end.entries.map((e) => [e.key, text(e.value)]));
      for (const then of states) {
        const at = then.revision;
        expect((await storage.list("/x/p/", { at })).entries).toEqual(then.entries);
        const inN = then.entries.filter(({ key }) => key.startsWith("/x/p/n/"));
        expect((await storage.list("/x/p/n/", { at })).entries).toEqual(inN);
        const first = await storage.list("/x/p/", { at, limit: 1 });
        const after = first.entries.at(-1)?.key ?? "";
        expect([...first.entries, ...(await storage.list("/x/p/", { at, after })).entries]).toEqual(then.entries);
        for (const key of keys)
          expect(storage.history.get(key, at)).toEqual(then.entries.find((entry) => entry.key === key));
      }
      expect(end.revision).toBe(start + states.length - 1);
    });
    await fc.assert(property, { numRuns: 20 });
  });
}
