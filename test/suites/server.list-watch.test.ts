// Lists and watches over HTTP: consistent pages, expired and future revisions, and the initial events of watches.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { configMaps } from "../../api/core/configmaps.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { key } from "../../api/meta.ts";
import { type RawClient, rawClientOf, lines, parsed } from "./raw-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
let rawClient: RawClient;
let namespace = "";
let path = "";
let count = 0;
beforeAll(async () => {
  server = await listeningServer();
  rawClient = rawClientOf(server);
});
afterAll(() => server.close());
beforeEach(async () => {
  namespace = `reading-${count++}`;
  path = `/api/v1/namespaces/${namespace}/configmaps`;
  await server.inProcess.create(namespaces, { kind: "Namespace", metadata: { name: namespace }, spec: {} });
});

const make = (name: string, labels: Record<string, string> = {}) =>
  server.inProcess.create(configMaps, { kind: "ConfigMap", metadata: { name, namespace, labels } });
const names = ({ items }: Record<string, any>): string[] => items.map((i: any) => i.metadata.name);

test("an empty list is a list", async () => {
  const list = await rawClient.get(path);
  expect(list).toEqual({ kind: "ConfigMapList", apiVersion: "v1", metadata: list["metadata"], items: [] });
  expect(list["metadata"]).toEqual({ resourceVersion: expect.stringMatching(/^\d+$/) });
});

test("the pages of a list have one revision and the remaining count", async () => {
  for (const name of ["a", "b", "c", "d", "e"]) await make(name);
  const first = await rawClient.get(`${path}?limit=2`);
  await server.inProcess.delete(configMaps, key(namespace, "d"));
  await make("bb");
  const { continue: token, resourceVersion } = first["metadata"];
  const second = await rawClient.get(`${path}?limit=2&continue=${token}`);
  const third = await rawClient.get(`${path}?limit=2&continue=${second["metadata"].continue}`);
  expect([first, second, third].map(names)).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  expect([first, second, third].map((l) => l["metadata"].remainingItemCount)).toEqual([3, 1, undefined]);
  expect([second, third].map((l) => l["metadata"].resourceVersion)).toEqual([resourceVersion, resourceVersion]);
  expect(third["metadata"].continue).toBeUndefined();
  expect(JSON.parse(Buffer.from(token, "base64url").toString())).toEqual({
    v: "meta.k8s.io/v1",
    rv: Number(resourceVersion),
    start: "b\0",
  });
});

test("a page of a selection has no remaining count", async () => {
  for (const name of ["a", "b", "c"]) await make(name, { picked: name });
  const { metadata } = await rawClient.get(`${path}?limit=1&labelSelector=picked`);
  expect([typeof metadata.continue, metadata.remainingItemCount]).toEqual(["string", undefined]);
});

test("a list with an expired continue token can continue inconsistently", async () => {
  for (const name of ["a", "b", "c"]) await make(name);
  const { continue: token } = (await rawClient.get(`${path}?limit=1`))["metadata"];
  await make("d");
  await server.compact();
  const refused = await rawClient.send(`${path}?limit=1&continue=${token}`);
  expect([refused.status, parsed(refused)]).toEqual([
    410,
    {
      kind: "Status",
      apiVersion: "v1",
      metadata: { continue: expect.any(String) },
      status: "Failure",
      message: expect.stringMatching(/^The provided continue parameter is too old .* may show up in the list\.$/),
      reason: "Expired",
      code: 410,
    },
  ]);
  const next = await rawClient.get(`${path}?limit=2&continue=${parsed(refused)["metadata"].continue}`);
  expect([names(next), next["metadata"].remainingItemCount]).toEqual([["b", "c"], 1]);
  expect(names(await rawClient.get(`${path}?continue=${next["metadata"].continue}`))).toEqual(["d"]);
});

