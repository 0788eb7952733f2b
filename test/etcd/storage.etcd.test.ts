// etcd storage with the storage contract, and with the faults of a networked store: restarts, loss of the leader,
// external compaction, lost responses. Uses etcd processes, and a proxy that can be interrupted.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Etcd3 } from "etcd3";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { isAmbiguous } from "../../api/errors.ts";
import { type Revision, revision } from "../../api/meta.ts";
import { encryptedStorage } from "../../apiserver/storage/encryption/encrypted.ts";
import { fileEncryption } from "../../apiserver/storage/encryption/file.ts";
import { encryption } from "../../apiserver/storage/encryption/transformer.ts";
import { etcdStorage } from "../../apiserver/storage/etcd.ts";
import { Compacted, type Storage } from "../../apiserver/storage/storage.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { storageSuite } from "../suites/storage.ts";
import { type EtcdCluster, etcdCluster, proxyTo } from "./cluster.ts";

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

/** Encrypts everything with one key. */
const everythingEncrypted = () =>
  encryption(
    {
      resources: [
        {
          resources: ["*.*"],
          providers: [{ aesgcm: { keys: [{ name: "a", secret: Buffer.alloc(32, "a").toString("base64") }] } }],
        },
      ],
    },
    () => {},
  );
storageSuite("encrypted etcd", async (signal) => {
  const transformer = everythingEncrypted();
  const options = { hosts: shared.hosts, root: `/suite-${roots++}`, transformer };
  return encryptedStorage(await etcdStorage(options, world, signal), transformer);
});

test("etcd: what is kept is encrypted, and what another server has written is read", async () => {
  const root = `/encrypted-${roots++}`;
  const controller = new AbortController();
  closing.push(() => controller.abort());
  const server = (): Promise<Storage> =>
    etcdStorage({ hosts: shared.hosts, root, transformer: everythingEncrypted() }, world, controller.signal);
  const [one, two] = [await server(), await server()];
  await one.commit({ key: "//secrets/n/s", expect: none, value: Buffer.from("plain text") });
  expect(Buffer.from((await two.get("//secrets/n/s"))!.value).toString()).toBe("plain text");
  const client = new Etcd3({ hosts: [...shared.hosts] });
  closing.push(() => client.close());
  const kept = await client.get(`${root}//secrets/n/s`).buffer();
  expect(kept!.toString("latin1")).toMatch(/^k8s:enc:aesgcm:v1:a:/);
  expect(kept!.toString("latin1")).not.toContain("plain");
});

