// The server over HTTP: authentication, request limits, both versions of HTTP, and watches.
import { once } from "node:events";
import { connect } from "node:http2";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { configMaps } from "../../api/core/configmaps.ts";
import { newAuthority } from "../../cli/cluster/pki.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { type RawClient, rawClientOf, json, lines, parsed } from "./raw-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
let { open, send }: Pick<RawClient, "open" | "send"> = {} as RawClient;
beforeAll(async () => {
  server = await listeningServer();
  ({ open, send } = rawClientOf(server));
});
afterAll(() => server.close());

test("anonymous requests can only read health and version", async () => {
  for (const path of ["/livez", "/readyz", "/healthz"])
    expect(await send(path, { as: "nobody" })).toMatchObject({ status: 200, text: "ok" });
  expect(parsed(await send("/version", { as: "nobody" })).gitVersion).toMatch(/^v1\.36\./);
  const rows = [
    [
      "/api/v1/pods",
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
    ],
    ["/readyz/ping", 'forbidden: User "system:anonymous" cannot get path "/readyz/ping"'],
  ] as const;
  for (const [path, message] of rows) {
    const refused = await send(path, { as: "nobody" });
    expect([path, refused.status, parsed(refused)]).toMatchObject([path, 403, { reason: "Forbidden", message }]);
  }
  const pretending = await send("/livez", { as: "nobody", headers: { authorization: "Bearer token" } });
  expect([pretending.status, parsed(pretending)]).toEqual([
    401,
    {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "Unauthorized",
      reason: "Unauthorized",
      code: 401,
    },
  ]);
});

test("a certificate of an unknown authority is refused", async () => {
  const stranger = await newAuthority("stranger", realWorld(() => {}).clock.now());
  const as = await stranger.issue({ name: "kubernetes-admin", groups: ["system:masters"], use: "client" });
  expect((await send("/api/v1/pods", { as })).status).toBe(401);
});

test("an invalid timeout is refused", async () => {
  const refused = await send("/api/v1/namespaces?timeout=abc");
  expect([refused.status, parsed(refused).message]).toEqual([
    400,
    'invalid timeout specified in the request URL - time: invalid duration "abc"',
  ]);
  expect((await send("/api/v1/namespaces?timeout=30s")).status).toBe(200);
});

test("health checks have Kubernetes' names", async () => {
  for (const path of ["/healthz", "/livez", "/readyz"]) {
    const { text } = await send(`${path}?verbose`);
    for (const name of ["ping", "etcd", "poststarthook/crd-informer-synced", "autoregister-completion"])
      expect(text.split("\n")).toContain(`[+]${name} ok`);
  }
});

test("a body above three MiB is refused", async () => {
  const map = (name: string, size: number) => JSON.stringify({ metadata: { name }, data: { a: "x".repeat(size) } });
  const path = "/api/v1/namespaces/default/configmaps";
  const large = await send(path, { method: "POST", headers: json, body: map("large", 3_200_000) });
  expect([large.status, parsed(large).reason]).toEqual([413, "RequestEntityTooLarge"]);
  const taken = await send(path, { method: "POST", headers: json, body: map("small", 900_000) });
  expect(taken.status).toBe(201);
});

test("invalid bodies are refused with a message", async () => {
  const path = "/api/v1/namespaces/default/configmaps";
  const rows = [
    ["{", json, 400, /unrecognized/],
    ["[]", json, 400, /cannot unmarshal array/],
    ["<a/>", { "content-type": "text/xml" }, 415, /unknown format/],
    ['{"kind":"Pod","metadata":{"name":"x"}}', json, 400, /Pod in version "v1" cannot be handled as a ConfigMap/],
    ['{"metadata":{"name":"x","namespace":"other"}}', json, 400, /does not match the namespace/],
    ['{"metadata":{"name":"x"},"data":{"a":1}}', json, 400, /cannot unmarshal number into Go struct field .*data/],
  ] as const;
  for (const [body, headers, status, message] of rows) {
    const response = await send(path, { method: "POST", headers, body });
    expect([body, response.status]).toEqual([body, status]);
    expect(parsed(response).message).toMatch(message);
  }
  const yaml = await send(path, {
    method: "POST",
    headers: { "content-type": "application/yaml" },
    body: "metadata: {name: fromyaml}\ndata: {a: b}\n",
  });
  expect([yaml.status, parsed(yaml).data]).toEqual([201, { a: "b" }]);
});

