// The past, as it is read over HTTP and by commands: lists at a revision, how far history reaches, what objects went
// through, and only what the reader may read now.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { deployments } from "../../api/apps/deployments.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { events } from "../../api/core/events.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { secrets } from "../../api/core/secrets.ts";
import { services } from "../../api/core/services.ts";
import type { History, HistoryItem } from "../../api/explanation/history.ts";
import { type ApiObject, instant, key, ownedBy } from "../../api/meta.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { type CommandOutcome, commandOutcome } from "./command-outcome.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { rawClientOf } from "./raw-client.ts";
import { userWithRole } from "./role-user.ts";

/** A clock that tests set; what sleeps, sleeps for real. */
const real = realWorld(() => {});
let now = real.clock.now() - 3_600_000;
const world = { ...real, clock: { ...real.clock, now: () => instant(now) } };
let server: TestServer;

const labels = { app: "web" };
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: "web", image }] } });
const item = (image: string) => ({ replicas: 1, selector: { matchLabels: labels }, template: template(image) });
const patch = (r: Parameters<TestServer["inProcess"]["patch"]>[0], name: string, body: object) =>
  server.inProcess.patch(r, key("shop", name), { type: "merge", patch: body });
const revisionAfter = async (write: Promise<unknown>): Promise<number> =>
  Number(((await write) as ApiObject).metadata.resourceVersion);
const run = (line: string): Promise<CommandOutcome> => commandOutcome(line.split(" "), server.kubeconfig);

/** The revisions of what happened, by name. */
const at: Record<string, number> = {};
beforeAll(async () => {
  server = await listeningServer({ world, authorizationMode: "RBAC" });
  const { inProcess } = server;
  await inProcess.create(namespaces, { kind: "Namespace", metadata: { name: "shop" }, spec: {} });
  const metadata = { name: "web", namespace: "shop", labels };
  at["made"] = await revisionAfter(
    inProcess.create(deployments, { kind: "Deployment", metadata, spec: item("web:1") }),
  );
  const deployment = await inProcess.get(deployments, key("shop", "web"));
  const owned = { name: "web-1", namespace: "shop", labels, ownerReferences: [ownedBy(deployment)] };
  const set = await inProcess.create(replicaSets, { kind: "ReplicaSet", metadata: owned, spec: item("web:1") });
  // Its port is claimed by an entry of the log that is no object.
  const spec = { type: "NodePort", ports: [{ port: 80 }] };
  await inProcess.create(services, { kind: "Service", metadata: { name: "web", namespace: "shop" }, spec } as never);
  const config = { name: "settings", namespace: "shop" };
  await inProcess.create(configMaps, { kind: "ConfigMap", metadata: config, data: { colour: "red" } });
  const secret = { name: "key", namespace: "shop" };
  await inProcess.create(secrets, { kind: "Secret", metadata: secret, data: { token: btoa("12345") } } as never);
  now += 60_000;
  at["scaled"] = await revisionAfter(patch(deployments, "web", { spec: { replicas: 3 } }));
  await inProcess.create(events, {
    ...{ kind: "Event", metadata: { name: "web.1", namespace: "shop" }, type: "Warning", reason: "Failed" },
    ...{ message: "no room", count: 2, reportingComponent: "", reportingInstance: "" },
    involvedObject: { kind: "ReplicaSet", name: "web-1", namespace: "shop", uid: set.metadata.uid },
  } as never);
  now += 60_000;
  await patch(configMaps, "settings", { data: { colour: "blue" } });
  await patch(secrets, "key", { data: { token: btoa("1234567") } });
  at["deleted"] = await inProcess.delete(replicaSets, key("shop", "web-1"));
  at["end"] = await inProcess.revision();
  now += 60_000;
});
afterAll(() => server.close());

const get = (path: string) => rawClientOf(server).get(path);
const inShop = (plural: string, name = "", group = "/apis/apps/v1") =>
  `${group}/namespaces/shop/${plural}${name === "" ? "" : `/${name}`}`;
const historyOf = async (path: string): Promise<readonly HistoryItem[]> =>
  ((await get(`/history${path}`)) as unknown as History).items;

test("a list at a revision has what was there then", async () => {
  const then = await get(`${inShop("replicasets")}?resourceVersion=${at["scaled"]}&resourceVersionMatch=Exact`);
  expect(then["items"].map((o: ApiObject) => o.metadata.name)).toEqual(["web-1"]);
  expect(then["metadata"].resourceVersion).toBe(String(at["scaled"]));
  const one = `fieldSelector=metadata.name%3Dweb&resourceVersionMatch=Exact&resourceVersion=`;
  const replicas = async (revision: number | undefined): Promise<number> =>
    (await get(`${inShop("deployments")}?${one}${revision}`))["items"][0].spec.replicas;
  expect([await replicas(at["made"]), await replicas(at["scaled"])]).toEqual([1, 3]);
  const before = await get(`${inShop("deployments")}?${one}${at["made"]! - 1}`);
  expect(before["items"]).toEqual([]);
});

