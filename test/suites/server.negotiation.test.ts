// Content negotiation over HTTP: forms, serializations and compression of responses, and error responses.
import { connect } from "node:http2";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { configMaps } from "../../api/core/configmaps.ts";
import { type RawClient, rawClientOf, json, lines, parsed } from "./raw-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
let rawClient: RawClient;
const path = "/api/v1/namespaces/default/configmaps";
beforeAll(async () => {
  server = await listeningServer();
  rawClient = rawClientOf(server);
  await server.inProcess.create(configMaps, {
    kind: "ConfigMap",
    metadata: { name: "a", namespace: "default" },
    data: { answer: "yes", large: "x".repeat(200_000) },
  });
});
afterAll(() => server.close());
const as = (form: string, version = "v1") => `application/json;as=${form};v=${version};g=meta.k8s.io`;
const send = (at: string, accept: string) => rawClient.send(at, { headers: { accept } });

test("an object, a list and an error in YAML", async () => {
  const object = await send(`${path}/a`, "application/yaml");
  expect([object.headers["content-type"], object.text.slice(0, 42)]).toEqual([
    "application/yaml",
    'apiVersion: v1\ndata:\n  answer: "yes"\n  lar',
  ]);
  expect(parse(object.text)).toEqual(await rawClient.get(`${path}/a`));
  expect(parse((await send(path, "application/yaml")).text)).toMatchObject({ kind: "ConfigMapList" });
  const missing = await send(`${path}/b`, "application/yaml");
  expect([missing.status, parse(missing.text).reason]).toEqual([404, "NotFound"]);
});