test("etcd: a server reads what another has written with a new key as soon as its own file has that key", async () => {
  const root = `/rotated-${roots++}`;
  const folder = mkdtempSync(join(tmpdir(), "orrery-rotation-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  const controller = new AbortController();
  closing.push(() => controller.abort());
  const write = (server: string, ...names: readonly string[]): void => {
    const keys = names.map((name) => ({ name, secret: Buffer.alloc(32, name).toString("base64") }));
    const resources = [{ resources: ["secrets"], providers: [{ aesgcm: { keys } }] }];
    const kind = { apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration" };
    writeFileSync(join(folder, server), JSON.stringify({ ...kind, resources }));
  };
  const open = async (name: string): Promise<Storage> => {
    const transformer = fileEncryption({ path: join(folder, name), isReloaded: true }, world, controller.signal);
    return encryptedStorage(
      await etcdStorage({ hosts: shared.hosts, root, transformer }, world, controller.signal),
      transformer,
    );
  };
  write("one", "new", "old");
  write("two", "old");
  const [one, two] = [await open("one"), await open("two")];
  const at = "//secrets/n/s";
  const begun = await two.revision();
  await one.commit({ key: at, expect: none, value: Buffer.from("secret") });
  await one.commit({ key: "//pods/n/p", expect: none, value: Buffer.from("pod") });
  const text = async (key: string) => Buffer.from((await two.get(key))!.value).toString();
  await expect(text(at)).rejects.toThrow(`unable to transform key "${at}": no matching key was found`);
  expect(await text("//pods/n/p")).toBe("pod");
  const watched = two.watch("//secrets/", begun, controller.signal)[Symbol.asyncIterator]();
  await expect(watched.next()).rejects.toThrow("unable to transform key");
  write("two", "old", "new");
  await expect.poll(() => text(at).catch(() => ""), { timeout: 5_000 }).toBe("secret");
  expect(two.isStale!((await two.get(at))!)).toBe(true);
  expect(one.isStale!((await one.get(at))!)).toBe(false);
});

/** The outcomes of one writer. */
interface WriteOutcomes {
  readonly acknowledged: Map<string, Revision>;
  readonly unknown: Set<string>;
  readonly refused: string[];
}

/** Creates keys until the signal aborts, and records the outcomes. */
async function writeAll(storage: Storage, stop: { readonly now: boolean }, prefix: string): Promise<WriteOutcomes> {
  const outcomes: WriteOutcomes = { acknowledged: new Map(), unknown: new Set(), refused: [] };
  for (let i = 0; !stop.now; i++) {
    const key = `${prefix}/${i}`;
    try {
      const commit = await storage.commit({ key, expect: none, value: Buffer.from(key) });
      if (commit.ok) outcomes.acknowledged.set(key, commit.revision);
      else outcomes.refused.push(key);
    } catch (e) {
      if (!isAmbiguous(e)) throw e;
      outcomes.unknown.add(key);
    }
  }
  return outcomes;
}

/** Every write is acknowledged and stored, or ambiguous; none was refused. */
async function checkOutcomes(storage: Storage, outcomes: WriteOutcomes): Promise<void> {
  const entries = new Map((await storage.list("/")).entries.map((e) => [e.key, e.modified]));
  expect(outcomes.refused).toEqual([]);
  for (const [key, at] of outcomes.acknowledged) expect([key, entries.get(key)]).toEqual([key, at]);
}

/**
 * Runs writers and a watch during `disturb`. The watch must have received exactly the committed changes.
 */
async function underLoad(storage: Storage, disturb: () => Promise<void>): Promise<WriteOutcomes> {
  const stop = { now: false };
  const start = await storage.revision();
  const writers = ["/w0", "/w1", "/w2", "/w3"].map((prefix) => writeAll(storage, stop, prefix));
  await world.clock.sleep(300);
  await disturb();
  await world.clock.sleep(300);
  stop.now = true;
  const outcomes = await Promise.all(writers);
  const last = await storage.revision();
  const received: Revision[] = [];
  const keys = new Set<string>();
  for await (const batch of storage.watch("/w", start, AbortSignal.timeout(10_000))) {
    received.push(...batch.changes.map((c) => c.revision));
    for (const { key } of batch.changes) keys.add(key);
    if (batch.revision >= last) break;
  }
  const all = (await storage.list("/w")).entries;
  expect(received).toEqual([...new Set(received)].sort((a, b) => a - b));
  expect([...keys].sort()).toEqual(all.map((e) => e.key).sort());
  for (const one of outcomes) await checkOutcomes(storage, one);
  expect(outcomes.every((t) => t.acknowledged.size > 0)).toBe(true);
  return outcomes[0]!;
}

test("etcd restarted under load: no acknowledged write is lost, and the watch has no gap", async () => {
  const cluster = await owned(1);
  const storage = await open(cluster.hosts);
  await underLoad(storage, async () => {
    await cluster.members[0]!.kill();
    await world.clock.sleep(500);
    await cluster.members[0]!.start();
    await storage.commit({ key: "/after", expect: none, value: Buffer.from("x") });
  });
});

test("etcd unavailable for a time: reads wait and then return the current state", async () => {
  const cluster = await owned(1);
  const storage = await open(cluster.hosts);
  await storage.commit({ key: "/a", expect: none, value: Buffer.from("x") });
  await cluster.members[0]!.kill();
  const reads = Promise.all([storage.get("/a"), storage.list("/"), storage.revision()]);
  await cluster.members[0]!.start();
  const [got, listed, at] = await reads;
  expect([Buffer.from(got!.value).toString(), listed.entries.length, at]).toEqual(["x", 1, got!.modified]);
});

test("leader of three members killed under load: writes continue within seconds, and nothing is lost", async () => {
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

test("etcd compacted while a server was partitioned: its watches expire, and it lists again", async () => {
  const cluster = await owned(1);
  const proxy = await proxyTo(cluster.hosts[0]!);
  closing.push(proxy.close);
  const cutOff = await open([proxy.host], "/shared");
  const other = await open(cluster.hosts, "/shared");
  const start = await cutOff.revision();
  const watch = cutOff.watch("/", start, AbortSignal.timeout(20_000))[Symbol.asyncIterator]();
  const waiting = watch.next();
  proxy.dropResponses();
  for (let i = 0; i < 5; i++) await other.commit({ key: `/${i}`, expect: none, value: Buffer.from("x") });
  await other.compact(await other.revision());
  // A change after the compaction makes etcd send to the interrupted watch, which closes the connection.
  await other.commit({ key: "/last", expect: none, value: Buffer.from("x") });
  proxy.restore();
  await expect(waiting).rejects.toBeInstanceOf(Compacted);
  expect((await cutOff.list("/")).entries).toHaveLength(6);
});

test("a lost response to a write: the outcome is correct or ambiguous, never a wrong refusal", async () => {
  const proxy = await proxyTo(shared.hosts[0]!);
  closing.push(proxy.close);
  const root = `/lost-${roots++}`;
  const [storage, truth] = [await open([proxy.host], root), await open(shared.hosts, root)];
  const writing = async (key: string, expected: Revision, value: string | null): Promise<string> => {
    const commit = storage.commit({ key, expect: expected, value: value === null ? null : Buffer.from(value) });
    return commit.then(
      (c) => (c.ok ? "committed" : "refused"),
      (e: unknown) => (isAmbiguous(e) ? "ambiguous" : `wrong error: ${e}`),
    );
  };
  const first = await storage.commit({ key: "/old", expect: none, value: Buffer.from("1") });
  const old = first.ok ? first.revision : none;
  for (const [key, expected, value, truthful] of [
    ["/new", none, "mine", ["committed"]],
    ["/old", old, null, ["committed", "ambiguous"]],
  ] as const) {
    proxy.dropResponses();
    const outcomes = writing(key, expected, value);
    await world.clock.sleep(400);
    proxy.restore();
    expect([key, truthful.includes((await outcomes) as never)]).toEqual([key, true]);
    expect((await truth.get(key)) === undefined).toBe(value === null);
  }
});

test("a lost response, and a later write by another client: the outcome is ambiguous", async () => {
  const proxy = await proxyTo(shared.hosts[0]!);
  closing.push(proxy.close);
  const root = `/lost-${roots++}`;
  const [storage, other] = [await open([proxy.host], root), await open(shared.hosts, root)];
  /** Sends the write through a proxy that drops responses, and waits until it is stored or has failed. */
  const attempt = async () => {
    proxy.dropResponses();
    let failed = false;
    const mine = storage.commit({ key: "/a", expect: none, value: Buffer.from("mine") }).catch((e: unknown) => e);
    void mine.then(() => {
      failed = true;
    });
    let stands = await other.get("/a");
    while (stands === undefined && !failed) stands = await other.get("/a");
    return { mine, stands };
  };
  let { mine, stands } = await attempt();
  // On a busy machine the request itself can be lost. It is sent again after a successful exchange over the proxy:
  // without an established connection it would be lost again.
  for (let i = 0; stands === undefined; i++) {
    proxy.restore();
    await storage.commit({ key: `/restored-${i}`, expect: none, value: Buffer.from("x") });
    ({ mine, stands } = await attempt());
  }
  expect(Buffer.from(stands.value).toString()).toBe("mine");
  const over = await other.commit({ key: "/a", expect: stands.modified, value: Buffer.from("theirs") });
  expect(over.ok).toBe(true);
  proxy.restore();
  expect(isAmbiguous(await mine)).toBe(true);
});

test("a store larger than one gRPC message and one page is loaded completely", async () => {
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

test("a value above etcd's limit is refused with a message, and later writes succeed", async () => {
  const storage = await open(shared.hosts);
  const huge = storage.commit({ key: "/huge", expect: none, value: Buffer.alloc(4_000_000) });
  await expect(huge).rejects.toMatchObject({ reason: "RequestEntityTooLarge" });
  expect((await storage.commit({ key: "/small", expect: none, value: Buffer.from("x") })).ok).toBe(true);
});

test("writes of another program to the same etcd advance the revision", async () => {
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

test("a replacement by one server reaches the others, whose writes are made to what replaced it", async () => {
  const root = `/test-${roots++}`;
  const [one, other] = [await open(shared.hosts, root), await open(shared.hosts, root)];
  const write = { key: "/core/pods/a", expect: none, value: Buffer.from("old") };
  const old = await one.commit(write);
  expect(old.ok).toBe(true);
  await other.list("/");
  const value = Buffer.from("new");
  const replacing = one.replaceAll([{ key: "/core/pods/a", value, created: revision(1), modified: revision(1) }]);
  await replacing;
  await expect.poll(async () => Buffer.from((await other.get("/core/pods/a"))!.value).toString()).toBe("new");
  const late = await other.commit({ ...write, key: "/core/pods/b" });
  expect(late.ok).toBe(true);
  expect(await one.get("/core/pods/b")).toBeDefined();
});

test("a replacement that was interrupted changes nothing, and the next one removes what it left", async () => {
  const root = `/test-${roots++}`;
  const left = new Etcd3({ hosts: [...shared.hosts] });
  await left.put(`/restored${root}/at-00000000000000000001/core/pods/x`).value("left");
  const storage = await open(shared.hosts, root);
  expect((await storage.list("/")).entries).toEqual([]);
  await storage.replaceAll([
    { key: "/core/pods/a", value: Buffer.from("v"), created: revision(1), modified: revision(1) },
  ]);
  expect(await left.getAll().prefix(`/restored${root}/at-00000000000000000001`).keys()).toEqual([]);
  left.close();
});
