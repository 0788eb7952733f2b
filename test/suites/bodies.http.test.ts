// Request bodies without a content length over both versions of HTTP, and the headers of response bodies.
import { connect } from "node:http2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rawClientOf, parsed } from "./raw-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
beforeAll(async () => {
  server = await listeningServer();
});
afterAll(() => server.close());

const configMaps = "/api/v1/namespaces/default/configmaps";
const bodyOf = (name: string): string => JSON.stringify({ metadata: { name }, data: { a: "b" } });

/** An HTTP/2 request with a chunked body and no content headers. */
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

test("HTTP/2: a body without content headers is read", async () => {
  const body = bodyOf("two");
  const made = await overHttp2("POST", configMaps, [body.slice(0, 9), body.slice(9)]);
  expect(made).toMatchObject({ kind: "ConfigMap", metadata: { name: "two" }, data: { a: "b" } });
});
test("HTTP/2: a request without a body", async () => {
  expect(await overHttp2("DELETE", `${configMaps}/two`, [])).toMatchObject({ status: "Success" });
});
test("HTTP/1.1: a chunked body", async () => {
  const headers = { "transfer-encoding": "chunked" };
  const response = await rawClientOf(server).send(configMaps, { method: "POST", headers, body: bodyOf("one") });
  expect(parsed(response)).toMatchObject({ metadata: { name: "one" }, data: { a: "b" } });
});

const types = [
  ["/api/v1/namespaces", "application/json"],
  ["/api/v1/namespaces/nowhere", "application/json"],
  ["/version", "application/json"],
  ["/apis", "application/json"],
  ["/readyz", "text/plain; charset=utf-8"],
] as const;
for (const [path, type] of types)
  test(`${path} has the content type ${type}`, async () => {
    expect((await rawClientOf(server).send(path)).headers["content-type"]).toBe(type);
  });
