// What a connection does to a server that will not have it.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { instant } from "../../../api/meta.ts";
import { httpSession } from "../../../machinery/http-session.ts";
import type { World } from "../../../machinery/world.ts";

test("a server that refuses is knocked at by all requests together, and again only after a pause", async () => {
  let knocks = 0;
  const server = createServer((socket) => {
    knocks++;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  /** Every pause anybody takes, to be ended by hand. */
  const pauses: { readonly ms: number; readonly end: () => void }[] = [];
  const clock: World["clock"] = {
    now: () => instant(0),
    sleep: (ms) => new Promise((resolve) => pauses.push({ ms, end: resolve })),
  };
  const world: World = { clock, random: { next: () => 0 }, log: () => {} };
  const over = new AbortController();
  const access = { url: `https://127.0.0.1:${port}`, ca: "", cert: "", key: "", userAgent: "test" };
  const session = httpSession(access, world, over.signal);
  const asked = () => session.ask({ method: "GET", path: "/" }).catch((e: Error) => e.message);
  try {
    expect(await Promise.all([asked(), asked()])).toEqual(
      Array.from({ length: 2 }, () => expect.stringMatching(/^the API server cannot be reached/)),
    );
    expect(knocks).toBe(1);
    const later = Promise.all([asked(), asked(), asked()]);
    // Somebody else's knock takes its time: had one of ours been under way, it would have come first.
    await once(connect(port, "127.0.0.1"), "close");
    expect(knocks).toBe(2);
    pauses.find(({ ms }) => ms === 200)!.end();
    await later;
    expect(knocks).toBe(3);
  } finally {
    over.abort();
    server.close();
  }
});
