// The kubernetes service and its endpoints.
import { once } from "node:events";
import { connect } from "node:tls";
import { CoreV1Api, DiscoveryV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";

const kubernetes = { namespace: "default", name: "kubernetes" };

behaviour("API Server should have Endpoints and EndpointSlices pointing to API Server", async ({ client }) => {
  const core = client(CoreV1Api);
  await core.readNamespacedService(kubernetes);
  const { subsets = [] } = await core.readNamespacedEndpoints(kubernetes);
  const ends = subsets.flatMap(({ addresses = [], ports = [] }) =>
    addresses.flatMap(({ ip }) => ports.map(({ name, port, protocol }) => ({ ip, name, port, protocol }))),
  );
  expect(ends).not.toEqual([]);
  const slices = await client(DiscoveryV1Api).listNamespacedEndpointSlice({
    namespace: kubernetes.namespace,
    labelSelector: `kubernetes.io/service-name=${kubernetes.name}`,
  });
  const sliced = slices.items.flatMap(({ endpoints, ports = [] }) =>
    endpoints!.flatMap(({ addresses }) =>
      addresses.flatMap((ip) => ports.map(({ name, port, protocol }) => ({ ip, name, port, protocol }))),
    ),
  );
  expect(sliced).toEqual(ends);
});

behaviour("API Server should provide secure master service", async ({ client, server }) => {
  const core = client(CoreV1Api);
  const { spec } = await core.readNamespacedService(kubernetes);
  expect(spec?.ports).toMatchObject([{ name: "https", port: 443, protocol: "TCP" }]);
  const { subsets } = await core.readNamespacedEndpoints(kubernetes);
  const [port] = subsets!.flatMap(({ ports = [] }) => ports.map((p) => p.port));
  // The endpoint is a TLS server with a certificate that clients of this cluster trust.
  const socket = connect({ host: "127.0.0.1", port: port!, ca: server.ca });
  await once(socket, "secureConnect");
  expect(socket.authorized).toBe(true);
  socket.destroy();
});