test("HEAD has the headers of GET without a body, over both versions of HTTP", async () => {
  const path = "/version";
  const [full, head] = [await send(path), await send(path, { method: "HEAD" })];
  const length = String(Buffer.byteLength(full.text));
  expect([head.status, head.text, head.headers["content-length"]]).toEqual([200, "", length]);
  const session = connect(server.url, { ca: server.ca, ...server.admin });
  const stream = session.request({ ":path": path, ":method": "HEAD" });
  const [headers] = (await once(stream, "response")) as [Record<string, string>];
  expect([headers[":status"], headers["content-length"], await text(stream)]).toEqual([200, length, ""]);
  session.close();
});

test("both versions of HTTP share one port", async () => {
  expect((await send("/api")).status).toBe(200);
  const session = connect(server.url, { ca: server.ca, ...server.admin });
  const stream = session.request({ ":path": "/api/v1/namespaces/default" });
  let text = "";
  for await (const chunk of stream) text += chunk;
  session.close();
  expect(JSON.parse(text).metadata.name).toBe("default");
});

test("a watch over HTTP/1.1: initial objects, events and bookmarks", async () => {
  const path = "/api/v1/namespaces/default/configmaps?watch=1&allowWatchBookmarks=true&labelSelector=watched";
  const response = await open(path);
  const received = lines(response, 5);
  const draft = { kind: "ConfigMap", metadata: { name: "w", namespace: "default", labels: { watched: "" } } } as const;
  const made = await server.inProcess.create(configMaps, draft);
  await server.inProcess.update(configMaps, { ...made, data: { a: "b" } });
  const revision = await server.inProcess.delete(configMaps, "default/w" as never);
  await server.inProcess.create(configMaps, { ...draft, metadata: { name: "other", namespace: "default" } });
  const [initial, ...events] = await received;
  expect(initial.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
  expect(events.map((e) => e.type)).toEqual(["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]);
  expect(events[2].object.metadata.resourceVersion).toBe(String(revision));
  expect(Number(events[3].object.metadata.resourceVersion)).toBeGreaterThan(revision);
});

test("a watch ends after timeoutSeconds", async () => {
  const response = await send("/api/v1/secrets?watch=1&timeoutSeconds=1");
  expect(response).toMatchObject({ status: 200, text: "" });
});

test("tables and partial object metadata", async () => {
  const asTable = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
  const table = parsed(await send("/api/v1/namespaces", { headers: asTable }));
  expect([table.kind, table.columnDefinitions.map((c: any) => c.name)]).toEqual(["Table", ["Name", "Status", "Age"]]);
  expect(table.rows[0].object.kind).toBe("PartialObjectMetadata");
  const partial = { accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io" };
  expect(Object.keys(parsed(await send("/api/v1/namespaces/default", { headers: partial })))).toEqual([
    "kind",
    "apiVersion",
    "metadata",
  ]);
});

test("a dry run returns the result and stores nothing", async () => {
  const path = "/api/v1/namespaces/default/configmaps";
  const body = JSON.stringify({ metadata: { name: "dry" } });
  expect((await send(`${path}?dryRun=All`, { method: "POST", headers: json, body })).status).toBe(201);
  expect((await send(`${path}/dry`)).status).toBe(404);
});

test("deletecollection deletes the selected objects", async () => {
  const draft = (name: string) =>
    ({ kind: "ConfigMap", metadata: { name, namespace: "default", labels: { many: "" } } }) as const;
  for (const name of ["m1", "m2", "m3"]) await server.inProcess.create(configMaps, draft(name));
  const deleted = parsed(await send("/api/v1/namespaces/default/configmaps?labelSelector=many", { method: "DELETE" }));
  expect(deleted.items.map((i: any) => i.metadata.name)).toEqual(["m1", "m2", "m3"]);
  const left = await server.inProcess.list(configMaps, { labelSelector: "many" });
  expect(left.items).toEqual([]);
});
