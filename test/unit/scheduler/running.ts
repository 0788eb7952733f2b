// A scheduler with an in-process API server, one node that fits one pod of 600m, and a virtual clock.
import { namespaces } from "../../../api/core/namespaces.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { pods, type Pod } from "../../../api/core/pods.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import type { Client } from "../../../machinery/client.ts";
import { informer } from "../../../machinery/informer.ts";
import type { World } from "../../../machinery/world.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { runScheduler, type SchedulerOptions } from "../../../scheduler/scheduler.ts";
import { beginning, seeded, virtualClock } from "../../sim/virtual-clock.ts";

const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
export const pod = (name: string, cpu = "600m", spec: object = {}) => ({
  kind: "Pod" as const,
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "c", image: "a:1", resources: { requests: { cpu } } }], ...spec },
});

export interface Running {
  readonly client: Client;
  /** Advances the clock to the number of seconds after the start. */
  until(seconds: number): Promise<void>;
  stop(): Promise<void>;
  /** The nodes of bound pods, by pod name. */
  bound(): Promise<Readonly<Record<string, string>>>;
}
interface Stage extends Partial<SchedulerOptions> {
  /** Wraps the scheduler's client. */
  readonly wire?: (client: Client, world: World) => Client;
  /** Wraps the client of its views. */
  readonly viewWire?: (client: Client, world: World) => Client;
}

/** Creates the pods and then starts the scheduler. */
export async function running(drafts: readonly ReturnType<typeof pod>[], stage: Stage = {}): Promise<Running> {
  const { wire = (client: Client) => client, viewWire = (client: Client) => client, ...options } = stage;
  const clock = virtualClock();
  const world: World = { clock, random: seeded(1), log: () => {} };
  const client = inProcessClient(clusterRegistry(memoryStorage(), world, ranges));
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "default" } } as never);
  await client.create(serviceAccounts, { kind: "ServiceAccount", metadata: { name: "default", namespace: "default" } });
  const allocatable = { cpu: "1", memory: "1Gi", pods: "10" };
  const node = await client.create(nodes, {
    kind: "Node",
    metadata: { name: "n1" },
    spec: {},
    status: { allocatable },
  });
  // The node is ready: remove the taint of new nodes.
  await client.update(nodes, { ...node, spec: { ...node.spec, taints: [] } });
  for (const draft of drafts) await client.create(pods, draft);
  const stop = new AbortController();
  const viewed = viewWire(client, world);
  const views = { pods: informer(viewed, pods, world), nodes: informer(viewed, nodes, world) };
  const parts = [
    views.pods.run(stop.signal),
    views.nodes.run(stop.signal),
    runScheduler(views, wire(client, world), world, { plugins: defaultPlugins(), ...options }, stop.signal),
  ];
  return {
    client,
    until: (seconds) => clock.run(beginning + 1_000 * seconds),
    async stop() {
      stop.abort(new Error("enough"));
      await Promise.allSettled(parts);
    },
    async bound() {
      const { items } = await client.list(pods);
      return Object.fromEntries(
        items.flatMap((p: Pod) => (p.spec.nodeName === undefined ? [] : [[p.metadata.name, p.spec.nodeName]])),
      );
    },
  };
}
