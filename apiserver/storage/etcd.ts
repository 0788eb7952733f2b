// Storage in etcd: one watch over all keys feeds the log in memory, and a write is one transaction. A read requests
// etcd's revision and waits until the log has reached it, so reads are linearizable.
import type { IEvent, IWatchResponse } from "etcd3/lib/rpc.js";
import { ApiError } from "../../api/errors.ts";
import { type Revision, revision } from "../../api/meta.ts";
import { abortedWith } from "../../machinery/abort.ts";
import type { World } from "../../machinery/world.ts";
import { type EtcdClient, type EtcdOptions, etcdClient, refusal, type Snapshot } from "./etcd-client.ts";
import { emptyLog, type Log } from "./log.ts";
import { coalesce } from "./coalesce.ts";
import { type Commit, Compacted, type Condition, type Storage, type Stored, type Write } from "./storage.ts";

/** Time for etcd to restart or elect a leader before a call fails, in milliseconds. */
const timeoutMs = 8_000;
const pauseMs = 100;

const same = (a: Uint8Array | null, b: Uint8Array | undefined): boolean => !!a && !!b && Buffer.compare(a, b) === 0;

async function snapshot(client: EtcdClient): Promise<Snapshot> {
  const entries: Stored[] = [];
  let at: Revision | undefined;
  await client.root.find();
  for (;;) {
    const page = await client.page(entries.at(-1)?.key, at);
    at ??= page.revision;
    entries.push(...page.entries);
    if (!page.more) return { entries, revision: at };
  }
}

/** Events of other roots advance the revision too; they become changes without a watch. */
function appendEvent(log: Log, client: EtcdClient, event: IEvent): void {
  const at = revision(Number(event.kv.mod_revision));
  const key = client.root.ownKey(event.kv.key);
  if (key === undefined) {
    log.append({ key: "", revision: at });
    return;
  }
  const before = log.get(key);
  const deleted = `${event.type}` === "Delete" || `${event.type}` === "1";
  const now = deleted
    ? undefined
    : {
        ...{ key, value: client.ownValue(key, event.kv.value), modified: at },
        created: revision(Number(event.kv.create_revision)),
      };
  log.append({ key, revision: at, ...(now && { now }), ...(before && { before }) });
}

/** The entries are under another root: everything is to be read again. */
class Replaced extends Error {
  override readonly name = "Replaced";
  constructor() {
    super("the store was replaced");
  }
}

async function follow(client: EtcdClient, log: Log, signal: AbortSignal): Promise<void> {
  for await (const response of client.events(log.head(), signal) as AsyncIterable<IWatchResponse>) {
    if (response.canceled) {
      if (Number(response.compact_revision) > 0)
        throw new Compacted(log.head(), revision(Number(response.compact_revision)));
      throw new Error(`etcd ended the watch: ${response.cancel_reason || "no reason given"}`);
    }
    for (const event of response.events) {
      if (client.root.isMovedBy(event.kv.key)) throw new Replaced();
      appendEvent(log, client, event);
    }
  }
}

/** Feeds the log until the signal aborts; `again` restarts a feed without events. */
async function feed(
  client: EtcdClient,
  log: Log,
  world: World,
  signal: AbortSignal,
  again: () => AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await follow(client, log, AbortSignal.any([signal, again()]));
    } catch (e) {
      if (signal.aborted) return;
      world.log("the watch on etcd broke off, taking it up again", { error: String(e), revision: log.head() });
      if (e instanceof Compacted || e instanceof Replaced) await restart(client, log, world, signal);
    }
    await world.clock.sleep(pauseMs, signal).catch(() => {});
  }
}

async function restart(client: EtcdClient, log: Log, world: World, signal: AbortSignal): Promise<void> {
  for (let isLogged = false; !signal.aborted; isLogged = true) {
    try {
      const { entries, revision: at } = await snapshot(client);
      return log.restart(entries, at);
    } catch (e) {
      if (!isLogged) world.log("etcd does not answer yet, waiting for it", { error: String(e) });
      await world.clock.sleep(pauseMs, signal).catch(() => {});
    }
  }
}

