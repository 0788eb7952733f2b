// The server from outside: what it tells of itself, how it stops, and that clients who say nothing cannot hold it.
import { connect as connectPlain } from "node:net";
import { connect, constants } from "node:http2";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { configMaps } from "../../api/core/configmaps.ts";
import { key } from "../../api/meta.ts";
import { type Asker, askerOf, json, lines } from "./requests.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
let asker: Asker;
beforeAll(async () => {
  server = await listeningServer({ timeouts: { headersMs: 300, bodyMs: 300, idleMs: 60_000, readMs: 300 } });
  asker = askerOf(server);
});
afterAll(() => server.close());

test("every answer has a number by which it is found again, the client's own if it brings one", async () => {
  const first = await asker.ask("/api");
  expect(first.headers["audit-id"]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(first.headers["cache-control"]).toBe("no-cache, private");
  expect((await asker.ask("/api")).headers["audit-id"]).not.toBe(first.headers["audit-id"]);
  expect((await asker.ask("/api", { headers: { "audit-id": "mine" } })).headers["audit-id"]).toBe("mine");
  const watch = await asker.begin("/api/v1/secrets?watch=1&timeoutSeconds=1");
  expect(watch.headers["audit-id"]).toBeDefined();
  watch.destroy();
});

test("the server's own figures, by the names that are known", async () => {
  const path = "/api/v1/namespaces/default/configmaps";
  await asker.ask(`${path}?dryRun=All`, { method: "POST", headers: json, body: '{"metadata":{"name":"figures"}}' });
  await asker.ask("/api/v1/namespaces/default");
  await lines(await asker.begin("/api/v1/namespaces?watch=1"), 1);
  const { text } = await asker.ask("/metrics");
  const about = (verb: string, resource: string, scope: string) =>
    `verb="${verb}",group="",version="v1",resource="${resource}",subresource="",scope="${scope}",component="apiserver"`;
  for (const line of [
    `apiserver_request_total{${about("POST", "configmaps", "resource")},dry_run="All",code="201"} 1`,
    `apiserver_request_total{${about("GET", "namespaces", "resource")},dry_run="",code="200"} 1`,
    `apiserver_request_duration_seconds_count{${about("GET", "namespaces", "resource")},dry_run=""} 1`,
    'apiserver_current_inflight_requests{request_kind="readOnly"} 1',
    'apiserver_current_inflight_requests{request_kind="mutating"} 0',
    'apiserver_storage_objects{resource="namespaces"} 4',
    'apiserver_storage_objects{resource="deployments.apps"} 0',
  ])
    expect(text).toContain(`${line}\n`);
  expect(text).toMatch(/apiserver_watch_events_total\{group="",version="v1",resource="namespaces"\} \d+/);
  const made = () => asker.ask("/apis/made.up/v1/things/x/part", { as: "nobody" });
  expect([(await made()).status, (await asker.ask("/metrics")).text.includes("made.up")]).toEqual([403, false]);
  expect(text).toMatch(/process_cpu_seconds_total \d/);
});

/** Speaks TLS and nothing above it. */
const dial = (own: TestServer): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(own.url);
    const socket = connectTls({ host, port: Number(port), ca: own.ca, ...own.admin, ALPNProtocols: ["http/1.1"] });
    socket.once("secureConnect", () => resolve(socket)).once("error", reject);
  });
const closed = (socket: { once(event: "close", then: () => void): unknown }) =>
  new Promise<void>((resolve) => socket.once("close", () => resolve()));

test("who does not end its headers, or its body, is not waited for", async () => {
  for (const beginning of [
    "GET /api HTTP/1.1\r\nHost: x\r\n",
    "POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
  ]) {
    const socket = await dial(server);
    socket.on("error", () => {});
    socket.resume();
    socket.write(beginning);
    await closed(socket);
  }
  const session = connect(server.url, { ca: server.ca, ...server.admin });
  const stream = session.request({
    ":method": "POST",
    ":path": "/api/v1/namespaces",
    "content-type": "application/json",
  });
  stream.on("error", () => {});
  stream.write("{");
  await closed(stream);
  session.close();
});

test("who says nothing at all is let go", async () => {
  const { hostname: host, port } = new URL(server.url);
  const socket = connectPlain({ host, port: Number(port) });
  socket.end();
  await closed(socket);
});

test("who does not read the events it asked for is cut off, and holds nobody up", async () => {
  const socket = await dial(server);
  socket.on("error", () => {});
  socket.pause();
  socket.write("GET /api/v1/namespaces/default/configmaps?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n");
  const other = lines(await asker.begin("/api/v1/namespaces/default/configmaps?watch=1&labelSelector=last"), 1);
  const data = { large: "x".repeat(500_000) };
  const write = (name: string, labels = {}) =>
    server.inProcess.create(configMaps, { kind: "ConfigMap", metadata: { name, namespace: "default", labels }, data });
  for (let i = 0; i < 30; i++) await write(`large-${i}`);
  await write("last", { last: "" });
  expect((await other)[0].object.metadata.name).toBe("last");
  const gone = closed(socket);
  const watchers = async () =>
    /longrunning_requests\{verb="WATCH".*resource="configmaps",.*scope="namespace".*\} (\d+)/.exec(
      (await asker.ask("/metrics")).text,
    )?.[1];
  while ((await watchers()) !== "0") await new Promise((resolve) => setImmediate(resolve));
  socket.resume();
  await gone;
});

test("a server that is stopped says so, answers who waits, ends its watches and then is gone", async () => {
  const own = await listeningServer();
  const session = connect(own.url, { ca: own.ca, ...own.admin });
  session.on("error", () => {});
  const said: string[] = [];
  session.on("goaway", (code) => said.push(`goaway ${code}`));
  const watch = session.request({ ":path": "/api/v1/namespaces?watch=1" });
  await new Promise((go) => watch.once("response", go));
  const old = await askerOf(own).begin("/api/v1/namespaces?watch=1");
  const [ends, oldEnds] = [watch, old].map(async (stream) => {
    let text = "";
    for await (const chunk of stream) text += chunk;
    return text;
  });
  await own.close();
  // Both streams have ended as streams should: a watch that breaks off would have thrown.
  for (const text of [await ends!, await oldEnds!]) expect(text.trim().split("\n").length).toBe(4);
  expect([watch.rstCode, said]).toEqual([constants.NGHTTP2_NO_ERROR, ["goaway 0"]]);
  await expect(askerOf(own).ask("/livez")).rejects.toThrow(/ECONNREFUSED/);
  session.destroy();
});

test("a write that was begun is answered though the server is stopped meanwhile", async () => {
  const own = await listeningServer();
  const [answered] = await Promise.all([
    askerOf(own).ask("/api/v1/namespaces/default/configmaps", {
      method: "POST",
      headers: json,
      body: JSON.stringify({ metadata: { name: "late" } }),
    }),
    own.inProcess.create(configMaps, { kind: "ConfigMap", metadata: { name: "first", namespace: "default" } }),
  ]);
  expect(answered.status).toBe(201);
  await own.close();
  expect((await own.inProcess.get(configMaps, key("default", "late"))).metadata.name).toBe("late");
});