test("a list at a past, the current and a future revision", async () => {
  const then = (await make("a")).metadata.resourceVersion;
  await make("b");
  const at = (query: string) => rawClient.send(`${path}?${query}`);
  const rows = [
    ["", ["a", "b"]],
    ["resourceVersion=0", ["a", "b"]],
    [`resourceVersion=${then}`, ["a", "b"]],
    [`resourceVersion=${then}&resourceVersionMatch=NotOlderThan`, ["a", "b"]],
    [`resourceVersion=${then}&resourceVersionMatch=Exact`, ["a"]],
    [`resourceVersion=${then}&limit=5`, ["a"]],
  ] as const;
  for (const [query, expected] of rows) expect([query, names(parsed(await at(query)))]).toEqual([query, expected]);
  for (const query of ["", "&resourceVersionMatch=Exact", "&resourceVersionMatch=NotOlderThan", "&limit=1"]) {
    const early = await at(`resourceVersion=1000000000${query}`);
    expect([early.status, early.headers["retry-after"], parsed(early)]).toMatchObject([
      504,
      "1",
      {
        reason: "Timeout",
        message: expect.stringMatching(/^Timeout: Too large resource version: 1000000000, current: \d+$/),
        details: {
          retryAfterSeconds: 1,
          causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
        },
      },
    ]);
  }
  await server.compact();
  const newest = await server.inProcess.revision();
  const late = await at(`resourceVersion=${then}&resourceVersionMatch=Exact`);
  expect([late.status, parsed(late)["message"]]).toEqual([
    410,
    `The resourceVersion for the provided list is too old. History reaches back to revision ${newest}.`,
  ]);
});

test("a read of one object not older than a revision", async () => {
  const { resourceVersion } = (await make("a")).metadata;
  expect((await rawClient.send(`${path}/a?resourceVersion=${resourceVersion}`)).status).toBe(200);
  expect((await rawClient.send(`${path}/a?resourceVersion=1000000000`)).status).toBe(504);
  const wrong = await rawClient.send(`${path}/a?resourceVersion=x`);
  expect([wrong.status, Object.keys(parsed(wrong))]).toEqual([
    500,
    ["kind", "apiVersion", "metadata", "status", "message", "code"],
  ]);
});

