// Proxies to pods without a route from the control plane: the kubelet of their node forwards the connection.
import { once } from "node:events";
import { request } from "node:https";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { endpointSlices } from "../../api/discovery/endpointslices.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { services } from "../../api/core/services.ts";
import { key } from "../../api/meta.ts";
import { type RawClient, rawClientOf } from "./raw-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { runs, type SimulatedNode, simulatedNode } from "./simulated-node.ts";

let server: TestServer;
let node: SimulatedNode;
let rawClient: RawClient;
const at = "/api/v1/namespaces/default";

async function service(name: string, podName: string, port: number): Promise<void> {
  const pod = await server.inProcess.get(pods, key("default", podName));
  const metadata = { name, namespace: "default" };
  await server.inProcess.create(services, {
    kind: "Service",
    metadata,
    spec: { ports: [{ port: 80, targetPort: port }] },
  });
  await server.inProcess.create(endpointSlices, {
    kind: "EndpointSlice",
    metadata: { ...metadata, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "", port, protocol: "TCP" }],
    endpoints: [{ addresses: [pod.status!.podIP!], targetRef: { kind: "Pod", name: podName, namespace: "default" } }],
  });
}

beforeAll(async () => {
  server = await listeningServer();
  node = await simulatedNode(server);
  rawClient = rawClientOf(server);
  const container = runs("c", "while :; do sleep 1; done");
  await node.create("web", [{ ...container, ports: [{ containerPort: 80 }] }]);
  await node.ready("web");
  await service("front", "web", 80);
});
afterAll(async () => {
  await node.close();
  await server.close();
});

const requests = [
  ["GET", "pods/web/proxy/a/b?c=d", 200, "GET /a/b?c=d"],
  ["POST", "pods/web:80/proxy/a", 200, "POST /a"],
  ["PUT", "services/front/proxy/", 200, "PUT /"],
  ["GET", "services/front:80/proxy/x", 200, "GET /x"],
] as const;
test.each(requests)("%s %s reaches the pod", async (method, path, status, text) => {
  expect(await rawClient.send(`${at}/${path}`, { method })).toMatchObject({ status, text });
});

test("a closed port is refused, as by a direct connection", async () => {
  const { status, text } = await rawClient.send(`${at}/pods/web:81/proxy/`);
  const { podIP } = (await server.inProcess.get(pods, key("default", "web"))).status!;
  expect([status, JSON.parse(text).message]).toEqual([
    503,
    `error trying to reach service: dial tcp ${podIP}:81: connect: connection refused`,
  ]);
});

test("a plain port used with https is an error", async () => {
  const { status, text } = await rawClient.send(`${at}/pods/https:web:80/proxy/`);
  expect([status, JSON.parse(text).reason]).toEqual([503, "ServiceUnavailable"]);
});

test("concurrent requests and large bodies", async () => {
  const all = Array.from({ length: 50 }, (_, i) =>
    rawClient.send(`${at}/pods/web/proxy/${i}`, { method: "POST", body: Buffer.alloc(300_000) }),
  );
  expect((await Promise.all(all)).map(({ text }) => text)).toEqual(all.map((_, i) => `POST /${i}`));
});

test("connections are upgraded", async () => {
  const headers = { connection: "Upgrade", upgrade: "echo" };
  const upgrade = request(`${server.url}${at}/pods/web/proxy/`, {
    ca: server.ca,
    ...server.admin,
    headers,
    agent: false,
  });
  upgrade.end();
  const [response, socket] = (await once(upgrade, "upgrade")) as [{ readonly statusCode: number }, Duplex];
  expect(response.statusCode).toBe(101);
  const large = Buffer.alloc(1_000_000, "x");
  socket.write(large);
  let size = 0;
  for await (const part of socket) {
    size += (part as Buffer).length;
    if (size === large.length) break;
  }
  expect(size).toBe(large.length);
  socket.destroy();
});

test("an unreachable kubelet is an error", async () => {
  const lost = { kind: "Node", metadata: { name: "lost" }, spec: { podCIDRs: ["10.9.0.0/24"] } } as const;
  await server.inProcess.create(nodes, lost);
  const status = {
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    daemonEndpoints: { kubeletEndpoint: { Port: 1 } },
  };
  const made = await server.inProcess.get(nodes, key(undefined, "lost"));
  await server.inProcess.update(nodes, { ...made, status } as typeof made, "status");
  await node.create("far", [runs("c", "sleep 1")], { nodeName: "lost" });
  const pod = await server.inProcess.get(pods, key("default", "far"));
  const podStatus = { ...pod.status, phase: "Running", podIP: "10.9.0.7", podIPs: [{ ip: "10.9.0.7" }] };
  await server.inProcess.update(pods, { ...pod, status: podStatus } as typeof pod, "status");
  const { status: code, text } = await rawClient.send(`${at}/pods/far:80/proxy/`);
  expect([code, JSON.parse(text).reason]).toEqual([503, "ServiceUnavailable"]);
});