/** Retries until the deadline. For idempotent calls only. */
async function persist<T>(world: World, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  const until = world.clock.now() + timeoutMs;
  for (;;) {
    try {
      return await ask();
    } catch (e) {
      if (e instanceof ApiError || e instanceof Compacted) throw e;
      if (signal.aborted || world.clock.now() >= until)
        throw new ApiError("ServiceUnavailable", `etcd does not answer: ${(e as Error).message}`);
      await world.clock.sleep(pauseMs, signal).catch(() => {});
    }
  }
}

/**
 * Writes once, though the response may be lost. A retry with the same expectation cannot apply twice; when it fails,
 * the first try may have succeeded, which the value of the first write shows, or the outcome is unknown, which is an
 * error.
 */
async function commitOnce(
  client: EtcdClient,
  world: World,
  ...[main, ...alongside]: [Write, ...(Write | Condition)[]]
): Promise<Commit> {
  const until = world.clock.now() + timeoutMs;
  let lost: unknown;
  for (;;) {
    try {
      const commit = await client.commit(main, ...alongside);
      if (commit.ok || lost === undefined) return commit;
      if (commit.key === main.key && same(main.value, commit.current?.value))
        return { ok: true, revision: commit.current!.modified };
      throw unknownOutcome(lost);
    } catch (e) {
      if (e instanceof ApiError) throw e;
      const refused = refusal(e);
      if (refused && lost === undefined) throw refused;
      if (world.clock.now() >= until) throw unknownOutcome(e);
      lost = e;
      await world.clock.sleep(pauseMs).catch(() => {});
    }
  }
}

const unknownOutcome = (e: unknown): ApiError =>
  new ApiError(
    "Timeout",
    `etcd's answer to a write was lost, it may or may not have happened: ${(e as Error).message}`,
  );

/** Opens the storage when etcd responds; everything ends with the signal. */
export async function etcdStorage(options: EtcdOptions, world: World, signal: AbortSignal): Promise<Storage> {
  const client = etcdClient(options, world.clock, signal);
  const log = emptyLog(world.clock.now);
  await restart(client, log, world, signal);
  let silence = new AbortController();
  const refeed = (): AbortSignal => {
    silence = new AbortController();
    return silence.signal;
  };
  void feed(client, log, world, signal, refeed);

  /** Waits until the log has reached etcd's revision at the time of the call. */
  const caughtUp = coalesce(async (): Promise<Revision> => {
    const known = log.head();
    const target = await persist(world, signal, client.revision);
    // History does not run backwards: this is another store than before (restored, or its disk was lost).
    if (target < known) {
      await restart(client, log, world, signal);
      silence.abort(new Error("the store was replaced"));
    }
    if (log.head() >= target) return target;
    const wait = abortedWith(signal);
    const timeout = world.clock.sleep(timeoutMs, wait.signal).then(
      () => silence.abort(new Error("the feed fell silent")),
      () => {},
    );
    await Promise.race([log.reached(target, wait.signal), timeout]);
    wait.end();
    if (log.head() < target) throw new ApiError("ServiceUnavailable", "etcd's watch lags behind its own history");
    return target;
  });
  let compacted = log.floor();
  return {
    revision: () => caughtUp(),
    async get(key) {
      await caughtUp();
      return log.get(key);
    },
    async present() {
      await caughtUp();
      return log.present;
    },
    received: log.present,
    history: log.history,
    async list(prefix, page) {
      await caughtUp();
      return log.list(prefix, page);
    },
    commit: (...parts) => commitOnce(client, world, ...parts),
    watch: log.watch,
    async compact(upTo, shared = upTo) {
      // The watch may not have delivered yet what was just committed.
      const head = await caughtUp();
      const [own, floor] = [upTo, shared].map((at) => revision(Math.min(at, head))) as [Revision, Revision];
      if (floor > compacted) await persist(world, signal, () => client.compact(floor));
      compacted = revision(Math.max(floor, compacted));
      log.compact(own);
    },
    async replaceAll(entries) {
      await client.replaceAll(entries);
      await restart(client, log, world, signal);
      silence.abort(new Error("the store was replaced"));
    },
  };
}
