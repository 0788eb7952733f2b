// What the server tells of itself to those who look after it: figures by the names dashboards read, and what took long.
import { once } from "node:events";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { configMaps } from "../../api/core/configmaps.ts";
import { instant } from "../../api/meta.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import type { Storage } from "../../apiserver/storage/storage.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { type Asker, askerOf, json, lines } from "./requests.ts";
import { type TestServer, listeningServer } from "./listening.ts";

/** The clock stands, but for so much while the log keeps what has this in its name. */
const takes = { name: "slow", ms: 700 };
const told: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
let late = 0;
const world = realWorld((message, fields = {}) => void told.push({ message, fields }));
const beginning = world.clock.now();
const clock = { ...world.clock, now: () => instant(beginning + late) };

function storage(): Storage {
  const inner = memoryStorage();
  return {
    ...inner,
    async commit(write, ...alongside) {
      if (write.key.includes(takes.name)) late += takes.ms;
      if (write.key.endsWith("/lost")) throw new Error("the log is gone");
      return inner.commit(write, ...alongside);
    },
  };
}

let server: TestServer;
let asker: Asker;
beforeAll(async () => {
  server = await listeningServer({ world: { ...world, clock }, storage: storage() });
  asker = askerOf(server);
});
afterAll(() => server.close());

const waitOptions = { timeout: 20_000 };
const maps = "/api/v1/namespaces/default/configmaps";
const make = (name: string) =>
  asker.ask(maps, { method: "POST", headers: json, body: JSON.stringify({ metadata: { name } }) });
const figures = async (): Promise<string> => (await asker.ask("/metrics")).text;
const about = (verb: string, resource: string, scope: string, subresource = "") =>
  `verb="${verb}",group="",version="v1",resource="${resource}",subresource="${subresource}",scope="${scope}",component="apiserver"`;