test("indented JSON: with ?pretty, and for curl and browsers", async () => {
  const first = (text: string) => text.split("\n")[0];
  expect(first((await rawClient.send(`${path}/a?pretty=true`)).text)).toBe("{");
  expect(first((await send(`${path}/a`, "application/json;pretty=1")).text)).toBe("{");
  const curl = (query = "") => rawClient.send(`${path}/b${query}`, { headers: { "user-agent": "curl/8.5.0" } });
  expect(first((await curl()).text)).toBe("{");
  expect(first((await curl("?pretty=false")).text)).toMatch(/^\{"kind":"Status"/);
  const forbidden = await rawClient.send(path, { as: "nobody", headers: { "user-agent": "curl/8.5.0" } });
  expect(first(forbidden.text)).toBe("{");
  expect((await rawClient.send(`${path}/a`)).text).toMatch(/^\{".*\}\n$/);
});

test("a table: columns, and objects by includeObject", async () => {
  const table = parsed(await send(path, as("Table")));
  expect([table["kind"], table["apiVersion"], Object.keys(table["metadata"])]).toEqual([
    "Table",
    "meta.k8s.io/v1",
    ["resourceVersion"],
  ]);
  const [name] = table["columnDefinitions"];
  expect(name).toMatchObject({ name: "Name", type: "string", format: "name", priority: 0 });
  expect(name.description).toMatch(/^Name must be unique within a namespace/);
  const included = async (query: string) => parsed(await send(`${path}${query}`, as("Table")))["rows"][0].object;
  expect((await included("")).kind).toBe("PartialObjectMetadata");
  expect((await included("?includeObject=")).kind).toBe("PartialObjectMetadata");
  expect((await included("?includeObject=Object")).data.answer).toBe("yes");
  expect(await included("?includeObject=None")).toBeNull();
  const wrong = await send(`${path}?includeObject=Some`, as("Table"));
  expect([wrong.status, parsed(wrong)["message"]]).toEqual([
    400,
    `Unable to convert to Table as requested: includeObject: Invalid value: "Some": must be 'Metadata', 'Object', 'None', or empty`,
  ]);
  expect((await rawClient.send(`${path}?includeObject=Some`)).status).toBe(200);
  const old = parsed(await send(path, as("Table", "v1beta1")));
  expect([old["apiVersion"], old["rows"][0].object.apiVersion]).toEqual(["meta.k8s.io/v1beta1", "meta.k8s.io/v1beta1"]);
});

test("partial metadata of objects and lists requires the matching kind", async () => {
  expect(parsed(await send(`${path}/a`, as("PartialObjectMetadata")))).toMatchObject({
    kind: "PartialObjectMetadata",
    metadata: { name: "a" },
  });
  const list = parsed(await send(`${path}?limit=1`, as("PartialObjectMetadataList")));
  expect([list["kind"], list["items"][0].kind]).toEqual(["PartialObjectMetadataList", "PartialObjectMetadata"]);
  const rows = [
    [path, "PartialObjectMetadata", "a list (*core.ConfigMapList)"],
    [`${path}/a`, "PartialObjectMetadataList", "not a list (*core.ConfigMap)"],
  ] as const;
  for (const [at, requested, found] of rows) {
    const refused = await send(at, as(requested));
    const message = `you requested ${requested}, but the requested object is ${found}`;
    expect([refused.status, parsed(refused)["message"]]).toEqual([406, message]);
  }
});

test("a write with an unsupported Accept is refused and not executed", async () => {
  const body = JSON.stringify({ metadata: { name: "undone" } });
  const headers = { ...json, accept: "application/vnd.kubernetes.protobuf" };
  const refused = await rawClient.send(path, { method: "POST", headers, body });
  expect([refused.status, parsed(refused)]).toEqual([
    406,
    {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "only the following media types are accepted: application/json, application/yaml",
      reason: "NotAcceptable",
      code: 406,
    },
  ]);
  expect((await rawClient.send(`${path}/undone`)).status).toBe(404);
});

test("watches of tables and of metadata, and none in YAML", async () => {
  const watch = async (form: string, events: number, query = "") => {
    const response = await rawClient.open(`${path}?watch=1&fieldSelector=metadata.name=a${query}`, {
      headers: { accept: as(form) },
    });
    return [response.headers["content-type"], ...(await lines(response, events))] as any[];
  };
  const [type, event] = await watch("PartialObjectMetadata", 1);
  expect([type, event.type, event.object.kind]).toEqual(["application/json", "ADDED", "PartialObjectMetadata"]);
  const [, added, bookmark] = await watch("Table", 2, "&allowWatchBookmarks=1&includeObject=None");
  expect([added.object.columnDefinitions.length, added.object.rows[0].object]).toEqual([3, null]);
  expect([bookmark.type, bookmark.object.columnDefinitions]).toEqual(["BOOKMARK", null]);
  expect(bookmark.object.rows[0].object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
  const later = await rawClient.open(`${path}?watch=1&fieldSelector=metadata.name=young`, {
    headers: { accept: as("Table") },
  });
  await server.inProcess.create(configMaps, { kind: "ConfigMap", metadata: { name: "young", namespace: "default" } });
  // The age is computed at the time of the event: relative to the start of the watch it would be negative.
  const [name, keys, age] = (await lines(later, 1))[0].object.rows[0].cells;
  expect([name, keys]).toEqual(["young", 0]);
  expect(age).toMatch(/^\d+s$/);
  const refused = await send(`${path}?watch=1`, "application/yaml");
  expect([refused.status, parse(refused.text).message]).toEqual([
    406,
    "only the following media types are accepted: application/json;stream=watch",
  ]);
});

test("large bodies are compressed when accepted; small ones and watches are not", async () => {
  const headers = { "accept-encoding": "br, gzip" };
  const large = await rawClient.open(path, { headers });
  expect([large.headers["content-encoding"], large.headers.vary]).toEqual(["gzip", "Accept-Encoding"]);
  const chunks: Buffer[] = [];
  for await (const chunk of large) chunks.push(chunk);
  expect(JSON.parse(gunzipSync(Buffer.concat(chunks)).toString()).items[0].data.large.length).toBe(200_000);
  const encoding = async (at: string, headers: Record<string, string>) =>
    (await rawClient.open(at, { headers })).headers["content-encoding"];
  expect(await encoding(path, {})).toBeUndefined();
  expect(await encoding("/api/v1/namespaces", headers)).toBeUndefined();
  expect(await encoding(`${path}?watch=1&timeoutSeconds=1`, headers)).toBeUndefined();
});

test("a matching ETag is 304 with the same content type", async () => {
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const { etag } = (await send("/apis", accept)).headers;
  const again = await rawClient.send("/apis", { headers: { accept, "if-none-match": etag! } });
  expect([again.status, again.text, again.headers["content-type"], again.headers.etag]).toEqual([
    304,
    "",
    undefined,
    etag,
  ]);
});

test("unknown paths are 404, and unsupported methods 405", async () => {
  const nothing = { message: "the server could not find the requested resource", reason: "NotFound", details: {} };
  for (const at of [
    "/api/v1/things",
    "/api/v2/pods",
    "/apis/apps/v2/deployments",
    "/api/v1//pods",
    "/apis/apps/v1/things/x",
  ]) {
    const response = await rawClient.send(at);
    expect([at, response.status, parsed(response)]).toMatchObject([at, 404, nothing]);
  }
  for (const at of ["/apis/play.example.com/v1/toys", "/things", "/readyz/things", "/metrics/x"]) {
    const response = await rawClient.send(at);
    expect([at, response.status, response.text, response.headers["content-type"]]).toEqual([
      at,
      404,
      "404 page not found\n",
      "text/plain; charset=utf-8",
    ]);
  }
  const rows = [
    ["POST", `${path}/a`],
    ["PUT", path],
    ["PATCH", path],
    ["HEAD", path],
    ["OPTIONS", path],
    ["DELETE", "/api/v1/pods"],
    ["POST", "/api/v1/configmaps"],
    ["DELETE", "/api/v1/namespaces/default/status"],
    ["POST", `/api/v1/watch/namespaces/default/configmaps`],
  ] as const;
  for (const [method, at] of rows) {
    const response = await rawClient.send(at, { method });
    expect([method, at, response.status]).toEqual([method, at, 405]);
    if (method !== "HEAD")
      expect(parsed(response)).toMatchObject({
        reason: "MethodNotAllowed",
        message: "the server does not allow this method on the requested resource",
        details: {},
      });
  }
  expect((await rawClient.send("/api/v1/namespaces/default")).status).toBe(200);
});

test("the list of paths", async () => {
  const { paths } = await rawClient.get("/");
  expect(paths).toEqual(paths.toSorted());
  for (const at of ["/api", "/api/v1", "/apis/apps/v1", "/healthz/ping", "/readyz/etcd", "/metrics", "/version"])
    expect(paths).toContain(at);
});

test("verbose health checks", async () => {
  const { text } = await rawClient.send("/readyz?verbose");
  const lines = text.trimEnd().split("\n");
  const hooks = lines.filter((line) => /^\[\+\](poststarthook\/|autoregister)/.test(line));
  expect(lines).toEqual([
    ...["[+]ping ok", "[+]log ok", "[+]etcd ok", "[+]etcd-readiness ok", "[+]informer-sync ok"],
    ...hooks,
    ...["[+]shutdown ok", "readyz check passed"],
  ]);
  expect(hooks).toContain("[+]poststarthook/start-system-namespaces-controller ok");
  expect((await rawClient.send("/livez/etcd")).text).toBe("ok");
});

test("encoded names are decoded, and long URLs are accepted", async () => {
  expect((await rawClient.send(`${path}/%61`)).status).toBe(200);
  const many = Array.from({ length: 1500 }, (_, i) => `label-${i}`).join(",");
  expect((await rawClient.send(`${path}?labelSelector=${encodeURIComponent(many)}`)).status).toBe(200);
  expect((await rawClient.send(`${path}/${"a".repeat(5000)}`)).status).toBe(404);
  const session = connect(server.url, { ca: server.ca, ...server.admin });
  const stream = session.request({ ":path": `${path}?labelSelector=${encodeURIComponent(many)}` });
  const status = await new Promise((resolve) => stream.on("response", (headers) => resolve(headers[":status"])));
  stream.resume();
  session.close();
  expect(status).toBe(200);
});