test("how far history reaches, the revision at a time, and changes by spans of time", async () => {
  const range = await get("/history/revisions?buckets=4");
  expect(range).toMatchObject({ kind: "HistoryRange", newest: { revision: at["end"] }, limits: { ageSeconds: 3600 } });
  const buckets: { from: number; to: number; changes: number }[] = range["buckets"];
  expect(buckets.map(({ from }) => from).slice(1)).toEqual(buckets.map(({ to }) => to).slice(0, -1));
  expect(buckets.reduce((sum, { changes }) => sum + changes, 0)).toBe(at["end"]! - range["oldest"].revision);
  const time = new Date(now - 150_000).toISOString();
  const point = await get(`/history/revisions?time=${time}`);
  expect(point["revision"]).toBe(at["scaled"]! - 1);
  expect((await get(`/history/revisions?revision=${at["scaled"]}`))["time"]).toBe(
    new Date(now - 120_000).toISOString(),
  );
});

test.each<[what: string, path: string, status: number, message: string]>([
  ["a time before history", "/history/revisions?time=2001-01-01T00:00:00Z", 410, "history reaches back to revision"],
  ["a revision to come", "/history/revisions?revision=999999", 504, "Too large resource version"],
  ["no time", "/history/revisions?time=noon", 400, "is not RFC 3339"],
  ["too many spans", "/history/revisions?buckets=5000", 400, "between 1 and 1000"],
  ["a span that ends before it begins", `/history${inShop("deployments", "web")}?from=5&to=4`, 400, "is after to"],
  ["a subresource", `/history${inShop("deployments", "web")}/status`, 404, "could not find the requested resource"],
  ["a kind that is not served", "/history/apis/no/v1/things/x", 404, "could not find the requested resource"],
])("refused: %s", async (_, path, status, message) => {
  const response = await rawClientOf(server).send(path);
  expect([response.status, response.text]).toEqual([status, expect.stringContaining(message)]);
});

test("the history of an object has its fields and who changed them", async () => {
  const items = await historyOf(inShop("deployments", "web"));
  expect(items.map(({ type, revision }) => [type, revision])).toEqual([
    ["ADDED", at["made"]],
    ["MODIFIED", at["scaled"]],
  ]);
  const replicas = { path: "spec.replicas", before: 1, after: 3 };
  expect(items[1]).toMatchObject({ manager: "kube-apiserver", time: new Date(now - 120_000).toISOString() });
  expect(items[1]!.changes).toContainEqual(replicas);
});

test("with what it owns, and the events about that, also when it is gone", async () => {
  const items = await historyOf(`${inShop("deployments", "web")}?related=true`);
  expect(items.map(({ type, object }) => `${type} ${object.kind}/${object.name}`)).toEqual([
    "ADDED Deployment/web",
    "ADDED ReplicaSet/web-1",
    "MODIFIED Deployment/web",
    "ADDED Event/web.1",
    "DELETED ReplicaSet/web-1",
  ]);
  const reported = { type: "Warning", reason: "Failed", message: "no room", count: 2, regarding: "ReplicaSet/web-1" };
  expect(items[3]!.event).toEqual(reported);
});

test("the values of secrets are shown by their length, unless the request is for them", async () => {
  const path = inShop("secrets", "key", "/api/v1");
  const change = async (query: string) => (await historyOf(`${path}${query}`)).at(-1)!.changes;
  expect(await change("")).toEqual([{ path: "data.token", before: "5 bytes", after: "7 bytes" }]);
  const values = { path: "data.token", before: btoa("12345"), after: btoa("1234567") };
  expect(await change("?secrets=true")).toEqual([values]);
});

test("a collection has all changes in a span, with the objects", async () => {
  const path = inShop("configmaps", "", "/api/v1");
  const items = await historyOf(`${path}?objects=true&from=${at["scaled"]}&to=${at["end"]}`);
  expect(items.map(({ version }) => (version as { data?: object }).data)).toEqual([{ colour: "blue" }]);
});

test("only who may read an object now reads its past, and nothing else with it", async () => {
  const as = await userWithRole(server, { name: "reader", namespace: "shop" }, [
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get"] },
    { apiGroups: [""], resources: ["events"], verbs: ["get"] },
  ]);
  const { send } = rawClientOf(server);
  const path = `/history${inShop("deployments", "web")}?related=true`;
  await vi.waitFor(async () => expect(await send(path, { as })).toMatchObject({ status: 200 }));
  const items: HistoryItem[] = JSON.parse((await send(path, { as })).text).items;
  expect([...new Set(items.map(({ object }) => object.kind))]).toEqual(["Deployment", "Event"]);
  const refused = await send(`/history${inShop("replicasets", "web-1")}`, { as });
  expect([refused.status, refused.text]).toEqual([
    403,
    expect.stringContaining('cannot get resource \\"replicasets\\"'),
  ]);
  const collection = await send(`/history${inShop("deployments")}`, { as });
  expect([collection.status, collection.text]).toEqual([403, expect.stringContaining("cannot list")]);
  expect(await send(path, { as: "nobody" })).toMatchObject({ status: 403 });
  expect(await send("/history/revisions", { as })).toMatchObject({ status: 200 });
  expect(await send("/history/revisions", { as: "nobody" })).toMatchObject({ status: 403 });
});