/** The value of a figure, whatever it is. */
const figureOf = (text: string, series: string): number | undefined => {
  const line = text.split("\n").find((l) => l.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

test("promises, sizes and steps of the log, by the names that are known", async () => {
  await make("first");
  const { text: read } = await asker.ask(`${maps}/first`);
  await asker.ask(`${maps}?dryRun=All`, { method: "POST", headers: json, body: '{"metadata":{"name":"tried"}}' });
  expect((await make("lost")).status).toBe(500);
  const text = await figures();
  const one = about("GET", "configmaps", "resource");
  expect(figureOf(text, `apiserver_response_sizes_sum{${one}}`)).toBe(read.length);
  expect(figureOf(text, `apiserver_response_sizes_bucket{le="1000",${one}}`)).toBe(1);
  expect(figureOf(text, `apiserver_request_sli_duration_seconds_count{${one}}`)).toBe(1);
  const posts = about("POST", "configmaps", "resource");
  expect(figureOf(text, `apiserver_request_sli_duration_seconds_count{${posts}}`)).toBe(2);
  expect(figureOf(text, `apiserver_response_sizes_count{${posts}}`)).toBeUndefined();
  expect(figureOf(text, 'apiserver_resource_objects{group="",resource="namespaces"}')).toBe(4);
  const creations = 'operation="create",group="",resource="configmaps"';
  expect(figureOf(text, `etcd_requests_total{${creations}}`)).toBe(2);
  expect(figureOf(text, `etcd_request_errors_total{${creations}}`)).toBe(1);
  expect(figureOf(text, `etcd_request_duration_seconds_count{${creations}}`)).toBe(2);
  expect(text).toMatch(/kubernetes_build_info\{.*git_version="v1\.36\.\d+[^"]*".*major="1",minor="36".*\} 1\n/);
});

test("what had better not be used, and what connects, are told apart", async () => {
  await asker.ask("/api/v1/namespaces/default/endpoints");
  await asker.ask("/api/v1/namespaces/default/pods/nobody/log");
  await asker.ask("/api/v1/namespaces", { method: "OPTIONS" });
  const text = await figures();
  const asked = 'group="",version="v1",resource="endpoints",subresource="",removed_release=""';
  expect(figureOf(text, `apiserver_requested_deprecated_apis{${asked}}`)).toBe(1);
  const log = about("CONNECT", "pods", "resource", "log");
  expect(figureOf(text, `apiserver_request_total{${log},dry_run="",code="404"}`)).toBe(1);
  expect(text).toMatch(/apiserver_request_total\{verb="other",.*resource="namespaces"/);
});

test("watches count, whichever way they are told, until they are left", async () => {
  const series = about("WATCH", "configmaps", "namespace");
  const open = async () => figureOf(await figures(), `apiserver_longrunning_requests{${series}}`) ?? 0;
  const events = 'group="",version="v1",resource="configmaps"';
  const eventCount = async () => figureOf(await figures(), `apiserver_watch_events_total{${events}}`) ?? 0;
  await server.inProcess.create(configMaps, { kind: "ConfigMap", metadata: { name: "one", namespace: "default" } });
  const selected = `${maps}?watch=1&fieldSelector=metadata.name=one`;
  const socket = new WebSocket(`${server.url.replace("https", "wss")}${selected}`, {
    ...{ ca: server.ca, ...server.admin },
    headers: { origin: "https://dashboard.example.com" },
  });
  const [first] = (await once(socket, "message")) as [Buffer];
  const stream = await asker.begin(selected);
  const over = lines(stream, 1);
  await over;
  await vi.waitFor(async () => expect(await eventCount()).toBe(2), waitOptions);
  expect(figureOf(await figures(), `apiserver_watch_events_sizes_sum{${events}}`)).toBe(2 * first.length);
  stream.destroy();
  await vi.waitFor(async () => expect(await open()).toBe(1), waitOptions);
  socket.close();
  await vi.waitFor(async () => expect(await open()).toBe(0), waitOptions);
  const text = await figures();
  expect(figureOf(text, `apiserver_request_total{${series},dry_run="",code="101"}`)).toBe(1);
  expect(figureOf(text, `apiserver_request_total{${series},dry_run="",code="200"}`)).toBe(1);
});

test("an upgrade that is refused is counted as what it came to", async () => {
  const socket = new WebSocket(
    `${server.url.replace("https", "wss")}/api/v1/namespaces/default/pods/p/exec?command=x`,
    {
      ca: server.ca,
      ...server.admin,
    },
  );
  await once(socket, "error");
  const exec = about("CONNECT", "pods", "resource", "exec");
  await vi.waitFor(
    async () => expect(figureOf(await figures(), `apiserver_request_total{${exec},dry_run="",code="404"}`)).toBe(1),
    waitOptions,
  );
});

const slow = () => told.filter(({ message }) => message === "a slow request").map(({ fields }) => fields);

test("a request that took long says where its time went, and no other does", async () => {
  await make("quick");
  expect(slow()).toEqual([]);
  const { headers } = await make(takes.name);
  await vi.waitFor(() => expect(slow()).toHaveLength(1), waitOptions);
  const steps = ["identified", "received", "decoded", "admitted", "validated", "committed", "handled", "sent"]
    .map((step) => `${step} ${step === "committed" ? takes.ms : 0} ms`)
    .join(", ");
  const asked = { verb: "create", uri: maps, code: 201, id: headers["audit-id"] };
  expect(slow()).toEqual([{ ...asked, ms: takes.ms, steps }]);
});

test("a watch lasts, and is not slow", async () => {
  const before = slow().length;
  const stream = await asker.begin(`${maps}?watch=1&fieldSelector=metadata.name=one`);
  await lines(stream, 1);
  late += takes.ms;
  stream.destroy();
  const ended = () =>
    told.some(
      ({ message, fields }) => message === "request" && Number(fields["ms"]) >= takes.ms && fields["verb"] === "watch",
    );
  await vi.waitFor(() => expect(ended()).toBe(true), waitOptions);
  expect(slow()).toHaveLength(before);
});
