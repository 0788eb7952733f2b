// Clusters of 100, 1,000 and 5,000 nodes with ten pods each, through API server, store, scheduler and controllers: the CPU
// time of the control plane per object of each step, which must not grow with the cluster. Arguments: other sizes.
import { nodes } from "../api/core/nodes.ts";
import { pods } from "../api/core/pods.ts";
import { keyOf } from "../api/meta.ts";
import { report } from "./report.ts";
import { counter, each, type SystemCluster, withControlPlane } from "./system/cluster.ts";
import { nodeDraft, podDraft } from "./system/workloads.ts";

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 1_000, 5_000];
const podsPerNode = 10;
/** Made and removed before anything is measured, so that the compiler has seen every step. */
const warmUpPods = 3_000;
const growth = 1.3;

/** CPU milliseconds per object. */
interface Costs {
  readonly node: number;
  /** From its creation until it is bound. */
  readonly pod: number;
  readonly deletion: number;
}

async function grow({ client, cpuSeconds }: SystemCluster, nodeCount: number): Promise<Costs> {
  const end = new AbortController();
  const usable = await counter(client, nodes, ({ spec }) => !spec.taints?.length && !!spec.podCIDR, end.signal);
  const bound = await counter(client, pods, ({ spec }) => spec.nodeName !== undefined, end.signal);
  const cost = async (count: number, work: () => Promise<unknown>): Promise<number> => {
    const before = await cpuSeconds();
    await work();
    return (1000 * ((await cpuSeconds()) - before)) / count;
  };
  let known = 0;
  const addNodes = async (count: number): Promise<void> => {
    const first = known;
    known += count;
    await each(count, (i) => client.create(nodes, nodeDraft(first + i)));
    await usable.reached(known);
  };
  const addPods = async (count: number): Promise<void> => {
    await each(count, () => client.create(pods, podDraft()));
    await bound.reached(count);
  };
  const removePods = async (): Promise<void> => {
    const keys = (await client.list(pods)).items.map(keyOf);
    await each(keys.length, (i) => client.delete(pods, keys[i]!, { gracePeriodSeconds: 0 }));
    await bound.reached(0);
  };
  await addNodes(100);
  await addPods(warmUpPods);
  await removePods();
  const podCount = nodeCount * podsPerNode;
  const costs = {
    node: await cost(nodeCount, () => addNodes(nodeCount)),
    pod: await cost(podCount, () => addPods(podCount)),
    deletion: await cost(podCount, removePods),
  };
  end.abort(new Error("measured"));
  return costs;
}

const titles: Readonly<Record<keyof Costs, string>> = {
  node: "a node",
  pod: "a pod, until it is bound",
  deletion: "a pod's deletion",
};
let smallest: Costs | undefined;
for (const nodeCount of sizes)
  await withControlPlane(async (cluster) => {
    const costs = await grow(cluster, nodeCount);
    smallest ??= costs;
    for (const step of ["node", "pod", "deletion"] as const)
      report({
        what: `CPU for ${titles[step]}, ${nodeCount.toLocaleString("en")} nodes`,
        value: costs[step],
        unit: "ms",
        beside: { what: `${sizes[0]} nodes`, value: smallest[step], unit: "ms" },
        budget: { atMost: Number((growth * smallest[step]).toFixed(3)) },
      });
  });
