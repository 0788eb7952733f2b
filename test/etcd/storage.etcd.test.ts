// The log in etcd, held to the suite, and to what only a store across a network can be asked: restarts, a lost leader,
// compaction behind one's back, lost answers. Real etcd processes, nothing in between but a wire that can be cut.
import { Etcd3 } from "etcd3";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { isAmbiguous } from "../../api/errors.ts";
import { type Revision, revision } from "../../api/meta.ts";
import { etcdStorage } from "../../apiserver/storage/etcd.ts";
import { Compacted, type Storage } from "../../apiserver/storage/storage.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { storageSuite } from "../suites/storage.ts";
import { type EtcdCluster, etcdCluster, wireTo } from "./cluster.ts";

const world = realWorld(() => {});
const none = revision(0);
let shared: EtcdCluster;
let roots = 0;
const closing: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  shared = await etcdCluster(1);
});
afterAll(() => shared.close());
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const open = (hosts: readonly string[], root = `/test-${roots++}`): Promise<Storage> => {
  const controller = new AbortController();
  closing.push(() => controller.abort());
  return etcdStorage({ hosts, root }, world, controller.signal);
};
const owned = async (size: number): Promise<EtcdCluster> => {
  const cluster = await etcdCluster(size);
  closing.push(() => cluster.close());
  return cluster;
};

storageSuite("etcd", async (signal) => etcdStorage({ hosts: shared.hosts, root: `/suite-${roots++}` }, world, signal));

/** What a writer was told of each of its writes. */
interface Told {
  readonly acknowledged: Map<string, Revision>;
  readonly unknown: Set<string>;
  readonly refused: string[];
}

/** Create key after key until told to stop, noting what the store answers. */
async function writeAll(storage: Storage, stop: { readonly now: boolean }, prefix: string): Promise<Told> {
  const told: Told = { acknowledged: new Map(), unknown: new Set(), refused: [] };
  for (let i = 0; !stop.now; i++) {
    const key = `${prefix}/${i}`;
    try {
      const commit = await storage.commit({ key, expect: none, value: Buffer.from(key) });
      if (commit.ok) told.acknowledged.set(key, commit.revision);
      else told.refused.push(key);
    } catch (e) {
      if (!isAmbiguous(e)) throw e;
      told.unknown.add(key);
    }
  }
  return told;
}

/** Every write is where its writer was told it is: there, or in doubt, and never refused. */
async function checkTruth(storage: Storage, told: Told): Promise<void> {
  const entries = new Map((await storage.list("/")).entries.map((e) => [e.key, e.modified]));
  expect(told.refused).toEqual([]);
  for (const [key, at] of told.acknowledged) expect([key, entries.get(key)]).toEqual([key, at]);
}

/**
 * Writers run and a watch listens while `disturb` does its worst; then the watch must have heard exactly what
 * happened.
 */
async function underLoad(storage: Storage, disturb: () => Promise<void>): Promise<Told> {
  const stop = { now: false };
  const start = await storage.revision();
  const writers = ["/w0", "/w1", "/w2", "/w3"].map((prefix) => writeAll(storage, stop, prefix));
  await world.clock.sleep(300);
  await disturb();
  await world.clock.sleep(300);
  stop.now = true;
  const told = await Promise.all(writers);
  const last = await storage.revision();
  const heard: Revision[] = [];
  const keys = new Set<string>();
  for await (const batch of storage.watch("/w", start, AbortSignal.timeout(10_000))) {
    heard.push(...batch.changes.map((c) => c.revision));
    for (const { key } of batch.changes) keys.add(key);
    if (batch.revision >= last) break;
  }
  const all = (await storage.list("/w")).entries;
  expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b));
  expect([...keys].sort()).toEqual(all.map((e) => e.key).sort());
  for (const one of told) await checkTruth(storage, one);
  expect(told.every((t) => t.acknowledged.size > 0)).toBe(true);
  return told[0]!;
}

test("etcd killed and started again under load: no acknowledged write is lost, the watch has no gap", async () => {
  const cluster = await owned(1);
  const storage = await open(cluster.hosts);
  await underLoad(storage, async () => {
    await cluster.members[0]!.kill();
    await world.clock.sleep(500);
    await cluster.members[0]!.start();
    await storage.commit({ key: "/after", expect: none, value: Buffer.from("x") });
  });
});

test("etcd is gone for a while: readers wait for it and then see the truth", async () => {
  const cluster = await owned(1);
  const storage = await open(cluster.hosts);
  await storage.commit({ key: "/a", expect: none, value: Buffer.from("x") });
  await cluster.members[0]!.kill();
  const reads = Promise.all([storage.get("/a"), storage.list("/"), storage.revision()]);
  await cluster.members[0]!.start();
  const [got, listed, at] = await reads;
  expect([Buffer.from(got!.value).toString(), listed.entries.length, at]).toEqual(["x", 1, got!.modified]);
});

test("three members, the leader is killed under load: writing goes on within seconds, nothing is lost", async () => {
  const cluster = await owned(3);
  const storage = await open(cluster.hosts);
  const leader = await cluster.leader();
  await underLoad(storage, async () => {
    await leader.kill();
    const before = world.clock.now();
    const commit = await storage.commit({ key: "/after", expect: none, value: Buffer.from("x") });
    expect([commit.ok, world.clock.now() - before < 6000]).toEqual([true, true]);
  });
  await leader.start();
});

