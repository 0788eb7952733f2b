// Streamed responses: all chunks arrive in order, also empty ones.
import type { AddressInfo } from "node:net";
import Fastify from "fastify";
import { expect, test } from "vitest";
import { send } from "../../../apiserver/http/send.ts";
import { virtualClock } from "../../sim/virtual-clock.ts";

test.each([
  ["parts", ["one", "two"], "onetwo"],
  ["empty chunks do not end the stream", ["one", "", Buffer.alloc(0), "two"], "onetwo"],
  ["a repeated chunk, and one with more bytes than characters", ["é", "é", "x".repeat(20)], `éé${"x".repeat(20)}`],
  ["no chunks", [], ""],
])("a stream: %s", async (_, parts, body) => {
  async function* stream(): AsyncGenerator<string | Buffer> {
    yield* parts;
  }
  const app = Fastify();
  app.get("/", async (_request, to) => {
    to.hijack();
    await send(to.raw, { status: 200, stream: stream() }, { clock: virtualClock(), readMs: 1000 });
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe(body);
  await app.close();
});
