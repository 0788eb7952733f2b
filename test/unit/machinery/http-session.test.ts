// Connection attempts of a session to a server that refuses them.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { instant } from "../../../api/meta.ts";
import { httpSession } from "../../../machinery/http-session.ts";
import type { World } from "../../../machinery/world.ts";

test("requests share a failed connection attempt, and the next follows after a back-off", async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  /** Sleeps in progress, ended by the test. */
  const sleeps: { readonly ms: number; readonly end: () => void }[] = [];
  const clock: World["clock"] = {
    now: () => instant(0),
    sleep: (ms) => new Promise((resolve) => sleeps.push({ ms, end: resolve })),
  };
  const world: World = { clock, random: { next: () => 0 }, log: () => {} };
  const over = new AbortController();
  const access = { url: `https://127.0.0.1:${port}`, ca: "", cert: "", key: "", userAgent: "test" };
  const session = httpSession(access, world, over.signal);
  const request = () => session.ask({ method: "GET", path: "/" }).catch((e: Error) => e.message);
  try {
    expect(await Promise.all([request(), request()])).toEqual(
      Array.from({ length: 2 }, () => expect.stringMatching(/^the API server cannot be reached/)),
    );
    expect(connections).toBe(1);
    const later = Promise.all([request(), request(), request()]);
    // A connection of the test completes first: an attempt of the session would have been counted before it.
    await once(connect(port, "127.0.0.1"), "close");
    expect(connections).toBe(2);
    sleeps.find(({ ms }) => ms === 200)!.end();
    await later;
    expect(connections).toBe(3);
  } finally {
    over.abort();
    server.close();
  }
});
