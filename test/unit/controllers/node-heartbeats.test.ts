// Heartbeats of nodes.
import { expect, test } from "vitest";
import type { Lease, Node } from "../../../api/generated/types.ts";
import { leases } from "../../../api/coordination/leases.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { instant, microTimestamp, timestamp } from "../../../api/meta.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { nodeLifecycleController } from "../../../controllers/nodelifecycle/controller.ts";
import type { Observed } from "../../../controllers/nodelifecycle/decide.ts";
import type { Controller } from "../../../machinery/controller.ts";
import { runController } from "../../../machinery/reconcile.ts";
import { sharedViews } from "../../../machinery/informer.ts";
import type { World } from "../../../machinery/world.ts";
import { beginning, seeded, virtualClock } from "../../sim/virtual-clock.ts";

test("node: lease renewals and kubelet status updates are heartbeats, the controller's own updates are not", async () => {
  const clock = virtualClock();
  const world: World = { clock, random: seeded(7), log: () => {} };
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const client = inProcessClient(clusterRegistry(memoryStorage(), world, ranges));
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "kube-node-lease" } } as never);
  const node: Node = await client.create(nodes, { kind: "Node", metadata: { name: "n" }, spec: {} });
  let lastHeartbeat: number = beginning;
  const controller: Controller<Observed> = {
    ...nodeLifecycleController(50_000),
    decide(observed) {
      lastHeartbeat = observed.lastHeartbeat;
      return { actions: [], requeueAfter: 1_000 };
    },
  };
  const views = sharedViews(client, world);
  const stop = new AbortController();
  const running = [runController(controller, { client, world, views }, stop.signal), views.run(stop.signal)];
  let minutes = 0;
  /** Advances one minute and returns the last heartbeat in full minutes. */
  const heartbeatMinute = async (): Promise<number> => {
    minutes += 1;
    await clock.run(beginning + minutes * 60_000);
    return Math.floor((lastHeartbeat - beginning) / 60_000);
  };
  const ready = (status: string, at: number) => ({
    conditions: [{ type: "Ready", status, lastHeartbeatTime: timestamp(instant(beginning + at)) }],
  });
  expect(await heartbeatMinute()).toBe(0);
  const metadata = { name: "n", namespace: "kube-node-lease" };
  const lease: Lease = await client.create(leases, { kind: "Lease", metadata, spec: { holderIdentity: "n" } });
  await heartbeatMinute();
  const renewTime = microTimestamp(clock.now());
  await client.update(leases, { ...lease, spec: { ...lease.spec, renewTime } });
  expect(await heartbeatMinute()).toBe(2);
  expect(await heartbeatMinute()).toBe(2);
  const reported = await client.update(nodes, { ...node, status: ready("True", 1) }, "status");
  expect(await heartbeatMinute()).toBe(4);
  await client.update(nodes, { ...reported, status: ready("Unknown", 1) }, "status");
  expect(await heartbeatMinute()).toBe(4);
  stop.abort(new Error("enough"));
  await Promise.allSettled(running);
});
