// The contract between the scheduler and its extenders, over HTTP on a real port: what is sent, and what becomes of a
// pod by each response. Source: the Go module k8s.io/kube-scheduler, package extender/v1.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { conditionOf } from "../../api/core/pod/status.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import type { Pod } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import { priorityClasses } from "../../api/scheduling/priorityclasses.ts";
import { clusterRegistry } from "../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import { newAuthority } from "../../cli/cluster/pki.ts";
import { parseSchedulerConfig } from "../../cli/scheduler-config.ts";
import type { Client } from "../../machinery/client.ts";
import { informer } from "../../machinery/informer.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { schedulerOptions } from "../../scheduler/configuration/settings.ts";
import { runScheduler } from "../../scheduler/scheduler.ts";

const world = realWorld(() => {});
interface Call {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}
/** A response: an object sent as JSON, a status, or nothing at all. */
type Respond = (call: Call) => object | number | undefined;
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function receive(request: IncomingMessage, response: ServerResponse, calls: Call[], respond: Respond) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const call = { path: request.url!, body: JSON.parse(Buffer.concat(chunks).toString()) };
  calls.push(call);
  const result = respond(call);
  if (result === undefined) return;
  if (typeof result === "number") response.writeHead(result).end();
  else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result));
}
async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
/** An extender over HTTP: its address, and the calls it got. */
async function extender(respond: Respond) {
  const calls: Call[] = [];
  const server = createHttpServer((request, response) => void receive(request, response, calls, respond));
  return { url: `http://127.0.0.1:${await listening(server)}/api`, calls };
}

interface NodeDraft {
  readonly name: string;
  readonly cpu?: string;
}
/** A scheduler with these extenders and nodes. */
async function cluster(extenders: string, drafts: readonly NodeDraft[] = [{ name: "a" }, { name: "b" }]) {
  const client = inProcessClient(
    clusterRegistry(memoryStorage(), world, { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } }),
  );
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "default" } } as never);
  await client.create(serviceAccounts, { kind: "ServiceAccount", metadata: { name: "default", namespace: "default" } });
  for (const { name, cpu = "4" } of drafts) {
    const status = { allocatable: { cpu, memory: "8Gi", pods: "10" } };
    const node = await client.create(nodes, { kind: "Node", metadata: { name }, spec: {}, status });
    await client.update(nodes, { ...node, spec: { ...node.spec, taints: [] } });
  }
  const stop = new AbortController();
  const views = { pods: informer(client, pods, world), nodes: informer(client, nodes, world) };
  const configuration = parseSchedulerConfig(
    `apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nextenders: [${extenders}]`,
  );
  const parts = [
    views.pods.run(stop.signal),
    views.nodes.run(stop.signal),
    runScheduler(views, client, world, schedulerOptions(configuration, world.clock), stop.signal),
  ];
  cleanups.push(async () => {
    stop.abort(new Error("the test is over"));
    await Promise.allSettled(parts);
  });
  return client;
}

const start = (client: Client, name: string, spec: object = {}, requests: object = {}): Promise<Pod> =>
  client.create(pods, {
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: { containers: [{ name: "c", image: "a:1", resources: { requests, limits: requests } }], ...spec },
  } as never);
const read = (client: Client, name: string): Promise<Pod> => client.get(pods, key("default", name));
const until = <T>(look: () => Promise<T>): Promise<T> => vi.waitFor(look, { timeout: 10_000, interval: 5 });
const nodeOf = (client: Client, name: string): Promise<string> =>
  until(async () => {
    const { spec } = await read(client, name);
    if (!spec.nodeName) throw new Error(`${name} has no node`);
    return spec.nodeName;
  });
/** Reason and message of a pod that is not scheduled. */
const rejectionOf = (client: Client, name: string): Promise<readonly (string | undefined)[]> =>
  until(async () => {
    const condition = conditionOf((await read(client, name)).status?.conditions, "PodScheduled");
    if (condition?.status !== "False") throw new Error(`${name} is not rejected`);
    return [condition.reason, condition.message];
  });
const names = (call: Call | undefined): readonly string[] => (call?.body["NodeNames"] ?? []) as readonly string[];

test("filter: an extender with its own view of nodes gets names, and what it leaves is chosen from", async () => {
  const { url, calls } = await extender(() => ({ NodeNames: ["b"], FailedNodes: { a: "no room" } }));
  const client = await cluster(`{urlPrefix: '${url}/', filterVerb: filter, nodeCacheCapable: true}`);
  await start(client, "p");
  expect(await nodeOf(client, "p")).toBe("b");
  expect(calls).toMatchObject([{ path: "/api/filter", body: { Pod: { metadata: { name: "p" } }, Nodes: null } }]);
  expect(names(calls[0]).toSorted()).toEqual(["a", "b"]);
});