test("invalid options and selectors are refused first", async () => {
  const rows = [
    ["?labelSelector=a=b=c", 400, "found '=', expected: ',' or 'end of string'"],
    [
      "?fieldSelector=spec.x=1",
      400,
      '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    [
      "?watch=1&fieldSelector=spec.x=1",
      400,
      '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    ["?watch=1&labelSelector=,", 400, "found ',', expected: !, identifier, or 'end of string'"],
    ["?continue=%25", 400, "invalid continue token: continue key is not valid: illegal base64 data at input byte 0"],
    [
      "?sendInitialEvents=true",
      422,
      'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list',
    ],
    [
      "?watch=1&resourceVersion=x",
      500,
      'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
    ],
    ["/a%25b", 400, "Name parameter invalid: \"a%b\": may not contain '%'"],
  ] as const;
  for (const [rest, status, message] of rows) {
    const response = await rawClient.send(path + rest);
    expect([rest, response.status, parsed(response)["message"]]).toEqual([rest, status, message]);
  }
  const { details } = await rawClient.get(`${path}?sendInitialEvents=true`);
  expect(details).toEqual({
    group: "meta.k8s.io",
    kind: "ListOptions",
    causes: [
      {
        reason: "FieldValueForbidden",
        message: "Forbidden: sendInitialEvents is forbidden for list",
        field: "sendInitialEvents",
      },
    ],
  });
  const pods = await rawClient.get("/api/v1/pods?fieldSelector=spec.color=red");
  expect(pods["message"]).toBe("field label not supported: spec.color");
});

/** The first events of a watch, as type and name. */
async function firstEvents(query: string, events: number, from = path): Promise<string[]> {
  const received = await lines(await rawClient.open(`${from}?watch=1&${query}`), events);
  return received.map(({ type, object }) => `${type} ${object.metadata?.name ?? object.message ?? ""}`.trim());
}

test("a watch begins with the current objects, new events, or the events after a revision", async () => {
  const { resourceVersion } = (await make("a")).metadata;
  await make("b");
  const match = "resourceVersionMatch=NotOlderThan";
  const rows = [
    ["", ["ADDED a", "ADDED b"]],
    ["resourceVersion=0", ["ADDED a", "ADDED b"]],
    ["allowWatchBookmarks=true", ["ADDED a", "ADDED b", "BOOKMARK"]],
    [
      `sendInitialEvents=true&${match}&allowWatchBookmarks=1&resourceVersion=${resourceVersion}`,
      ["ADDED a", "ADDED b", "BOOKMARK"],
    ],
    [`resourceVersion=${resourceVersion}`, ["ADDED b"]],
    [`sendInitialEvents=false&${match}&resourceVersion=${resourceVersion}`, ["ADDED b"]],
    ["fieldSelector=metadata.name=b", ["ADDED b"]],
  ] as const;
  for (const [query, expected] of rows)
    expect([query, await firstEvents(query, expected.length)]).toEqual([query, expected]);
  const comes = rawClient.open(`${path}?watch=1&sendInitialEvents=false&${match}`);
  const received = lines(await comes, 1);
  await make("c");
  expect((await received)[0].object.metadata.name).toBe("c");
});

test("a watch from a compacted revision is an error event, and one from a future revision waits or times out", async () => {
  const { resourceVersion } = (await make("a")).metadata;
  await make("b");
  await server.compact();
  const late = await rawClient.send(`${path}?watch=1&resourceVersion=${resourceVersion}`);
  expect([late.status, JSON.parse(late.text)]).toMatchObject([
    200,
    {
      type: "ERROR",
      object: {
        kind: "Status",
        reason: "Expired",
        code: 410,
        message: expect.stringMatching(/^too old resource version: \d+ \(\d+\)$/),
      },
    },
  ]);
  const ahead = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=1000000000";
  expect(await firstEvents(ahead, 1)).toEqual([expect.stringMatching(/^ERROR Timeout: Too large resource version/)]);
});

test("an object that leaves a selection is DELETED, one that enters is ADDED", async () => {
  const made = await make("a", { color: "red" });
  const received = lines(await rawClient.open(`${path}?watch=1&labelSelector=color=red`), 4);
  const relabel = async (object: typeof made, color: string) =>
    server.inProcess.update(configMaps, { ...object, metadata: { ...object.metadata, labels: { color } } });
  const green = await relabel(made, "green");
  const red = await relabel(green, "red");
  const at = await server.inProcess.delete(configMaps, key(namespace, "a"));
  const events = await received;
  expect(events.map((e) => [e.type, e.object.metadata.labels.color, e.object.metadata.resourceVersion])).toEqual([
    ["ADDED", "red", made.metadata.resourceVersion],
    ["DELETED", "red", green.metadata.resourceVersion],
    ["ADDED", "red", red.metadata.resourceVersion],
    ["DELETED", "red", String(at)],
  ]);
});

test("deprecated watch paths", async () => {
  await make("a");
  await make("b");
  const old = "/api/v1/watch";
  expect(await firstEvents("", 2, `${old}/namespaces/${namespace}/configmaps`)).toEqual(["ADDED a", "ADDED b"]);
  expect(await firstEvents("", 1, `${old}/namespaces/${namespace}/configmaps/b`)).toEqual(["ADDED b"]);
  expect(await firstEvents("", 1, `${old}/namespaces/${namespace}`)).toEqual([`ADDED ${namespace}`]);
  const other = await rawClient.send(`${old}/namespaces/${namespace}/configmaps/b?fieldSelector=metadata.name=a`);
  expect([other.status, parsed(other)["message"]]).toEqual([
    400,
    "fieldSelector metadata.name doesn't match requested name",
  ]);
});

test("a watch sends a bookmark before it ends", async () => {
  const began = performance.now();
  const { text } = await rawClient.send(`${path}?watch=1&allowWatchBookmarks=1&timeoutSeconds=3`);
  const [initial, ...later] = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(initial.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
  expect(later.at(-1).type).toBe("BOOKMARK");
  expect(performance.now() - began).toBeGreaterThan(2900);
});