test("etcd was compacted behind a server that was cut off: its watchers are told, and it lists anew", async () => {
  const cluster = await owned(1);
  const wire = await wireTo(cluster.hosts[0]!);
  closing.push(wire.close);
  const cutOff = await open([wire.host], "/shared");
  const other = await open(cluster.hosts, "/shared");
  const start = await cutOff.revision();
  const watch = cutOff.watch("/", start, AbortSignal.timeout(20_000))[Symbol.asyncIterator]();
  const waiting = watch.next();
  wire.loseAnswers();
  for (let i = 0; i < 5; i++) await other.commit({ key: `/${i}`, expect: none, value: Buffer.from("x") });
  await other.compact(await other.revision());
  // A change after the compaction makes etcd talk to the cut-off watch, which breaks the wire.
  await other.commit({ key: "/last", expect: none, value: Buffer.from("x") });
  wire.mend();
  await expect(waiting).rejects.toBeInstanceOf(Compacted);
  expect((await cutOff.list("/")).entries).toHaveLength(6);
});

test("the answer to a write is lost: the caller hears the truth or that nobody knows, and never a wrong no", async () => {
  const wire = await wireTo(shared.hosts[0]!);
  closing.push(wire.close);
  const root = `/lost-${roots++}`;
  const [storage, truth] = [await open([wire.host], root), await open(shared.hosts, root)];
  const writing = async (key: string, expected: Revision, value: string | null): Promise<string> => {
    const commit = storage.commit({ key, expect: expected, value: value === null ? null : Buffer.from(value) });
    return commit.then(
      (c) => (c.ok ? "happened" : "did not happen"),
      (e: unknown) => (isAmbiguous(e) ? "nobody knows" : `wrong error: ${e}`),
    );
  };
  const first = await storage.commit({ key: "/old", expect: none, value: Buffer.from("1") });
  const old = first.ok ? first.revision : none;
  for (const [key, expected, value, truthful] of [
    ["/new", none, "mine", ["happened"]],
    ["/old", old, null, ["happened", "nobody knows"]],
  ] as const) {
    wire.loseAnswers();
    const told = writing(key, expected, value);
    await world.clock.sleep(400);
    wire.mend();
    expect([key, truthful.includes((await told) as never)]).toEqual([key, true]);
    expect((await truth.get(key)) === undefined).toBe(value === null);
  }
});

test("the answer is lost and somebody else has written since: the caller is told that nobody knows", async () => {
  const wire = await wireTo(shared.hosts[0]!);
  closing.push(wire.close);
  const root = `/lost-${roots++}`;
  const [storage, other] = [await open([wire.host], root), await open(shared.hosts, root)];
  /** Sends the write over a wire that loses answers, and waits until it stands or has been given up. */
  const attempt = async () => {
    wire.loseAnswers();
    let given = false;
    const mine = storage.commit({ key: "/a", expect: none, value: Buffer.from("mine") }).catch((e: unknown) => e);
    void mine.then(() => {
      given = true;
    });
    let stands = await other.get("/a");
    while (stands === undefined && !given) stands = await other.get("/a");
    return { mine, stands };
  };
  let { mine, stands } = await attempt();
  // On a busy machine the request itself may be lost: then there is nothing to see yet, and it is sent again, once the
  // wire has carried something both ways: a connection that was never made would lose it just the same.
  for (let i = 0; stands === undefined; i++) {
    wire.mend();
    await storage.commit({ key: `/mended-${i}`, expect: none, value: Buffer.from("x") });
    ({ mine, stands } = await attempt());
  }
  expect(Buffer.from(stands.value).toString()).toBe("mine");
  const over = await other.commit({ key: "/a", expect: stands.modified, value: Buffer.from("theirs") });
  expect(over.ok).toBe(true);
  wire.mend();
  expect(isAmbiguous(await mine)).toBe(true);
});

test("a store larger than one gRPC message, and than one page, is read whole at start", async () => {
  const root = `/large-${roots++}`;
  const storage = await open(shared.hosts, root);
  const value = Buffer.alloc(10_000, "x");
  for (let i = 0; i < 1100; i += 50)
    await Promise.all(
      Array.from({ length: 50 }, (_, j) =>
        storage.commit({ key: `/${String(i + j).padStart(4, "0")}`, expect: none, value }),
      ),
    );
  const again = await open(shared.hosts, root);
  expect((await again.list("/")).entries).toHaveLength(1100);
});

test("a value etcd will not take is refused in so many words, and the store goes on", async () => {
  const storage = await open(shared.hosts);
  const huge = storage.commit({ key: "/huge", expect: none, value: Buffer.alloc(4_000_000) });
  await expect(huge).rejects.toMatchObject({ reason: "RequestEntityTooLarge" });
  expect((await storage.commit({ key: "/small", expect: none, value: Buffer.from("x") })).ok).toBe(true);
});

test("another program writes to the same etcd: history moves on for us as well", async () => {
  const storage = await open(shared.hosts);
  const stranger = new Etcd3({ hosts: [...shared.hosts] });
  closing.push(() => stranger.close());
  const start = await storage.revision();
  await stranger.put("/somewhere/else").value("x");
  for await (const batch of storage.watch("/", start, AbortSignal.timeout(5000))) {
    expect([batch.revision, batch.changes]).toEqual([start + 1, []]);
    break;
  }
});
