// Proxies to pods and services over HTTP: the pods are only API objects, and a test server listens at their address.
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { CoreV1Api, DiscoveryV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { newAuthority } from "../../cli/cluster/pki.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { behaviour, type ScenarioContext } from "./behaviour.ts";

/** A non-loopback address of this machine: proxies refuse loopback addresses. */
const address = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find((a) => a.family === "IPv4" && !a.internal)!.address;

async function textOf(message: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of message) text += chunk;
  return text;
}

/** Runs a server during `work`, which receives its port. */
async function serving<T>(handler: RequestListener, work: (port: number) => Promise<T>, tls = false): Promise<T> {
  const authority = tls ? await newAuthority("porter", realWorld(() => {}).clock.now()) : undefined;
  const identity = await authority?.issue({ name: "porter", hosts: ["porter"], use: "server" });
  const server: Server = identity ? createTlsServer(identity, handler) : createServer(handler);
  server.listen(0, address);
  await once(server, "listening");
  try {
    return await work((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

/** A pod whose status has the address of the test server. */
async function pod({ client, namespace }: ScenarioContext, name: string, port: number): Promise<void> {
  const core = client(CoreV1Api);
  const made = await core.createNamespacedPod({
    namespace,
    body: {
      metadata: { name, labels: { app: name } },
      spec: { containers: [{ name: "porter", image: "porter", ports: [{ containerPort: port }] }] },
    },
  });
  const status = { ...made.status, phase: "Running", podIP: address, podIPs: [{ ip: address }] };
  await core.patchNamespacedPodStatus({ name, namespace, body: [{ op: "replace", path: "/status", value: status }] });
}

/** A service of the pod, and its endpoints. */
async function service(
  { client, namespace }: ScenarioContext,
  name: string,
  podName: string,
  ports: Record<string, number>,
) {
  const named = Object.entries(ports).map(([port, to], i) => ({ ...(port && { name: port }), port: 80 + i, to }));
  await client(CoreV1Api).createNamespacedService({
    namespace,
    body: { metadata: { name }, spec: { ports: named.map(({ to, ...p }) => ({ ...p, targetPort: to })) } },
  });
  await client(DiscoveryV1Api).createNamespacedEndpointSlice({
    namespace,
    body: {
      metadata: { name, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: named.map(({ to, name: portName }) => ({ name: portName ?? "", port: to, protocol: "TCP" })),
      endpoints: [{ addresses: [address], targetRef: { kind: "Pod", name: podName, namespace } }],
    },
  });
}

/** Returns the request as JSON, as the server of the published test does. */
const porter: RequestListener = (request, response) => {
  const { method, url } = request;
  void textOf(request).then(() => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ Method: method, Body: "foo", url }));
  });
};
const verbs = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

behaviour("Proxy version v1 A set of valid responses are returned for both pod and service ProxyWithPath", (context) =>
  serving(porter, async (port) => {
    const { namespace, send } = context;
    await pod(context, "agnhost", port);
    await service(context, "test-service", "agnhost", { "": port });
    for (const place of ["pods/agnhost", "services/test-service"])
      for (const method of verbs) {
        const path = `/api/v1/namespaces/${namespace}/${place}/proxy/some/path/with/${method}`;
        const { status, text } = await send(path, { method });
        expect([path, status]).toEqual([path, 200]);
        if (method === "HEAD") expect(text).toBe("");
        else expect(JSON.parse(text)).toEqual({ Method: method, Body: "foo", url: `/some/path/with/${method}` });
      }
  }),
);

behaviour("Proxy version v1 A set of valid responses are returned for both pod and service Proxy", (context) =>
  serving(porter, async (port) => {
    const { namespace, send } = context;
    await pod(context, "agnhost", port);
    await service(context, "e2e-proxy-test-service", "agnhost", { "": port });
    for (const place of ["pods/agnhost", "services/e2e-proxy-test-service"]) {
      const path = `/api/v1/namespaces/${namespace}/${place}/proxy`;
      for (const method of verbs) {
        const { status, headers, text } = await send(`${path}?method=${method}`, { method });
        if (method === "GET" || method === "HEAD") {
          expect([status, headers.location]).toEqual([301, `${path}/?method=${method}`]);
          continue;
        }
        expect([method, status]).toEqual([method, 200]);
        expect(JSON.parse(text)).toMatchObject({ Method: method, Body: "foo" });
      }
    }
  }),
);

const respondsWith =
  (type: string, text: string): RequestListener =>
  (_request, response) =>
    response.setHeader("content-type", type).end(text);

behaviour("Proxy version v1 should proxy through a service and a pod", (context) =>
  serving(respondsWith("text/html", '<a href="/rewriteme">test</a>'), (page) =>
    serving(respondsWith("text/plain", "foo"), (foo) =>
      serving(
        respondsWith("text/plain", "tls baz"),
        async (baz) => {
          const { namespace, send } = context;
          await pod(context, "porter", page);
          await service(context, "proxy-service", "porter", { portname1: foo, tlsportname1: baz });
          const at = (plural: string, id: string): string => `/api/v1/namespaces/${namespace}/${plural}/${id}/proxy`;
          const link = (id: string): string => `<a href="${at("pods", id)}/rewriteme">test</a>`;
          const table = [
            ["services", "proxy-service:portname1", "foo"],
            ["services", "http:proxy-service:portname1", "foo"],
            ["services", "proxy-service:80", "foo"],
            ["services", "https:proxy-service:tlsportname1", "tls baz"],
            ["pods", "porter", link("porter")],
            ["pods", `porter:${page}`, link(`porter:${page}`)],
            ["pods", `http:porter:${page}`, link(`http:porter:${page}`)],
            ["pods", `porter:${foo}`, "foo"],
            ["pods", `https:porter:${baz}`, "tls baz"],
          ] as const;
          for (const [plural, id, body] of table) {
            const { status, text } = await send(`${at(plural, id)}/`);
            expect([id, status, text]).toEqual([id, 200, body]);
          }
        },
        true,
      ),
    ),
  ),
);
