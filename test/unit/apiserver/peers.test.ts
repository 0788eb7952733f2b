// API servers that share a store: the endpoints of default/kubernetes are those that are alive.
import { expect, test } from "vitest";
import { leases } from "../../../api/coordination/leases.ts";
import { endpoints } from "../../../api/core/endpoints.ts";
import { endpointSlices } from "../../../api/discovery/endpointslices.ts";
import { key } from "../../../api/meta.ts";
import { bootstrap } from "../../../apiserver/bootstrap/objects.ts";
import { apiServerPeers } from "../../../apiserver/bootstrap/peers.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { beginning, seeded, virtualClock } from "../../sim/virtual-clock.ts";

const serviceCidr = "10.96.0.0/16";

function stage() {
  const clock = virtualClock();
  const world = { clock, random: seeded(1), log: () => {} };
  const storage = memoryStorage();
  const clientOf = () =>
    inProcessClient(clusterRegistry(storage, world, { serviceCidr, nodePorts: { from: 30_000, to: 32_767 } }));
  const client = clientOf();
  /** Starts the server at an address, with a registry of its own. `kill` ends it without notice. */
  const server = (address: string) => {
    const own = clientOf();
    let isDead = false;
    const wire = {
      ...own,
      update: (...args: Parameters<typeof own.update>) => (isDead ? new Promise<never>(() => {}) : own.update(...args)),
    } as typeof own;
    const advertised = { address, port: 6443, serviceCidr };
    const peers = apiServerPeers(wire, advertised, world);
    const stop = new AbortController();
    const started = bootstrap(own, advertised, peers.reconcile);
    const ended = started.then(() => peers.keep(stop.signal));
    return {
      started,
      kill() {
        isDead = true;
      },
      stop: () => {
        stop.abort(new Error("stopped"));
        return ended;
      },
    };
  };
  const listed = async () => {
    const slice = await client.get(endpointSlices, key("default", "kubernetes"));
    const { subsets } = await client.get(endpoints, key("default", "kubernetes"));
    const addresses = slice.endpoints!.flatMap((endpoint) => endpoint.addresses);
    expect(subsets?.[0]?.addresses?.map(({ ip }) => ip)).toEqual(addresses);
    return addresses;
  };
  return { server, listed, client, pass: (seconds: number) => clock.run(beginning + seconds * 1000) };
}

test("servers that start together are all in the endpoints", async () => {
  const { server, listed, pass } = stage();
  const all = ["10.0.0.3", "10.0.0.1", "10.0.0.2"].map(server);
  await Promise.all(all.map(({ started }) => started));
  await pass(3);
  expect(await listed()).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
});

test("a server that is killed leaves the endpoints with its lease, and comes back; one that stops leaves at once", async () => {
  const { server, listed, pass, client } = stage();
  const [one, two] = [server("10.0.0.1"), server("10.0.0.2")];
  await Promise.all([one.started, two.started]);
  await pass(10);
  one.kill();
  await pass(14);
  expect(await listed()).toEqual(["10.0.0.1", "10.0.0.2"]);
  await pass(20);
  expect(await listed()).toEqual(["10.0.0.2"]);
  const { items } = await client.list(leases, { namespace: "kube-system" });
  expect(items.map(({ metadata }) => metadata.annotations)).toEqual([{ "orrery.dev/advertise-address": "10.0.0.2" }]);
  const again = server("10.0.0.1");
  await again.started;
  expect(await listed()).toEqual(["10.0.0.1", "10.0.0.2"]);
  await two.stop();
  expect(await listed()).toEqual(["10.0.0.1"]);
  await again.stop();
  expect(await listed()).toEqual(["10.0.0.1"]);
});
