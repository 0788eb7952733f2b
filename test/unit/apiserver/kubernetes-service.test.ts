// The kubernetes service and its endpoints: created, restored, and updated to the server's address.
import { expect, test } from "vitest";
import { endpointSlices } from "../../../api/discovery/endpointslices.ts";
import { endpoints } from "../../../api/core/endpoints.ts";
import { services } from "../../../api/core/services.ts";
import { key } from "../../../api/meta.ts";
import { bootstrap, keepOwnService } from "../../../apiserver/bootstrap/objects.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { seeded, virtualClock } from "../../sim/virtual-clock.ts";

const serviceCidr = "10.96.0.0/16";
const at = key("default", "kubernetes");
function cluster() {
  const clock = virtualClock();
  const world = { clock, random: seeded(1), log: () => {} };
  const ranges = { serviceCidr, nodePorts: { from: 30_000, to: 32_767 } };
  return { clock, world, client: inProcessClient(clusterRegistry(memoryStorage(), world, ranges)) };
}
const here = { address: "192.0.2.1", port: 6443, serviceCidr };

test("deleted or changed objects are restored within ten seconds, and unchanged ones are not written", async () => {
  const { clock, world, client } = cluster();
  await bootstrap(client, here);
  const stop = new AbortController();
  const keeping = keepOwnService(client, here, world, stop.signal);
  await client.delete(services, at);
  await client.delete(endpointSlices, at);
  const elsewhere = { addresses: [{ ip: "192.0.2.2" }], ports: [{ name: "https", port: 1, protocol: "TCP" }] };
  await client.patch(endpoints, at, { type: "merge", patch: { subsets: [elsewhere], metadata: { labels: null } } });
  await clock.run(clock.now() + 10_000);
  expect((await client.get(services, at)).spec).toMatchObject({
    clusterIP: "10.96.0.1",
    ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: 6443 }],
  });
  const ports = [{ name: "https", port: 6443, protocol: "TCP" }];
  const found = await client.get(endpoints, at);
  expect(found.subsets).toEqual([{ addresses: [{ ip: "192.0.2.1" }], ports }]);
  expect(found.metadata.labels).toMatchObject({ "endpointslice.kubernetes.io/skip-mirror": "true" });
  expect(await client.get(endpointSlices, at)).toMatchObject({
    addressType: "IPv4",
    endpoints: [{ addresses: ["192.0.2.1"], conditions: { ready: true } }],
    ports,
  });
  const revision = await client.revision();
  await clock.run(clock.now() + 60_000);
  expect(await client.revision()).toBe(revision);
  stop.abort();
  await keeping;
});

test("a server with another address updates the endpoints", async () => {
  const { client } = cluster();
  await bootstrap(client, here);
  await bootstrap(client, { ...here, address: "192.0.2.9", port: 443 });
  expect((await client.get(endpoints, at)).subsets).toMatchObject([
    { addresses: [{ ip: "192.0.2.9" }], ports: [{ port: 443 }] },
  ]);
  expect((await client.get(endpointSlices, at)).endpoints).toMatchObject([{ addresses: ["192.0.2.9"] }]);
});

test("loopback and unspecified addresses are not published", async () => {
  const { client } = cluster();
  await bootstrap(client, { ...here, address: "127.0.0.1" });
  expect((await client.list(services)).items).toHaveLength(1);
  expect([(await client.list(endpoints)).items, (await client.list(endpointSlices)).items]).toEqual([[], []]);
});