test("filter: another one gets the nodes; field names are read without regard to case", async () => {
  const { url, calls } = await extender(({ body }) => {
    const { items } = body["Nodes"] as { items: readonly { metadata: { name: string } }[] };
    return { nodes: { items: items.filter(({ metadata }) => metadata.name === "b") } };
  });
  const client = await cluster(`{urlPrefix: '${url}', filterVerb: filter}`);
  await start(client, "p");
  expect(await nodeOf(client, "p")).toBe("b");
  expect(calls[0]!.body).toMatchObject({ NodeNames: null, Nodes: { items: [{ spec: {} }, { spec: {} }] } });
});

test("filter: the reasons are part of the message; a node dropped without one is not counted", async () => {
  const { url } = await extender(() => ({
    NodeNames: [],
    FailedNodes: { a: "too hot", b: "overridden" },
    FailedAndUnresolvableNodes: { b: "no GPU" },
  }));
  const drafts = [{ name: "a" }, { name: "b" }, { name: "c" }, { name: "d", cpu: "0" }];
  const client = await cluster(`{urlPrefix: '${url}', filterVerb: filter, nodeCacheCapable: true}`, drafts);
  await start(client, "p", {}, { cpu: "1" });
  expect(await rejectionOf(client, "p")).toEqual([
    "Unschedulable",
    "0/4 nodes are available: 1 Insufficient cpu, 1 no GPU, 1 too hot. no new claims to deallocate, preemption: 0/4 nodes are available: 1 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.",
  ]);
});

test("filter: every change may help a pod that an extender rejected", async () => {
  let isOpen = false;
  const { url } = await extender(({ body }) => ({ NodeNames: isOpen ? body["NodeNames"] : [] }));
  const client = await cluster(`{urlPrefix: '${url}', filterVerb: filter, nodeCacheCapable: true}`);
  await start(client, "p");
  await rejectionOf(client, "p");
  isOpen = true;
  const node = await client.get(nodes, key(undefined, "a"));
  await client.update(nodes, { ...node, metadata: { ...node.metadata, labels: { x: "y" } } });
  expect(["a", "b"]).toContain(await nodeOf(client, "p"));
});

test("filter: extenders are called in turn, each with what the one before left", async () => {
  const first = await extender(() => ({ NodeNames: ["a", "b"] }));
  const second = await extender(() => ({ NodeNames: ["a"] }));
  const one = `{urlPrefix: '${first.url}', filterVerb: f, nodeCacheCapable: true}`;
  const two = `{urlPrefix: '${second.url}', filterVerb: f, nodeCacheCapable: true}`;
  const client = await cluster(`${one}, ${two}`, [{ name: "a" }, { name: "b" }, { name: "c" }]);
  await start(client, "p");
  expect(await nodeOf(client, "p")).toBe("a");
  expect(names(second.calls[0])).toEqual(["a", "b"]);
});

test("prioritize: scores of 0 to 10 are weighted and added to those of plugins", async () => {
  const { url, calls } = await extender(() => [
    { Host: "a", Score: 0 },
    { Host: "b", Score: 1 },
  ]);
  const nodeWith = async (weight: number): Promise<string> => {
    const client = await cluster(
      `{urlPrefix: '${url}', prioritizeVerb: score, weight: ${weight}, nodeCacheCapable: true}`,
    );
    // The plugins prefer the other node.
    await start(client, "there", { nodeName: "b" }, { cpu: "3", memory: "6Gi" });
    await start(client, "p");
    return nodeOf(client, "p");
  };
  expect(await nodeWith(1)).toBe("a");
  expect(await nodeWith(100)).toBe("b");
  expect(calls.map(({ path }) => path)).toEqual(["/api/score", "/api/score"]);
});

test("prioritize: an error is no obstacle", async () => {
  const { url } = await extender(() => 500);
  const client = await cluster(`{urlPrefix: '${url}', prioritizeVerb: score, weight: 1}`);
  await start(client, "p");
  expect(["a", "b"]).toContain(await nodeOf(client, "p"));
});

test("bind: the extender binds instead of the scheduler", async () => {
  let client: Client;
  const { url, calls } = await extender(({ body }) => {
    void read(client, String(body["PodName"])).then((pod) =>
      client.update(pods, { ...pod, spec: { ...pod.spec, nodeName: "b" } }, "binding"),
    );
    return {};
  });
  client = await cluster(`{urlPrefix: '${url}', bindVerb: bind}`, [{ name: "b" }]);
  const { metadata } = await start(client, "p");
  expect(await nodeOf(client, "p")).toBe("b");
  expect(calls).toEqual([
    { path: "/api/bind", body: { PodName: "p", PodNamespace: "default", PodUID: metadata.uid, Node: "b" } },
  ]);
});

test("bind: the pod gets the extender's error, and is tried again", async () => {
  let attempts = 0;
  const { url } = await extender(() => (attempts++ === 0 ? { Error: "no volume" } : 500));
  const client = await cluster(`{urlPrefix: '${url}', bindVerb: bind}`);
  await start(client, "p");
  expect(await rejectionOf(client, "p")).toEqual(["SchedulerError", "no volume"]);
  await until(async () => expect(attempts).toBeGreaterThan(1));
});

