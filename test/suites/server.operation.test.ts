// Operation of the server: audit ids, metrics, graceful shutdown, and idle or slow clients.
import { connect as connectPlain } from "node:net";
import { connect, constants } from "node:http2";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { configMaps } from "../../api/core/configmaps.ts";
import { key } from "../../api/meta.ts";
import { type RawClient, rawClientOf, json, lines } from "./raw-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
let rawClient: RawClient;
beforeAll(async () => {
  server = await listeningServer({ timeouts: { headersMs: 300, bodyMs: 300, idleMs: 60_000, readMs: 300 } });
  rawClient = rawClientOf(server);
});
afterAll(() => server.close());

test("every response has an audit id, taken from the request if present", async () => {
  const first = await rawClient.send("/api");
  expect(first.headers["audit-id"]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(first.headers["cache-control"]).toBe("no-cache, private");
  expect((await rawClient.send("/api")).headers["audit-id"]).not.toBe(first.headers["audit-id"]);
  expect((await rawClient.send("/api", { headers: { "audit-id": "mine" } })).headers["audit-id"]).toBe("mine");
  const watch = await rawClient.open("/api/v1/secrets?watch=1&timeoutSeconds=1");
  expect(watch.headers["audit-id"]).toBeDefined();
  watch.destroy();
});

test("request metrics have Kubernetes' names", async () => {
  const path = "/api/v1/namespaces/default/configmaps";
  await rawClient.send(`${path}?dryRun=All`, {
    method: "POST",
    headers: json,
    body: '{"metadata":{"name":"figures"}}',
  });
  await rawClient.send("/api/v1/namespaces/default");
  await lines(await rawClient.open("/api/v1/namespaces?watch=1"), 1);
  const { text } = await rawClient.send("/metrics");
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
  const made = () => rawClient.send("/apis/made.up/v1/things/x/part", { as: "nobody" });
  expect([(await made()).status, (await rawClient.send("/metrics")).text.includes("made.up")]).toEqual([403, false]);
  expect(text).toMatch(/process_cpu_seconds_total \d/);
});

/** Opens a TLS connection without a request. */
const dial = (target: TestServer): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(target.url);
    const socket = connectTls({
      host,
      port: Number(port),
      ca: target.ca,
      ...target.admin,
      ALPNProtocols: ["http/1.1"],
    });
    socket.once("secureConnect", () => resolve(socket)).once("error", reject);
  });
const closed = (socket: { once(event: "close", then: () => void): unknown }) =>
  new Promise<void>((resolve) => socket.once("close", () => resolve()));

test("incomplete headers and bodies time out", async () => {
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

test("an idle connection is closed", async () => {
  const { hostname: host, port } = new URL(server.url);
  const socket = connectPlain({ host, port: Number(port) });
  socket.end();
  await closed(socket);
});

test("a watcher that does not read is disconnected and does not delay others", async () => {
  const socket = await dial(server);
  socket.on("error", () => {});
  socket.pause();
  socket.write("GET /api/v1/namespaces/default/configmaps?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n");
  const other = lines(await rawClient.open("/api/v1/namespaces/default/configmaps?watch=1&labelSelector=last"), 1);
  const data = { large: "x".repeat(500_000) };
  const write = (name: string, labels = {}) =>
    server.inProcess.create(configMaps, { kind: "ConfigMap", metadata: { name, namespace: "default", labels }, data });
  for (let i = 0; i < 30; i++) await write(`large-${i}`);
  await write("last", { last: "" });
  expect((await other)[0].object.metadata.name).toBe("last");
  const gone = closed(socket);
  const watchers = async () =>
    /longrunning_requests\{verb="WATCH".*resource="configmaps",.*scope="namespace".*\} (\d+)/.exec(
      (await rawClient.send("/metrics")).text,
    )?.[1];
  while ((await watchers()) !== "0") await new Promise((resolve) => setImmediate(resolve));
  socket.resume();
  await gone;
});

test("shutdown sends GOAWAY, completes pending requests, ends watches and closes", async () => {
  const target = await listeningServer();
  const session = connect(target.url, { ca: target.ca, ...target.admin });
  session.on("error", () => {});
  const frames: string[] = [];
  session.on("goaway", (code) => frames.push(`goaway ${code}`));
  const watch = session.request({ ":path": "/api/v1/namespaces?watch=1" });
  await new Promise((go) => watch.once("response", go));
  const old = await rawClientOf(target).open("/api/v1/namespaces?watch=1");
  const [ends, oldEnds] = [watch, old].map(async (stream) => {
    let text = "";
    for await (const chunk of stream) text += chunk;
    return text;
  });
  await target.close();
  // Both streams have ended cleanly: an aborted watch would have thrown.
  for (const text of [await ends!, await oldEnds!]) expect(text.trim().split("\n").length).toBe(4);
  expect([watch.rstCode, frames]).toEqual([constants.NGHTTP2_NO_ERROR, ["goaway 0"]]);
  await expect(rawClientOf(target).send("/livez")).rejects.toThrow(/ECONNREFUSED/);
  session.destroy();
});

test("a pending write is completed during shutdown", async () => {
  const target = await listeningServer();
  const [completed] = await Promise.all([
    rawClientOf(target).send("/api/v1/namespaces/default/configmaps", {
      method: "POST",
      headers: json,
      body: JSON.stringify({ metadata: { name: "late" } }),
    }),
    target.inProcess.create(configMaps, { kind: "ConfigMap", metadata: { name: "first", namespace: "default" } }),
  ]);
  expect(completed.status).toBe(201);
  await target.close();
  expect((await target.inProcess.get(configMaps, key("default", "late"))).metadata.name).toBe("late");
});
