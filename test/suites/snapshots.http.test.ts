// A whole cluster saved in a file and restored: in the same server, in another one, and not at all from a broken file.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { configMaps } from "../../api/core/configmaps.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { services } from "../../api/core/services.ts";
import type { ConfigMap, Node, Pod, Service } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import type { Archive } from "../../apiserver/snapshots/archive.ts";
import { archivedNodes, renames } from "../../cli/snapshot/restore.ts";
import { readSnapshot, writeSnapshot } from "../../cli/snapshot/snapshot-file.ts";
import { readArchive } from "../../apiserver/snapshots/archive.ts";
import { withRenamedNodes } from "../../apiserver/snapshots/merge.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { rawClientOf } from "./raw-client.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-snapshot-"));
const file = join(folder, "one.snapshot");
let server: TestServer;
let other: TestServer;
let archive: Archive;

const configMap = (name: string, value: string) => ({
  kind: "ConfigMap" as const,
  metadata: { name, namespace: "default" },
  data: { value },
});
const nodePortService = (name: string) => ({
  kind: "Service" as const,
  metadata: { name, namespace: "default" },
  spec: { type: "NodePort" as const, ports: [{ port: 80, nodePort: 31_000 }] },
});
const textOf = async (of: TestServer, name: string): Promise<ConfigMap | undefined> =>
  of.inProcess.get<ConfigMap>(configMaps, key("default", name)).catch(() => undefined);
const postTo = (to: TestServer, text: string, query = "") =>
  rawClientOf(to).send(`/snapshot${query}`, { method: "POST", body: text });
const linesOf = (path: string): string => gunzipSync(readFileSync(path)).toString("utf8");

beforeAll(async () => {
  [server, other] = [await listeningServer(), await listeningServer()];
  await server.inProcess.create(configMaps, configMap("kept", "as it was"));
  await server.inProcess.create(configMaps, configMap("changed", "as it was"));
  await server.inProcess.create<Node>(nodes, { kind: "Node", metadata: { name: "old-node-1" }, spec: {} });
  await server.inProcess.create<Service>(services, nodePortService("web"));
  await server.inProcess.create<Pod>(pods, {
    ...{ kind: "Pod", metadata: { name: "p", namespace: "default" } },
    spec: { nodeName: "old-node-1", containers: [{ name: "c", image: "i" }] },
  });
  archive = readArchive((await rawClientOf(server).send("/snapshot")).text);
  await writeSnapshot(file, archive);
});
afterAll(async () => {
  await server.close();
  await other.close();
  rmSync(folder, { recursive: true });
});

test("a snapshot is of one revision, readable by its owner only, and read back as it was", async () => {
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await readSnapshot(file)).toEqual(archive);
  expect(archive.entries.every(({ modified }) => modified <= archive.header.revision)).toBe(true);
  expect(archivedNodes(archive)).toEqual(["old-node-1"]);
});

test("restored, objects are those of before, and what came later is gone", async () => {
  const before = { kept: await textOf(server, "kept"), changed: await textOf(server, "changed") };
  await server.inProcess.update(configMaps, { ...before.changed!, data: { value: "later" } });
  const later = await server.inProcess.create(configMaps, configMap("later", "x"));
  expect((await postTo(server, linesOf(file))).status).toBe(200);
  expect(await textOf(server, "kept")).toEqual(before.kept);
  expect(await textOf(server, "later")).toBeUndefined();
  const changed = await textOf(server, "changed");
  expect(changed).toMatchObject({ metadata: { uid: before.changed!.metadata.uid }, data: { value: "as it was" } });
  expect(Number(changed!.metadata.resourceVersion)).toBeGreaterThan(Number(later.metadata.resourceVersion));
  const watched = await rawClientOf(server).send(
    `/api/v1/configmaps?watch=1&timeoutSeconds=1&resourceVersion=${later.metadata.resourceVersion}`,
  );
  expect(watched.text).toContain("too old resource version");
  expect(await server.inProcess.create(configMaps, configMap("after", "y"))).toBeDefined();
});

const lines = (): string[] => linesOf(file).split("\n").slice(0, -1);
test.each([
  ["a line is missing", () => [...lines().slice(0, 5), ...lines().slice(6)]],
  ["the end is missing", () => lines().slice(0, -1)],
  ["a value was changed", () => lines().map((line) => line.replace("as it was", "forged"))],
  ["it is empty", () => []],
  ["it is something else", () => ['{"kind":"List"}', '{"sha256":""}']],
])("when %s, nothing changes", async (_what, broken) => {
  const at = await server.inProcess.revision();
  const text = broken().map((line) => `${line}\n`);
  const refused = await postTo(server, text.join(""));
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining("nothing was changed")]);
  expect(await server.inProcess.revision()).toBe(at);
  const path = join(folder, "broken.snapshot");
  writeFileSync(path, gzipSync(text.join("")));
  await expect(readSnapshot(path)).rejects.toThrow("nothing was changed");
  writeFileSync(path, readFileSync(file).subarray(0, -20));
  await expect(readSnapshot(path)).rejects.toThrow("nothing was changed");
});

test("in another cluster, its nodes stay and take the place of those of the archive", async () => {
  await other.inProcess.create<Node>(nodes, { kind: "Node", metadata: { name: "new-node-1" }, spec: {} });
  await other.inProcess.create<Node>(nodes, { kind: "Node", metadata: { name: "new-node-2" }, spec: {} });
  const [[before, after]] = renames(["old-node-1"], ["new-node-2", "new-node-1"]) as [readonly [string, string]];
  expect((await postTo(other, linesOf(file), `?rename=${before}:${after}`)).status).toBe(200);
  const { items } = await other.inProcess.list<Node>(nodes);
  expect(items.map(({ metadata }) => metadata.name).toSorted()).toEqual(["new-node-1", "new-node-2"]);
  const pod = await other.inProcess.get<Pod>(pods, key("default", "p"));
  expect(pod.spec.nodeName).toBe("new-node-1");
  expect(await textOf(other, "kept")).toMatchObject({ data: { value: "as it was" } });
});

test("a node port that the archive has is taken in the restored cluster", async () => {
  const second = other.inProcess.create<Service>(services, nodePortService("second"));
  await expect(second).rejects.toThrow("provided port is already allocated");
});

test("names of nodes are replaced only where a value is exactly that name", () => {
  const object = { kind: "A", metadata: { name: "x" }, spec: { on: "n1", note: "see n1", list: ["n1", "n11"] } };
  const entry = { ...archive.entries[0]!, key: "/apps/things/default/n1", value: Buffer.from(JSON.stringify(object)) };
  const [renamed] = withRenamedNodes([entry], { n1: "m1" });
  expect(renamed!.key).toBe(entry.key);
  expect(JSON.parse(Buffer.from(renamed!.value).toString()).spec).toEqual({
    ...{ on: "m1", note: "see n1", list: ["m1", "n11"] },
  });
});

test("only administrators make or restore a snapshot", async () => {
  const as = await server.authority.issue({ name: "ann", use: "client" });
  const raw = rawClientOf(server);
  expect((await raw.send("/snapshot", { as })).status).toBe(403);
  expect((await raw.send("/snapshot", { as, method: "POST", body: linesOf(file) })).status).toBe(403);
});