test.each<[string, Respond, (url: string) => string]>([
  ["a status", () => 503, (url) => `failed filter with extender at URL ${url}/filter, code 503`],
  ["an error", () => ({ Error: "out of order" }), () => "out of order"],
  [
    "a node that was not sent",
    () => ({ NodeNames: ["z"] }),
    (url) => `extender "${url}" claims a filtered node "z" which is not found in the input node list`,
  ],
  [
    "no response",
    () => undefined,
    (url) => `Post "${url}/filter": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
  ],
])("failure by %s: the pod gets the error, unless it is ignored", async (_, respond, message) => {
  const { url } = await extender(respond);
  const config = `urlPrefix: '${url}', filterVerb: filter, nodeCacheCapable: true, httpTimeout: 100ms`;
  const strict = await cluster(`{${config}}`);
  await start(strict, "p");
  expect(await rejectionOf(strict, "p")).toEqual(["SchedulerError", message(url)]);
  const lenient = await cluster(`{${config}, ignorable: true}`);
  await start(lenient, "p");
  expect(["a", "b"]).toContain(await nodeOf(lenient, "p"));
});

test("failure by a refused connection", async () => {
  const server = createHttpServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  const client = await cluster(`{urlPrefix: 'http://127.0.0.1:${port}', filterVerb: filter}`);
  await start(client, "p");
  expect(await rejectionOf(client, "p")).toEqual([
    "SchedulerError",
    `Post "http://127.0.0.1:${port}/filter": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  ]);
});

test("managed resources: only pods that request one are sent, and the scheduler does not count what it ignores", async () => {
  const { url, calls } = await extender(({ body }) => ({ NodeNames: body["NodeNames"] }));
  const managed = "managedResources: [{name: example.com/gpu, ignoredByScheduler: true}]";
  const client = await cluster(`{urlPrefix: '${url}', filterVerb: filter, nodeCacheCapable: true, ${managed}}`);
  await start(client, "plain");
  await nodeOf(client, "plain");
  expect(calls).toEqual([]);
  await start(client, "gpu", {}, { "example.com/gpu": "1" });
  expect(["a", "b"]).toContain(await nodeOf(client, "gpu"));
  expect(calls.length).toBe(1);
});

test("preempt: pods leave only a node that the extender agrees to", async () => {
  const { url, calls } = await extender(({ body }) => {
    const [[node, victims] = ["", {}]] = Object.entries(body["NodeNameToMetaVictims"] as object);
    const { metadata } = body["Pod"] as Pod;
    return { NodeNameToMetaVictims: node === "b" && metadata.name === "high" ? { b: victims } : {} };
  });
  const client = await cluster(`{urlPrefix: '${url}', preemptVerb: preempt, nodeCacheCapable: true}`);
  await start(client, "low-1", { terminationGracePeriodSeconds: 0 }, { cpu: "3" });
  await start(client, "low-2", { terminationGracePeriodSeconds: 0 }, { cpu: "3" });
  const places = { [await nodeOf(client, "low-1")]: "low-1", [await nodeOf(client, "low-2")]: "low-2" };
  expect(Object.keys(places).toSorted()).toEqual(["a", "b"]);
  await client.create(priorityClasses, { kind: "PriorityClass", metadata: { name: "urgent" }, value: 10 });
  await start(client, "refused", { priorityClassName: "urgent" }, { cpu: "3" });
  expect(await rejectionOf(client, "refused")).toEqual([
    "Unschedulable",
    "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: no candidate node for preemption",
  ]);
  await start(client, "high", { priorityClassName: "urgent" }, { cpu: "3" });
  expect(await nodeOf(client, "high")).toBe("b");
  expect(await nodeOf(client, places["a"]!)).toBe("a");
  const own = calls.filter(({ body }) => (body["Pod"] as Pod).metadata.name === "high");
  expect(own.at(-1)!.body).toMatchObject({
    NodeNameToVictims: null,
    NodeNameToMetaVictims: { b: { Pods: [{ UID: expect.any(String) }], NumPDBViolations: 0 } },
  });
});

test("HTTPS: the certificate is verified by the authority in the configuration", async () => {
  const authority = await newAuthority("extenders", world.clock.now());
  const own = await authority.issue({ name: "extender", hosts: ["127.0.0.1"], use: "server" });
  const calls: Call[] = [];
  const server = createHttpsServer(
    { cert: own.cert, key: own.key },
    (request, response) => void receive(request, response, calls, () => ({ NodeNames: ["b"] })),
  );
  const url = `https://127.0.0.1:${await listening(server)}`;
  const config = `urlPrefix: '${url}', enableHTTPS: true, filterVerb: filter, nodeCacheCapable: true`;
  const caData = (pem: string): string => `tlsConfig: {caData: ${Buffer.from(pem).toString("base64")}}`;
  const client = await cluster(`{${config}, ${caData(authority.pem.cert)}}`);
  await start(client, "p");
  expect(await nodeOf(client, "p")).toBe("b");
  const other = await newAuthority("others", world.clock.now());
  const wrong = await cluster(`{${config}, ${caData(other.pem.cert)}}`);
  await start(wrong, "p");
  expect((await rejectionOf(wrong, "p"))[0]).toBe("SchedulerError");
});
