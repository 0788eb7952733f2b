// The service behind which pods find the API, and where it leads.
import { once } from "node:events";
import { connect } from "node:tls";
import { CoreV1Api, DiscoveryV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";

const own = { namespace: "default", name: "kubernetes" };

behaviour("API Server should have Endpoints and EndpointSlices pointing to API Server", async ({ client }) => {
  const core = client(CoreV1Api);
  await core.readNamespacedService(own);
  const { subsets = [] } = await core.readNamespacedEndpoints(own);
  const ends = subsets.flatMap(({ addresses = [], ports = [] }) =>
    addresses.flatMap(({ ip }) => ports.map(({ name, port, protocol }) => ({ ip, name, port, protocol }))),
  );
  expect(ends).not.toEqual([]);
  const slices = await client(DiscoveryV1Api).listNamespacedEndpointSlice({
    namespace: own.namespace,
    labelSelector: `kubernetes.io/service-name=${own.name}`,
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
  const { spec } = await core.readNamespacedService(own);
  expect(spec?.ports).toMatchObject([{ name: "https", port: 443, protocol: "TCP" }]);
  const { subsets } = await core.readNamespacedEndpoints(own);
  const [port] = subsets!.flatMap(({ ports = [] }) => ports.map((p) => p.port));
  // Where it leads, somebody speaks TLS whom clients of this cluster believe.
  const socket = connect({ host: "127.0.0.1", port: port!, ca: server.ca });
  await once(socket, "secureConnect");
  expect(socket.authorized).toBe(true);
  socket.destroy();
});
