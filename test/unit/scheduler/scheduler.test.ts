// The shell around placing: room is promised until the fate of a binding is known.
import { expect, test } from "vitest";
import { ApiError } from "../../../api/errors.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { pods } from "../../../api/core/pods.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/memory.ts";
import type { Client } from "../../../machinery/client.ts";
import { informer } from "../../../machinery/informer.ts";
import type { World } from "../../../machinery/world.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { runScheduler } from "../../../scheduler/scheduler.ts";
import { beginning, seeded, virtualClock } from "../../sim/virtual-clock.ts";

const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
const pod = (name: string) => ({
  kind: "Pod" as const,
  metadata: { name, namespace: "default" },
  spec: { containers: [{ name: "c", image: "a:1", resources: { requests: { cpu: "600m" } } }] },
});

/** One node with room for one pod, two pods, and a wire of the test's making between them and the scheduler. */
async function live(wire: (client: Client, world: World) => Client): Promise<readonly string[]> {
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
  // Somebody has found it ready.
  await client.update(nodes, { ...node, spec: { ...node.spec, taints: [] } });
  for (const name of ["first", "second"]) await client.create(pods, pod(name));
  const stop = new AbortController();
  const views = { pods: informer(client, pods, world), nodes: informer(client, nodes, world) };
  const running = [
    views.pods.run(stop.signal),
    views.nodes.run(stop.signal),
    runScheduler(views, wire(client, world), world, { plugins: defaultPlugins() }, stop.signal),
  ];
  await clock.run(beginning + 60_000);
  stop.abort(new Error("enough"));
  await Promise.allSettled(running);
  return (await client.list(pods)).items.flatMap((p) => (p.spec.nodeName === undefined ? [] : [p.metadata.name]));
}

test("room for one goes to one", async () => expect(await live((client) => client)).toHaveLength(1));

test("a binding that arrives after we gave up does not find its room given away", async () => {
  let lost = 0;
  const bound = await live((client, { clock }) => ({
    ...client,
    async update(r, object, part) {
      if (part !== "binding" || lost++ > 0) return client.update(r, object, part);
      // It will arrive all the same, long after.
      void clock
        .sleep(5_000)
        .then(() => client.update(r, object, part))
        .catch(() => {});
      throw new ApiError("Timeout", "no answer");
    },
  }));
  expect(bound).toHaveLength(1);
});

test("a binding that took effect although its answer was lost counts", async () => {
  let lost = 0;
  const bound = await live((client) => ({
    ...client,
    async update(r, object, part) {
      const done = await client.update(r, object, part);
      if (part === "binding" && lost++ === 0) throw new ApiError("Timeout", "no answer");
      return done;
    },
  }));
  expect(bound).toHaveLength(1);
});
