// Clusters of 100, 1,000 and 5,000 nodes with ten pods each, through API server, store, scheduler and controllers: the CPU
// time of the control plane per object of each step. It must not grow with the cluster.
import { nodes } from "../api/core/nodes.ts";
import { pods } from "../api/core/pods.ts";
import { keyOf } from "../api/meta.ts";
import { counter, each, type SystemCluster, withControlPlane } from "./system/cluster.ts";
import { nodeDraft, podDraft } from "./system/workloads.ts";

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 1_000, 5_000];
const podsPerNode = 10;

/** CPU milliseconds per object, by step. */
type Costs = Readonly<Record<string, number>>;

async function grow({ client, cpuSeconds }: SystemCluster, nodeCount: number): Promise<Costs> {
  const costs: Record<string, number> = {};
  const end = new AbortController();
  const step = async (name: string, count: number, work: () => Promise<unknown>): Promise<void> => {
    const [before, began] = [await cpuSeconds(), performance.now()];
    await work();
    costs[name] = (1000 * ((await cpuSeconds()) - before)) / count;
    const perSecond = (1000 * count) / (performance.now() - began);
    process.stdout.write(
      `       ${nodeCount} nodes: ${name} ${costs[name]!.toFixed(2)} ms CPU, ${perSecond.toFixed(0)}/s\n`,
    );
  };
  const podCount = nodeCount * podsPerNode;
  const usable = await counter(client, nodes, ({ spec }) => !spec.taints?.length && !!spec.podCIDR, end.signal);
  const bound = await counter(client, pods, ({ spec }) => spec.nodeName !== undefined, end.signal);
  await step("node", nodeCount, async () => {
    await each(nodeCount, (i) => client.create(nodes, nodeDraft(i)));
    await usable.reached(nodeCount);
  });
  await step("pod created and bound", podCount, async () => {
    await each(podCount, () => client.create(pods, podDraft()));
    await bound.reached(podCount);
  });
  const keys = (await client.list(pods)).items.map(keyOf);
  await step("pod deleted", podCount, async () => {
    await each(podCount, (i) => client.delete(pods, keys[i]!, { gracePeriodSeconds: 0 }));
    await bound.reached(0);
  });
  end.abort();
  return costs;
}

for (const nodeCount of sizes) await withControlPlane(async (cluster) => void (await grow(cluster, nodeCount)));
