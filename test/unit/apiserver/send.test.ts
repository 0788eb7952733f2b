// A reply that is made as it goes: its parts arrive as they were told, also those that say nothing.
import type { AddressInfo } from "node:net";
import Fastify from "fastify";
import { expect, test } from "vitest";
import { send } from "../../../apiserver/http/send.ts";
import { virtualClock } from "../../sim/virtual-clock.ts";

test.each([
  ["parts", ["one", "two"], "onetwo"],
  ["a part without bytes, which ends nothing", ["one", "", Buffer.alloc(0), "two"], "onetwo"],
  ["a part again, and one of more bytes than characters", ["é", "é", "x".repeat(20)], `éé${"x".repeat(20)}`],
  ["no parts", [], ""],
])("a stream: %s", async (_, parts, whole) => {
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
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe(whole);
  await app.close();
});
