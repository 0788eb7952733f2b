// Pods with claims of a class that waits for its consumer: scheduler, controllers and drivers of two nodes, each with its
// own client, as in a cluster.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { nodes } from "../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { pods } from "../../api/core/pods.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import type { Pod } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import { csiDrivers, csiNodes, csiStorageCapacities } from "../../api/storage/csi.ts";
import { storageClasses } from "../../api/storage/storageclasses.ts";
import { runControllers } from "../../controllers/controllers.ts";
import { runDriverControllers } from "../../controllers/csi/controllers.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { informer } from "../../machinery/informer.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { defaultPlugins } from "../../scheduler/plugins/default.ts";
import { runScheduler } from "../../scheduler/scheduler.ts";
import { csiCredentials } from "../../cli/cluster/credentials.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { memoryDriver } from "./memory-driver.ts";

const driver = "memory.csi.example.com";
const label = "topology.memory.csi.example.com/node";
const world = realWorld(() => {});
const stop = new AbortController();
const drivers = new Map(
  ["n1", "n2"].map((name) => [name, memoryDriver({ segments: { [label]: name }, capabilities: ["GET_CAPACITY"] })]),
);
const running: Promise<unknown>[] = [];
let server: TestServer;

async function createNode(name: string): Promise<void> {
  const { inProcess } = server;
  await inProcess.create(nodes, { kind: "Node", metadata: { name, labels: { [label]: name } }, spec: {} });
  const status = {
    allocatable: { cpu: "4", memory: "8Gi", pods: "110" },
    conditions: [{ type: "Ready", status: "True" }],
  };
  await inProcess.patch(nodes, key(undefined, name), { type: "merge", patch: { status } }, "status");
}

beforeAll(async () => {
  server = await listeningServer();
  const { url, ca, authority, inProcess } = server;
  const autoscaler = { periodMs: 15_000, shrinkWindowSeconds: 300 };
  const options = { rootCa: ca, clusterCidr: "10.244.0.0/16", nodeGraceMs: 500_000, autoscaler };
  const scheduler = server.as("kube-scheduler");
  const views = { pods: informer(scheduler, pods, world), nodes: informer(scheduler, nodes, world) };
  running.push(
    runControllers(server.as("kube-controller-manager"), world, options, stop.signal),
    runScheduler(views, scheduler, world, { plugins: defaultPlugins() }, stop.signal),
    views.pods.run(stop.signal),
    views.nodes.run(stop.signal),
  );
  for (const [name, { calls }] of drivers) {
    const client = httpClient(
      { url, ca, ...(await csiCredentials(authority, name)), userAgent: name },
      world,
      stop.signal,
    );
    const node = { name, segments: { [label]: name } };
    running.push(runDriverControllers({ driver, calls, node }, client, world, stop.signal));
    await createNode(name);
  }
  const metadata = { name: "default", namespace: "default" };
  await inProcess.create(serviceAccounts, { kind: "ServiceAccount", metadata }).catch(() => {});
  await inProcess.create(storageClasses, {
    ...{ kind: "StorageClass", metadata: { name: "local" }, provisioner: driver },
    volumeBindingMode: "WaitForFirstConsumer",
  });
});
afterAll(async () => {
  stop.abort();
  await Promise.allSettled(running);
  await server.close();
});

const template = {
  spec: { storageClassName: "local", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};
const start = (name: string, volumes: readonly object[], more: object = {}): Promise<Pod> =>
  server.inProcess.create(pods, {
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: { containers: [{ name: "main", image: "a:1" }], volumes, ...more },
  } as never);
const scheduled = (name: string): Promise<string> =>
  vi.waitFor(
    async () => {
      const { spec } = await server.inProcess.get(pods, key("default", name));
      if (!spec.nodeName) throw new Error(`${name} is not scheduled`);
      return spec.nodeName;
    },
    { timeout: 20_000, interval: 5 },
  );
const claimOf = (name: string) => server.inProcess.get(persistentVolumeClaims, key("default", name));

test("a claim is bound on the node that the scheduler chose, before its pod is", async () => {
  await start("db", [{ name: "scratch", ephemeral: { volumeClaimTemplate: template } }], {
    nodeSelector: { [label]: "n2" },
  });
  expect(await scheduled("db")).toBe("n2");
  const { spec } = await claimOf("db-scratch");
  const volume = await server.inProcess.get(persistentVolumes, key(undefined, spec.volumeName!));
  expect(volume.spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]?.values).toEqual(["n2"]);
  expect([drivers.get("n1")!.volumes.size, drivers.get("n2")!.volumes.size]).toEqual([0, 1]);
});

test("a node without room is not chosen", async () => {
  const { inProcess } = server;
  await inProcess.create(csiDrivers, {
    kind: "CSIDriver",
    metadata: { name: driver },
    spec: { storageCapacity: true },
  });
  drivers.get("n1")!.capacity = 0;
  for (const name of drivers.keys()) {
    const spec = { drivers: [{ name: driver, nodeID: name, topologyKeys: [label] }] };
    await inProcess.create(csiNodes, { kind: "CSINode", metadata: { name }, spec });
  }
  for (const name of ["a", "b", "c"]) {
    await start(name, [{ name: "scratch", ephemeral: { volumeClaimTemplate: template } }]);
    expect(await scheduled(name)).toBe("n2");
  }
  const { items } = await inProcess.list(csiStorageCapacities);
  const published = items.map((c) => [c.nodeTopology?.matchLabels?.[label], c.storageClassName, c.capacity === "0"]);
  expect(published.toSorted()).toEqual([
    ["n1", "local", true],
    ["n2", "local", false],
  ]);
});

test("an ephemeral claim and its volume go with the pod", async () => {
  await server.inProcess.delete(pods, key("default", "db"), { gracePeriodSeconds: 0 });
  await vi.waitFor(() => expect(drivers.get("n2")!.volumes.size).toBe(3), { timeout: 20_000 });
});
