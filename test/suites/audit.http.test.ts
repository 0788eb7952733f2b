// Audit over HTTP: the events of requests, as lines of the log.
import { request } from "node:https";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { readAuditPolicy } from "../../apiserver/audit/policy.ts";
import { jsonClientOf } from "./json-client.ts";
import { type ListeningOptions, listeningServer } from "./listening.ts";

type Event = Readonly<Record<string, any>>;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server with these rules. `events` stops it and returns what it has recorded. */
async function auditedServer(rules: string, options: ListeningOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "orrery-audit-"));
  const path = join(folder, "audit.log");
  const policy = readAuditPolicy(`apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n${rules}`);
  const log = { path, maxSizeMiB: 100, maxBackups: 0, maxAgeDays: 0 };
  const server = await listeningServer({ ...options, audit: { policy, log } });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (!isClosed) await server.close();
    isClosed = true;
  };
  closing.push(async () => {
    await close();
    rmSync(folder, { recursive: true });
  });
  const events = async (): Promise<readonly Event[]> => {
    await close();
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line) as Event);
  };
  return { server, events, send: jsonClientOf(server) };
}
const configMaps = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string, data: object = {}): object => ({ metadata: { name }, data });

test("a request is recorded when it arrives and when it is over", async () => {
  const { send, events } = await auditedServer("- {level: Metadata, resources: [{resources: [configmaps]}]}");
  const headers = { "user-agent": "tests/1.0", "audit-id": "of-the-client" };
  const created = await send("POST", configMaps, configMap("c", { secret: "s" }), headers);
  expect(created.status).toBe(201);
  await send("GET", "/api/v1/namespaces/default/secrets");
  const [received, complete, ...more] = await events();
  expect(more).toEqual([]);
  expect(Object.keys(complete!)).toEqual([
    ...["kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "user", "sourceIPs", "userAgent"],
    ...["objectRef", "responseStatus", "requestReceivedTimestamp", "stageTimestamp", "annotations"],
  ]);
  expect(complete).toMatchObject({
    ...{ kind: "Event", apiVersion: "audit.k8s.io/v1", level: "Metadata", stage: "ResponseComplete" },
    ...{ auditID: "of-the-client", requestURI: configMaps, verb: "create", userAgent: "tests/1.0" },
    user: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
    sourceIPs: ["127.0.0.1"],
    objectRef: { resource: "configmaps", namespace: "default", name: "c", apiVersion: "v1" },
    responseStatus: { metadata: {}, code: 201 },
    annotations: { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
  });
  expect(complete!["stageTimestamp"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  expect(received).toMatchObject({ stage: "RequestReceived", auditID: "of-the-client" });
  expect(received!["stageTimestamp"]).toBe(received!["requestReceivedTimestamp"]);
  for (const absent of ["responseStatus", "annotations", "requestObject"]) expect(received).not.toHaveProperty(absent);
});

test("levels record the objects of requests and responses, without managed fields where the policy says so", async () => {
  const { send, events } = await auditedServer(
    "- {level: Request, verbs: [create, patch], omitStages: [RequestReceived]}\n- {level: RequestResponse, verbs: [get, list], resources: [{resources: [configmaps]}], omitStages: [RequestReceived], omitManagedFields: true}",
  );
  await send("POST", configMaps, configMap("c", { a: "1" }));
  await send("PATCH", `${configMaps}/c`, { data: { a: "2" } }, { "content-type": "application/merge-patch+json" });
  await send("GET", `${configMaps}/c`);
  await send("GET", configMaps);
  const [created, patched, read, listed] = await events();
  expect(created).toMatchObject({ requestObject: configMap("c", { a: "1" }) });
  expect(created).not.toHaveProperty("responseObject");
  expect(patched).toMatchObject({ verb: "patch", requestObject: { data: { a: "2" } } });
  expect(read).toMatchObject({ responseObject: { kind: "ConfigMap", data: { a: "2" } } });
  expect(read!["responseObject"].metadata).not.toHaveProperty("managedFields");
  const item = listed!["responseObject"].items.find((i: Event) => i["metadata"].name === "c");
  expect(item).toMatchObject({ data: { a: "2" } });
  expect(item["metadata"]).not.toHaveProperty("managedFields");
});

test("refusals are recorded with their status", async () => {
  const { send, events } = await auditedServer("- {level: Metadata, omitStages: [RequestReceived]}", {
    authorizationMode: "RBAC",
  });
  await send("GET", `${configMaps}/none`);
  await send("GET", `${configMaps}/none`, undefined, { "impersonate-user": "eve", "impersonate-group": "dev" });
  const [missing, forbidden] = await events();
  expect(missing!["responseStatus"]).toEqual({
    ...{ metadata: {}, status: "Failure", message: 'configmaps "none" not found', reason: "NotFound" },
    ...{ details: { name: "none", kind: "configmaps" }, code: 404 },
  });
  expect(missing!["user"].username).toBe("kubernetes-admin");
  expect(forbidden).toMatchObject({
    user: { username: "kubernetes-admin" },
    impersonatedUser: { username: "eve", groups: ["dev", "system:authenticated"] },
    responseStatus: { code: 403, reason: "Forbidden" },
    annotations: { "authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "" },
  });
});

test("invalid credentials are recorded once, without a user", async () => {
  const { server, events } = await auditedServer("- {level: Metadata}");
  const status = await new Promise((resolve, reject) => {
    const headers = { authorization: "Bearer forged" };
    request(`${server.url}/api/v1/nodes`, { ca: server.ca, headers }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(401);
  expect(await events()).toMatchObject([
    {
      ...{ stage: "ResponseStarted", user: {}, verb: "list" },
      responseStatus: { code: 401, message: "Authentication failed, attempted: bearer" },
    },
  ]);
});

test("a watch is recorded when it begins, too; nothing a client sends makes another line", async () => {
  const { send, events } = await auditedServer("- {level: RequestResponse, verbs: [watch, create]}");
  await send("GET", `${configMaps}?watch=1&timeoutSeconds=1`, undefined, { "user-agent": '"}{"kind":"Event"' });
  await send("POST", configMaps, configMap("c", { a: '\n{"kind":"Event","user":{"username":"forged"}}\r\n' }));
  const all = await events();
  expect(all.map(({ verb, stage }) => `${verb} ${stage}`)).toEqual([
    ...["watch RequestReceived", "watch ResponseStarted", "watch ResponseComplete"],
    ...["create RequestReceived", "create ResponseComplete"],
  ]);
  expect(all.every(({ user }) => user.username === "kubernetes-admin")).toBe(true);
});

test("a session is recorded as a request that lasts", async () => {
  const { server, events } = await auditedServer("- {level: Metadata, resources: [{resources: [pods/exec]}]}");
  const path = "/api/v1/namespaces/default/pods/none/exec?command=ls&stdout=true";
  const headers = { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io" };
  const status = await new Promise((resolve, reject) => {
    request(`${server.url}${path}`, { ca: server.ca, ...server.admin, headers, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(404);
  const all = await events();
  expect(all.map(({ stage }) => stage)).toEqual(["RequestReceived", "ResponseStarted", "ResponseComplete"]);
  expect(all.at(-1)).toMatchObject({
    ...{ verb: "get", requestURI: path, responseStatus: { code: 404 } },
    objectRef: { resource: "pods", namespace: "default", name: "none", subresource: "exec" },
  });
});

test("admission adds annotations", async () => {
  const { send, events } = await auditedServer(
    "- {level: Metadata, verbs: [create], resources: [{resources: [pods]}], omitStages: [RequestReceived]}",
  );
  const labels = { "pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/audit": "baseline" };
  await send("POST", "/api/v1/namespaces", { metadata: { name: "n", labels } });
  await send("POST", "/api/v1/namespaces/n/serviceaccounts", { metadata: { name: "default" } });
  const spec = { hostPID: true, containers: [{ name: "c", image: "i" }] };
  const { status } = await send("POST", "/api/v1/namespaces/n/pods", { metadata: { name: "p" }, spec });
  expect(status).toBe(403);
  expect((await events())[0]!["annotations"]).toMatchObject({
    "pod-security.kubernetes.io/enforce-policy": "baseline:latest",
    "pod-security.kubernetes.io/audit-violations":
      'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)',
  });
});
