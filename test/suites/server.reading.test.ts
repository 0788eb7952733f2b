// Lists and watches as they are on the wire: pages of one moment, moments that are gone or not yet, and what a watch
// begins with.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { configMaps } from "../../api/core/configmaps.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { key } from "../../api/meta.ts";
import { type Asker, askerOf, lines, parsed } from "./requests.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
let asker: Asker;
let namespace = "";
let path = "";
let count = 0;
beforeAll(async () => {
  server = await listeningServer();
  asker = askerOf(server);
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
  const list = await asker.get(path);
  expect(list).toEqual({ kind: "ConfigMapList", apiVersion: "v1", metadata: list["metadata"], items: [] });
  expect(list["metadata"]).toEqual({ resourceVersion: expect.stringMatching(/^\d+$/) });
});

test("the pages of a list show one moment, and say how much is left", async () => {
  for (const name of ["a", "b", "c", "d", "e"]) await make(name);
  const first = await asker.get(`${path}?limit=2`);
  await server.inProcess.delete(configMaps, key(namespace, "d"));
  await make("bb");
  const { continue: token, resourceVersion } = first["metadata"];
  const second = await asker.get(`${path}?limit=2&continue=${token}`);
  const third = await asker.get(`${path}?limit=2&continue=${second["metadata"].continue}`);
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

test("how much is left of a selection nobody knows", async () => {
  for (const name of ["a", "b", "c"]) await make(name, { picked: name });
  const { metadata } = await asker.get(`${path}?limit=1&labelSelector=picked`);
  expect([typeof metadata.continue, metadata.remainingItemCount]).toEqual(["string", undefined]);
});

test("a list whose moment is forgotten may go on in the present", async () => {
  for (const name of ["a", "b", "c"]) await make(name);
  const { continue: token } = (await asker.get(`${path}?limit=1`))["metadata"];
  await make("d");
  await server.compact();
  const refused = await asker.ask(`${path}?limit=1&continue=${token}`);
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
  const next = await asker.get(`${path}?limit=2&continue=${parsed(refused)["metadata"].continue}`);
  expect([names(next), next["metadata"].remainingItemCount]).toEqual([["b", "c"], 1]);
  expect(names(await asker.get(`${path}?continue=${next["metadata"].continue}`))).toEqual(["d"]);
});

test("a list as it was, as it is, and as nobody knows yet", async () => {
  const then = (await make("a")).metadata.resourceVersion;
  await make("b");
  const at = (query: string) => asker.ask(`${path}?${query}`);
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
  const late = await at(`resourceVersion=${then}&resourceVersionMatch=Exact`);
  expect([late.status, parsed(late)["message"]]).toEqual([
    410,
    "The resourceVersion for the provided list is too old.",
  ]);
});

test("one object, and the moment it must not be older than", async () => {
  const { resourceVersion } = (await make("a")).metadata;
  expect((await asker.ask(`${path}/a?resourceVersion=${resourceVersion}`)).status).toBe(200);
  expect((await asker.ask(`${path}/a?resourceVersion=1000000000`)).status).toBe(504);
  const wrong = await asker.ask(`${path}/a?resourceVersion=x`);
  expect([wrong.status, Object.keys(parsed(wrong))]).toEqual([
    500,
    ["kind", "apiVersion", "metadata", "status", "message", "code"],
  ]);
});

test("options and selectors that make no sense are refused before anything else", async () => {
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
    const answer = await asker.ask(path + rest);
    expect([rest, answer.status, parsed(answer)["message"]]).toEqual([rest, status, message]);
  }
  const { details } = await asker.get(`${path}?sendInitialEvents=true`);
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
  const pods = await asker.get("/api/v1/pods?fieldSelector=spec.color=red");
  expect(pods["message"]).toBe("field label not supported: spec.color");
});

/** What a watch says first: the type of each event, and the name it is about. */
async function says(query: string, events: number, from = path): Promise<string[]> {
  const heard = await lines(await asker.begin(`${from}?watch=1&${query}`), events);
  return heard.map(({ type, object }) => `${type} ${object.metadata?.name ?? object.message ?? ""}`.trim());
}

test("a watch begins with what there is, what comes, or what came after", async () => {
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
  for (const [query, expected] of rows) expect([query, await says(query, expected.length)]).toEqual([query, expected]);
  const comes = asker.begin(`${path}?watch=1&sendInitialEvents=false&${match}`);
  const heard = lines(await comes, 1);
  await make("c");
  expect((await heard)[0].object.metadata.name).toBe("c");
});

test("a watch from a past that is forgotten says so in its stream, and one from the future waits or gives up", async () => {
  const { resourceVersion } = (await make("a")).metadata;
  await make("b");
  await server.compact();
  const late = await asker.ask(`${path}?watch=1&resourceVersion=${resourceVersion}`);
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
  expect(await says(ahead, 1)).toEqual([expect.stringMatching(/^ERROR Timeout: Too large resource version/)]);
});

test("who leaves a selection is deleted from it, who enters is added", async () => {
  const made = await make("a", { color: "red" });
  const heard = lines(await asker.begin(`${path}?watch=1&labelSelector=color=red`), 4);
  const relabel = async (object: typeof made, color: string) =>
    server.inProcess.update(configMaps, { ...object, metadata: { ...object.metadata, labels: { color } } });
  const green = await relabel(made, "green");
  const red = await relabel(green, "red");
  const at = await server.inProcess.delete(configMaps, key(namespace, "a"));
  const events = await heard;
  expect(events.map((e) => [e.type, e.object.metadata.labels.color, e.object.metadata.resourceVersion])).toEqual([
    ["ADDED", "red", made.metadata.resourceVersion],
    ["DELETED", "red", green.metadata.resourceVersion],
    ["ADDED", "red", red.metadata.resourceVersion],
    ["DELETED", "red", String(at)],
  ]);
});

test("the old paths of watches", async () => {
  await make("a");
  await make("b");
  const old = "/api/v1/watch";
  expect(await says("", 2, `${old}/namespaces/${namespace}/configmaps`)).toEqual(["ADDED a", "ADDED b"]);
  expect(await says("", 1, `${old}/namespaces/${namespace}/configmaps/b`)).toEqual(["ADDED b"]);
  expect(await says("", 1, `${old}/namespaces/${namespace}`)).toEqual([`ADDED ${namespace}`]);
  const other = await asker.ask(`${old}/namespaces/${namespace}/configmaps/b?fieldSelector=metadata.name=a`);
  expect([other.status, parsed(other)["message"]]).toEqual([
    400,
    "fieldSelector metadata.name doesn't match requested name",
  ]);
});

test("a watch that has to end says before how far history has come", async () => {
  const began = performance.now();
  const { text } = await asker.ask(`${path}?watch=1&allowWatchBookmarks=1&timeoutSeconds=3`);
  const [initial, ...later] = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(initial.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
  expect(later.at(-1).type).toBe("BOOKMARK");
  expect(performance.now() - began).toBeGreaterThan(2900);
});
