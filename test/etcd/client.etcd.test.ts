// The client contract with etcd storage.
import { afterAll, beforeAll } from "vitest";
import { bootstrap } from "../../apiserver/bootstrap/objects.ts";
import { inProcessClient } from "../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../apiserver/cluster-registry.ts";
import { etcdStorage } from "../../apiserver/storage/etcd.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { clientSuite } from "../suites/client.ts";
import { type EtcdCluster, etcdCluster } from "./cluster.ts";

const world = realWorld(() => {});
const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
let etcd: EtcdCluster;
let roots = 0;
beforeAll(async () => {
  etcd = await etcdCluster(1);
});
afterAll(() => etcd.close());

clientSuite("in-process, etcd", async () => {
  const stop = new AbortController();
  const storage = await etcdStorage({ hosts: etcd.hosts, root: `/client-${roots++}` }, world, stop.signal);
  const client = inProcessClient(clusterRegistry(storage, world, ranges));
  await bootstrap(client, { address: "10.0.0.1", port: 6443, serviceCidr: ranges.serviceCidr });
  const compact = async (): Promise<void> => storage.compact(await storage.revision());
  return { client, compact, close: async () => stop.abort() };
});