test("get --at shows objects as they were, with their ages of that time", async () => {
  const { out } = await run(`get rs -n shop --at ${at["scaled"]}`);
  expect(out).toMatch(/NAME +DESIRED +CURRENT +READY +AGE\nweb-1 +1 +0 +0 +60s\n/);
  expect((await run("get rs -n shop")).err).toContain("No resources found");
  const moment = new Date(now - 61_000).toISOString();
  expect((await run(`get deploy web -n shop -o jsonpath={.spec.replicas} --at ${moment}`)).out).toBe("3");
  expect((await run(`get deploy/web -n shop -o jsonpath={.spec.replicas} --at ${at["made"]}`)).out).toBe("1");
});
test.each<[line: string, message: string]>([
  ["get deploy web -n shop --at yesterday", '"yesterday" is no moment of the past'],
  ["get deploy web -n shop --at 2001-01-01T00:00:00Z", "is no longer kept: history reaches back to revision"],
  ["get deploy web -n shop --at 10m -w", "cannot be used with --watch"],
])("refused: orrery %s", async (line, message) => {
  const { err, code } = await run(line);
  expect([err, code]).toEqual([expect.stringContaining(message), 1]);
});
test("get --at of an object that was not there then", async () => {
  const { err } = await run(`get deploy web -n shop --at ${at["made"]! - 1}`);
  expect(err).toMatch(/deployments\.apps "web" not found at .* \(revision \d+\)/);
});

test("timeline: a line per change and event, with who and what", async () => {
  const { out } = await run("timeline deploy/web -n shop");
  const rows = out.split("\n").map((line) => line.trim().split(/ {2,}/).slice(1));
  expect(rows.slice(0, -1)).toEqual([
    ["OBJECT", "WHAT", "WHO", "DETAILS"],
    ["Deployment/web", "created", "kube-apiserver"],
    ["ReplicaSet/web-1", "created", "kube-apiserver"],
    ["Deployment/web", "changed", "kube-apiserver", "spec.replicas: 1 -> 3; metadata.generation: 1 -> 2"],
    ["ReplicaSet/web-1", "event", "kube-apiserver", "Warning Failed: no room (2 times)"],
    ["ReplicaSet/web-1", "deleted"],
  ]);
  // Written twice within a second, by which no record of fields changes.
  await patch(deployments, "web", { spec: { replicas: 4 } });
  const again = await patch(deployments, "web", { spec: { replicas: 5 } });
  const lastItems = await historyOf(`${inShop("deployments", "web")}?from=${at["end"]}`);
  expect(lastItems.map(({ manager }) => manager)).toEqual(["kube-apiserver", "kube-apiserver"]);
  expect(String(lastItems[1]!.revision)).toBe(again.metadata.resourceVersion);
  const only = await run(`timeline deploy web -n shop --no-related --since ${at["made"]} -o json`);
  expect(JSON.parse(only.out).items[0].revision).toBe(at["scaled"]);
  const secret = await run("timeline secret/key -n shop");
  expect([secret.out.includes("data.token: 5 bytes -> 7 bytes"), secret.out.includes(btoa("12345"))]).toEqual([
    ...[true, false],
  ]);
  expect((await run("timeline secret/key -n shop -o yaml")).out).toContain(btoa("12345"));
});

test("diff between moments: one object, a type, and a namespace", async () => {
  const one = await run(`diff deploy/web -n shop --at ${at["made"]}`);
  expect([one.code, one.out]).toEqual([1, expect.stringMatching(/- {2}replicas: 1\n\+ {2}replicas: 5\n/)]);
  expect(await run(`diff deploy/web -n shop --at ${at["scaled"]} --at ${at["end"]}`)).toEqual({
    ...{ code: 0, out: "", err: "" },
  });
  const all = await run(`diff -n shop --at ${at["scaled"]} --at ${at["end"]}`);
  const files = [...all.out.matchAll(/^diff .*\/(\S+)$/gm)].map(([, file]) => file);
  expect(files).toEqual(["apps.v1.ReplicaSet.shop.web-1", "v1.ConfigMap.shop.settings", "v1.Secret.shop.key"]);
  expect(all.out).toMatch(/- {2}token: '\*\*\* \(before\)'\n\+ {2}token: '\*\*\* \(after\)'/);
  expect(all.out).not.toContain(btoa("12345"));
});

test.each<[line: string, message: string, code: number]>([
  ["timeline", "say of which object", 1],
  ["timeline deploy", "no name was specified", 1],
  ["timeline deploy/web deploy/db -n shop", "a timeline is of one object", 1],
  ["diff deploy/web -n shop --at 1 --at 2 --at 3", "--at may be set twice at most", 2],
  ["diff -f x.yaml --at 1m", "leave out -f", 2],
])("refused: orrery %s", async (line, message, code) => {
  const outcome = await run(line);
  expect([outcome.err, outcome.code]).toEqual([expect.stringContaining(message), code]);
});
