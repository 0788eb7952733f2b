// Metrics under the names that dashboards use, and the log of slow requests.
import { once } from "node:events";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { configMaps } from "../../api/core/configmaps.ts";
import { instant } from "../../api/meta.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import type { Storage } from "../../apiserver/storage/storage.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { type RawClient, rawClientOf, json, lines } from "./raw-client.ts";
import { type TestServer, listeningServer } from "./listening.ts";

/** The clock is stopped, except that it advances while storage commits objects with this name. */
const takes = { name: "slow", ms: 700 };
const logged: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
let late = 0;
const world = realWorld((message, fields = {}) => void logged.push({ message, fields }));
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
let rawClient: RawClient;
beforeAll(async () => {
  server = await listeningServer({ world: { ...world, clock }, storage: storage() });
  rawClient = rawClientOf(server);
});
afterAll(() => server.close());

const waitOptions = { timeout: 20_000 };
const maps = "/api/v1/namespaces/default/configmaps";
const make = (name: string) =>
  rawClient.send(maps, { method: "POST", headers: json, body: JSON.stringify({ metadata: { name } }) });
const figures = async (): Promise<string> => (await rawClient.send("/metrics")).text;
const about = (verb: string, resource: string, scope: string, subresource = "") =>
  `verb="${verb}",group="",version="v1",resource="${resource}",subresource="${subresource}",scope="${scope}",component="apiserver"`;
/** The value of a metric. */
const metricOf = (text: string, series: string): number | undefined => {
  const line = text.split("\n").find((l) => l.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

test("storage metrics have Kubernetes' names", async () => {
  await make("first");
  const { text: read } = await rawClient.send(`${maps}/first`);
  await rawClient.send(`${maps}?dryRun=All`, { method: "POST", headers: json, body: '{"metadata":{"name":"tried"}}' });
  expect((await make("lost")).status).toBe(500);
  const text = await figures();
  const one = about("GET", "configmaps", "resource");
  expect(metricOf(text, `apiserver_response_sizes_sum{${one}}`)).toBe(read.length);
  expect(metricOf(text, `apiserver_response_sizes_bucket{le="1000",${one}}`)).toBe(1);
  expect(metricOf(text, `apiserver_request_sli_duration_seconds_count{${one}}`)).toBe(1);
  const posts = about("POST", "configmaps", "resource");
  expect(metricOf(text, `apiserver_request_sli_duration_seconds_count{${posts}}`)).toBe(2);
  expect(metricOf(text, `apiserver_response_sizes_count{${posts}}`)).toBeUndefined();
  expect(metricOf(text, 'apiserver_resource_objects{group="",resource="namespaces"}')).toBe(4);
  const creations = 'operation="create",group="",resource="configmaps"';
  expect(metricOf(text, `etcd_requests_total{${creations}}`)).toBe(2);
  expect(metricOf(text, `etcd_request_errors_total{${creations}}`)).toBe(1);
  expect(metricOf(text, `etcd_request_duration_seconds_count{${creations}}`)).toBe(2);
  expect(text).toMatch(/kubernetes_build_info\{.*git_version="v1\.36\.\d+[^"]*".*major="1",minor="36".*\} 1\n/);
});

test("deprecated APIs and CONNECT requests have their own labels", async () => {
  await rawClient.send("/api/v1/namespaces/default/endpoints");
  await rawClient.send("/api/v1/namespaces/default/pods/nobody/log");
  await rawClient.send("/api/v1/namespaces", { method: "OPTIONS" });
  const text = await figures();
  const labels = 'group="",version="v1",resource="endpoints",subresource="",removed_release=""';
  expect(metricOf(text, `apiserver_requested_deprecated_apis{${labels}}`)).toBe(1);
  const log = about("CONNECT", "pods", "resource", "log");
  expect(metricOf(text, `apiserver_request_total{${log},dry_run="",code="404"}`)).toBe(1);
  expect(text).toMatch(/apiserver_request_total\{verb="other",.*resource="namespaces"/);
});

test("watches of every transport are counted until they end", async () => {
  // The selector names one object, so the request is about a resource, as Kubernetes counts it.
  const series = about("WATCH", "configmaps", "resource");
  const open = async () => metricOf(await figures(), `apiserver_longrunning_requests{${series}}`) ?? 0;
  const events = 'group="",version="v1",resource="configmaps"';
  const eventCount = async () => metricOf(await figures(), `apiserver_watch_events_total{${events}}`) ?? 0;
  await server.inProcess.create(configMaps, { kind: "ConfigMap", metadata: { name: "one", namespace: "default" } });
  const selected = `${maps}?watch=1&fieldSelector=metadata.name=one`;
  const socket = new WebSocket(`${server.url.replace("https", "wss")}${selected}`, {
    ...{ ca: server.ca, ...server.admin },
    headers: { origin: "https://dashboard.example.com" },
  });
  const [first] = (await once(socket, "message")) as [Buffer];
  const stream = await rawClient.open(selected);
  const over = lines(stream, 1);
  await over;
  await vi.waitFor(async () => expect(await eventCount()).toBe(2), waitOptions);
  expect(metricOf(await figures(), `apiserver_watch_events_sizes_sum{${events}}`)).toBe(2 * first.length);
  stream.destroy();
  await vi.waitFor(async () => expect(await open()).toBe(1), waitOptions);
  socket.close();
  await vi.waitFor(async () => expect(await open()).toBe(0), waitOptions);
  const text = await figures();
  expect(metricOf(text, `apiserver_request_total{${series},dry_run="",code="101"}`)).toBe(1);
  expect(metricOf(text, `apiserver_request_total{${series},dry_run="",code="200"}`)).toBe(1);
});

test("a refused upgrade is counted with its status", async () => {
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
    async () => expect(metricOf(await figures(), `apiserver_request_total{${exec},dry_run="",code="404"}`)).toBe(1),
    waitOptions,
  );
});

const slow = () => logged.filter(({ message }) => message === "a slow request").map(({ fields }) => fields);

test("a slow request is logged with the duration of its steps", async () => {
  await make("quick");
  expect(slow()).toEqual([]);
  const { headers } = await make(takes.name);
  await vi.waitFor(() => expect(slow()).toHaveLength(1), waitOptions);
  const steps = ["identified", "received", "decoded", "admitted", "validated", "committed", "handled", "sent"]
    .map((step) => `${step} ${step === "committed" ? takes.ms : 0} ms`)
    .join(", ");
  const fields = { verb: "create", uri: maps, code: 201, id: headers["audit-id"] };
  expect(slow()).toEqual([{ ...fields, ms: takes.ms, steps }]);
});

test("a watch is not logged as slow", async () => {
  const before = slow().length;
  const stream = await rawClient.open(`${maps}?watch=1&fieldSelector=metadata.name=one`);
  await lines(stream, 1);
  late += takes.ms;
  stream.destroy();
  const ended = () =>
    logged.some(
      ({ message, fields }) => message === "request" && Number(fields["ms"]) >= takes.ms && fields["verb"] === "watch",
    );
  await vi.waitFor(() => expect(ended()).toBe(true), waitOptions);
  expect(slow()).toHaveLength(before);
});
