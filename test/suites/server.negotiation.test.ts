// How the server speaks: forms, writings and packing of what it answers, and what it says where nothing is to be had.
import { connect } from "node:http2";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { configMaps } from "../../api/core/configmaps.ts";
import { type Asker, askerOf, json, lines, parsed } from "./requests.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
let asker: Asker;
const path = "/api/v1/namespaces/default/configmaps";
beforeAll(async () => {
  server = await listeningServer();
  asker = askerOf(server);
  await server.inProcess.create(configMaps, {
    kind: "ConfigMap",
    metadata: { name: "a", namespace: "default" },
    data: { answer: "yes", large: "x".repeat(200_000) },
  });
});
afterAll(() => server.close());
const as = (form: string, version = "v1") => `application/json;as=${form};v=${version};g=meta.k8s.io`;
const ask = (at: string, accept: string) => asker.ask(at, { headers: { accept } });

test("an object, a list and an error in YAML", async () => {
  const object = await ask(`${path}/a`, "application/yaml");
  expect([object.headers["content-type"], object.text.slice(0, 42)]).toEqual([
    "application/yaml",
    'apiVersion: v1\ndata:\n  answer: "yes"\n  lar',
  ]);
  expect(parse(object.text)).toEqual(await asker.get(`${path}/a`));
  expect(parse((await ask(path, "application/yaml")).text)).toMatchObject({ kind: "ConfigMapList" });
  const missing = await ask(`${path}/b`, "application/yaml");
  expect([missing.status, parse(missing.text).reason]).toEqual([404, "NotFound"]);
});

