// Slow watchers: buffered data is bounded, and a client that does not read is disconnected. Time is virtual,
// connections are real.
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
/** The most a stream can buffer: its high water mark, and the chunk that exceeds it. */
const mostWaiting = (raw: Writable): number => raw.writableHighWaterMark + line.length;

let app: FastifyInstance;
afterEach(() => app.close());

/** Serves lines as an urgent stream. `sent` counts the lines, `beyond` is the buffered excess over the limit. */
async function serving(version: 1 | 2, count: number) {
  const progress = { sent: 0, beyond: 0, result: undefined as Promise<string> | undefined };
  app = Fastify({ http2: version === 2 } as object) as unknown as FastifyInstance;
  app.get("/", async (_request, to) => {
    to.hijack();
    async function* stream(): AsyncGenerator<Buffer> {
      for (; progress.sent < count; progress.sent++) {
        progress.beyond = Math.max(progress.beyond, to.raw.writableLength - mostWaiting(to.raw));
        yield line;
        // As in a watch, the next event is not available yet.
        await turn();
      }
    }
    progress.result = send(to.raw, { status: 200, stream: stream(), isUrgent: true }, { clock, readMs: 30_000 }).then(
      () => "ended",
      (e: Error) => {
        to.raw.destroy();
        return e.message;
      },
    );
    await progress.result;
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  return { progress, port: (app.server.address() as AddressInfo).port };
}

/** Advances time until the response has ended or failed. */
async function ending(progress: { readonly result: Promise<string> | undefined }): Promise<string> {
  while (progress.result === undefined) await turn();
  let result: string | undefined;
  void progress.result.then((how) => (result = how));
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

  test("a client that does not read is disconnected, and little is buffered for it", async () => {
    const { progress, port } = await serving(version, 100_000);
    const { readable, leave } = await ask(port);
    readable.pause().on("error", () => {});
    expect(await ending(progress)).toBe("the client has stopped reading");
    expect(progress.beyond).toBe(0);
    expect(progress.sent).toBeLessThan(10_000);
    leave();
  });

  test("a slow client receives everything, and lines are produced at its rate", async () => {
    const { progress, port } = await serving(version, 1_000);
    const { readable, leave } = await ask(port);
    let size = 0;
    for await (const part of readable) {
      size += (part as Buffer).length;
      for (let i = 0; i < 3; i++) await turn();
      if (size >= 1_000 * line.length) break;
    }
    expect(progress.beyond).toBe(0);
    leave();
  });
});

test("an unread watch buffers no events and ends when history is compacted past it", async () => {
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
