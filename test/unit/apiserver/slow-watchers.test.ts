// Clients of a watch who are slow, or read nothing at all: what waits for them is bounded, and they are cut off in the
// end. Time is virtual, connections are real.
import Fastify, { type FastifyInstance } from "fastify";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import type { Writable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { configMaps } from "../../../api/core/configmaps.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { send } from "../../../apiserver/http/send.ts";
import { watchLines } from "../../../apiserver/watch/watch.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { seeded, virtualClock } from "../../sim/virtual-clock.ts";

const clock = virtualClock();
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const line = Buffer.from(`${"x".repeat(9_999)}\n`);
/** What a stream may hold back before it says stop, and the part that made it say so. */
const mostWaiting = (raw: Writable): number => raw.writableHighWaterMark + line.length;

let app: FastifyInstance;
afterEach(() => app.close());

/** Serves so many lines as an urgent stream; `sent` is how many were asked for, `most` what waited at most. */
async function serving(version: 1 | 2, count: number) {
  const told = { sent: 0, beyond: 0, result: undefined as Promise<string> | undefined };
  app = Fastify({ http2: version === 2 } as object) as unknown as FastifyInstance;
  app.get("/", async (_request, to) => {
    to.hijack();
    async function* stream(): AsyncGenerator<Buffer> {
      for (; told.sent < count; told.sent++) {
        told.beyond = Math.max(told.beyond, to.raw.writableLength - mostWaiting(to.raw));
        yield line;
        // As in a watch, what comes next is not there yet.
        await turn();
      }
    }
    told.result = send(to.raw, { status: 200, stream: stream(), isUrgent: true }, { clock, readMs: 30_000 }).then(
      () => "ended",
      (e: Error) => {
        to.raw.destroy();
        return e.message;
      },
    );
    await told.result;
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  return { told, port: (app.server.address() as AddressInfo).port };
}

/** Time goes by until the answer has ended, one way or the other. */
async function ending(told: { readonly result: Promise<string> | undefined }): Promise<string> {
  while (told.result === undefined) await turn();
  let result: string | undefined;
  void told.result.then((how) => (result = how));
  while (result === undefined) {
    await turn();
    await clock.run(clock.now() + 1_000);
  }
  return result;
}

describe.each([1, 2] as const)("over HTTP/%i", (version) => {
  const ask = async (port: number) => {
    if (version === 1) {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      return { readable: socket, leave: () => socket.destroy() };
    }
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const readable = session.request({ ":path": "/" });
    return { readable, leave: () => session.destroy() };
  };

  test("who reads nothing is cut off, and little was kept for it meanwhile", async () => {
    const { told, port } = await serving(version, 100_000);
    const { readable, leave } = await ask(port);
    readable.pause().on("error", () => {});
    expect(await ending(told)).toBe("the client has stopped reading");
    expect(told.beyond).toBe(0);
    expect(told.sent).toBeLessThan(10_000);
    leave();
  });

  test("who is slow gets everything, and no more is made than it has room for", async () => {
    const { told, port } = await serving(version, 1_000);
    const { readable, leave } = await ask(port);
    let size = 0;
    for await (const part of readable) {
      size += (part as Buffer).length;
      for (let i = 0; i < 3; i++) await turn();
      if (size >= 1_000 * line.length) break;
    }
    expect(told.beyond).toBe(0);
    leave();
  });
});

test("a watch nobody reads keeps no events of its own: when history has gone on without it, it ends", async () => {
  const world = { clock, random: seeded(1), log: () => {} };
  const storage = memoryStorage();
  const verbs = clusterRegistry(storage, world, {
    serviceCidr: "10.96.0.0/16",
    nodePorts: { from: 30_000, to: 32_767 },
  });
  const client = inProcessClient(verbs);
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "default" }, spec: {} });
  const stop = new AbortController();
  const view = {
    form: "Plain",
    version: "v1",
    isList: false,
    writing: "json",
    pretty: false,
    include: "None",
  } as const;
  const begin = { with: "what comes" } as const;
  const watching = { r: configMaps, selection: {}, begin, view: { ...view, now: clock.now() } };
  const lines = watchLines(verbs, watching, stop.signal);
  const create = (name: string) =>
    client.create(configMaps, { kind: "ConfigMap", metadata: { name, namespace: "default" } });
  const first = lines.next();
  await turn();
  await create("first");
  expect(JSON.parse(String((await first).value))).toMatchObject({
    type: "ADDED",
    object: { metadata: { name: "first" } },
  });
  for (let i = 0; i < 10; i++) await create(`unread-${i}`);
  await storage.compact(await storage.revision());
  expect(JSON.parse(String((await lines.next()).value))).toMatchObject({
    type: "ERROR",
    object: { code: 410, reason: "Expired" },
  });
  expect((await lines.next()).done).toBe(true);
});