test("lines for people: when they ask, and when their tool tells that they are some", async () => {
  const first = (text: string) => text.split("\n")[0];
  expect(first((await asker.ask(`${path}/a?pretty=true`)).text)).toBe("{");
  expect(first((await ask(`${path}/a`, "application/json;pretty=1")).text)).toBe("{");
  const curl = (query = "") => asker.ask(`${path}/b${query}`, { headers: { "user-agent": "curl/8.5.0" } });
  expect(first((await curl()).text)).toBe("{");
  expect(first((await curl("?pretty=false")).text)).toMatch(/^\{"kind":"Status"/);
  const turnedAway = await asker.ask(path, { as: "nobody", headers: { "user-agent": "curl/8.5.0" } });
  expect(first(turnedAway.text)).toBe("{");
  expect((await asker.ask(`${path}/a`)).text).toMatch(/^\{".*\}\n$/);
});

test("a table: its columns, and as much of each object as is asked for", async () => {
  const table = parsed(await ask(path, as("Table")));
  expect([table["kind"], table["apiVersion"], Object.keys(table["metadata"])]).toEqual([
    "Table",
    "meta.k8s.io/v1",
    ["resourceVersion"],
  ]);
  const [name] = table["columnDefinitions"];
  expect(name).toMatchObject({ name: "Name", type: "string", format: "name", priority: 0 });
  expect(name.description).toMatch(/^Name must be unique within a namespace/);
  const included = async (query: string) => parsed(await ask(`${path}${query}`, as("Table")))["rows"][0].object;
  expect((await included("")).kind).toBe("PartialObjectMetadata");
  expect((await included("?includeObject=")).kind).toBe("PartialObjectMetadata");
  expect((await included("?includeObject=Object")).data.answer).toBe("yes");
  expect(await included("?includeObject=None")).toBeNull();
  const wrong = await ask(`${path}?includeObject=Some`, as("Table"));
  expect([wrong.status, parsed(wrong)["message"]]).toEqual([
    400,
    `Unable to convert to Table as requested: includeObject: Invalid value: "Some": must be 'Metadata', 'Object', 'None', or empty`,
  ]);
  expect((await asker.ask(`${path}?includeObject=Some`)).status).toBe(200);
  const old = parsed(await ask(path, as("Table", "v1beta1")));
  expect([old["apiVersion"], old["rows"][0].object.apiVersion]).toEqual(["meta.k8s.io/v1beta1", "meta.k8s.io/v1beta1"]);
});

test("metadata alone, of one object or of many, is asked for by its right name", async () => {
  expect(parsed(await ask(`${path}/a`, as("PartialObjectMetadata")))).toMatchObject({
    kind: "PartialObjectMetadata",
    metadata: { name: "a" },
  });
  const list = parsed(await ask(`${path}?limit=1`, as("PartialObjectMetadataList")));
  expect([list["kind"], list["items"][0].kind]).toEqual(["PartialObjectMetadataList", "PartialObjectMetadata"]);
  const rows = [
    [path, "PartialObjectMetadata", "a list (*core.ConfigMapList)"],
    [`${path}/a`, "PartialObjectMetadataList", "not a list (*core.ConfigMap)"],
  ] as const;
  for (const [at, asked, found] of rows) {
    const refused = await ask(at, as(asked));
    const message = `you requested ${asked}, but the requested object is ${found}`;
    expect([refused.status, parsed(refused)["message"]]).toEqual([406, message]);
  }
});

test("what cannot be answered is not done", async () => {
  const body = JSON.stringify({ metadata: { name: "undone" } });
  const headers = { ...json, accept: "application/vnd.kubernetes.protobuf" };
  const refused = await asker.ask(path, { method: "POST", headers, body });
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
  expect((await asker.ask(`${path}/undone`)).status).toBe(404);
});

test("watches of tables and of metadata, and none in YAML", async () => {
  const watch = async (form: string, events: number, query = "") => {
    const response = await asker.begin(`${path}?watch=1&fieldSelector=metadata.name=a${query}`, {
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
  const later = await asker.begin(`${path}?watch=1&fieldSelector=metadata.name=young`, {
    headers: { accept: as("Table") },
  });
  await server.inProcess.create(configMaps, { kind: "ConfigMap", metadata: { name: "young", namespace: "default" } });
  // Told as it is by now: by the watch's own beginning it would be younger than nothing.
  const [name, keys, age] = (await lines(later, 1))[0].object.rows[0].cells;
  expect([name, keys]).toEqual(["young", 0]);
  expect(age).toMatch(/^\d+s$/);
  const refused = await ask(`${path}?watch=1`, "application/yaml");
  expect([refused.status, parse(refused.text).message]).toEqual([
    406,
    "only the following media types are accepted: application/json;stream=watch",
  ]);
});

test("large bodies are packed for who can unpack them, small ones and watches never", async () => {
  const headers = { "accept-encoding": "br, gzip" };
  const large = await asker.begin(path, { headers });
  expect([large.headers["content-encoding"], large.headers.vary]).toEqual(["gzip", "Accept-Encoding"]);
  const chunks: Buffer[] = [];
  for await (const chunk of large) chunks.push(chunk);
  expect(JSON.parse(gunzipSync(Buffer.concat(chunks)).toString()).items[0].data.large.length).toBe(200_000);
  const encoding = async (at: string, asked: Record<string, string>) =>
    (await asker.begin(at, { headers: asked })).headers["content-encoding"];
  expect(await encoding(path, {})).toBeUndefined();
  expect(await encoding("/api/v1/namespaces", headers)).toBeUndefined();
  expect(await encoding(`${path}?watch=1&timeoutSeconds=1`, headers)).toBeUndefined();
});

test("what a client has already is not sent again, and keeps the type it had", async () => {
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const { etag } = (await ask("/apis", accept)).headers;
  const again = await asker.ask("/apis", { headers: { accept, "if-none-match": etag! } });
  expect([again.status, again.text, again.headers["content-type"], again.headers.etag]).toEqual([
    304,
    "",
    undefined,
    etag,
  ]);
});

test("what is not there, and what may not be done", async () => {
  const nothing = { message: "the server could not find the requested resource", reason: "NotFound", details: {} };
  for (const at of [
    "/api/v1/things",
    "/api/v2/pods",
    "/apis/apps/v2/deployments",
    "/api/v1//pods",
    "/apis/apps/v1/things/x",
  ]) {
    const answer = await asker.ask(at);
    expect([at, answer.status, parsed(answer)]).toMatchObject([at, 404, nothing]);
  }
  for (const at of ["/apis/play.example.com/v1/toys", "/things", "/readyz/things", "/metrics/x"]) {
    const answer = await asker.ask(at);
    expect([at, answer.status, answer.text, answer.headers["content-type"]]).toEqual([
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
    const answer = await asker.ask(at, { method });
    expect([method, at, answer.status]).toEqual([method, at, 405]);
    if (method !== "HEAD")
      expect(parsed(answer)).toMatchObject({
        reason: "MethodNotAllowed",
        message: "the server does not allow this method on the requested resource",
        details: {},
      });
  }
  expect((await asker.ask("/api/v1/namespaces/default")).status).toBe(200);
});

test("the paths there are", async () => {
  const { paths } = await asker.get("/");
  expect(paths).toEqual(paths.toSorted());
  for (const at of ["/api", "/api/v1", "/apis/apps/v1", "/healthz/ping", "/readyz/etcd", "/metrics", "/version"])
    expect(paths).toContain(at);
});

test("health, in every detail", async () => {
  const { text } = await asker.ask("/readyz?verbose");
  const lines = text.trimEnd().split("\n");
  const hooks = lines.filter((line) => /^\[\+\](poststarthook\/|autoregister)/.test(line));
  expect(lines).toEqual([
    ...["[+]ping ok", "[+]log ok", "[+]etcd ok", "[+]etcd-readiness ok", "[+]informer-sync ok"],
    ...hooks,
    ...["[+]shutdown ok", "readyz check passed"],
  ]);
  expect(hooks).toContain("[+]poststarthook/start-system-namespaces-controller ok");
  expect((await asker.ask("/livez/etcd")).text).toBe("ok");
});

test("names are read as they are encoded, and addresses may be long", async () => {
  expect((await asker.ask(`${path}/%61`)).status).toBe(200);
  const many = Array.from({ length: 1500 }, (_, i) => `label-${i}`).join(",");
  expect((await asker.ask(`${path}?labelSelector=${encodeURIComponent(many)}`)).status).toBe(200);
  expect((await asker.ask(`${path}/${"a".repeat(5000)}`)).status).toBe(404);
  const session = connect(server.url, { ca: server.ca, ...server.admin });
  const stream = session.request({ ":path": `${path}?labelSelector=${encodeURIComponent(many)}` });
  const status = await new Promise((resolve) => stream.on("response", (headers) => resolve(headers[":status"])));
  stream.resume();
  session.close();
  expect(status).toBe(200);
});
