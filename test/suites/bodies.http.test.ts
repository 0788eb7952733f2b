// Bodies: those whose length nobody told beforehand, over both versions of HTTP; and what is said of those that are sent.
import { connect } from "node:http2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askerOf, parsed } from "./requests.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
beforeAll(async () => {
  server = await listeningServer();
});
afterAll(() => server.close());

const configMaps = "/api/v1/namespaces/default/configmaps";
const bodyOf = (name: string): string => JSON.stringify({ metadata: { name }, data: { a: "b" } });

/** A request over HTTP/2, in two parts, without a word about what they are. */
async function overHttp2(method: string, path: string, parts: readonly string[]): Promise<Record<string, any>> {
  const { cert, key } = server.admin;
  const session = connect(server.url, { ca: server.ca, cert, key });
  const stream = session.request({ ":method": method, ":path": path }, { endStream: parts.length === 0 });
  for (const part of parts) stream.write(part);
  stream.end();
  let text = "";
  for await (const chunk of stream) text += chunk;
  session.close();
  return JSON.parse(text);
}

test("over HTTP/2 a body is read although nothing was said of it", async () => {
  const body = bodyOf("two");
  const made = await overHttp2("POST", configMaps, [body.slice(0, 9), body.slice(9)]);
  expect(made).toMatchObject({ kind: "ConfigMap", metadata: { name: "two" }, data: { a: "b" } });
});
test("over HTTP/2 no body is none", async () => {
  expect(await overHttp2("DELETE", `${configMaps}/two`, [])).toMatchObject({ status: "Success" });
});
test("over HTTP/1.1 a body may come in parts", async () => {
  const headers = { "transfer-encoding": "chunked" };
  const answer = await askerOf(server).ask(configMaps, { method: "POST", headers, body: bodyOf("one") });
  expect(parsed(answer)).toMatchObject({ metadata: { name: "one" }, data: { a: "b" } });
});

const types = [
  ["/api/v1/namespaces", "application/json"],
  ["/api/v1/namespaces/nowhere", "application/json"],
  ["/version", "application/json"],
  ["/apis", "application/json"],
  ["/readyz", "text/plain; charset=utf-8"],
] as const;
for (const [path, type] of types)
  test(`${path} is answered with ${type}, and nothing more is said of it`, async () => {
    expect((await askerOf(server).ask(path)).headers["content-type"]).toBe(type);
  });
