// An act about node failure: a node is killed, and started again later.
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { localTimings } from "../cluster/timings.ts";
import { killNodes, startNodes } from "../cluster/nodes.ts";
import { addressesOf, isNodeReady, visit } from "./visitors.ts";
import { type Act, activePods, check, detail, eventually, placements, readyPods, type Stage } from "./stage.ts";

const seconds = (ms: number): string => `${ms / 1000} s`;

/** The node with the most web pods. */
async function busiestNode(stage: Stage): Promise<string> {
  const counts = new Map<string, number>();
  for (const { spec } of await activePods(stage, "web"))
    if (spec.nodeName !== undefined) counts.set(spec.nodeName, (counts.get(spec.nodeName) ?? 0) + 1);
  const [busiest] = [...counts].toSorted(([, a], [, b]) => b - a);
  check(busiest !== undefined, "no web pod is bound to a node");
  return busiest[0];
}

async function loseAndReplace(stage: Stage, node: string, count: number): Promise<void> {
  await eventually(stage, `${node} is marked unreachable`, 60_000, async () => {
    const isReady = isNodeReady(await stage.client.get(nodes, key(undefined, node)));
    return { holds: !isReady, seen: "Ready: True" };
  });
  const elsewhere = readyPods(stage, "web", count, (pod) => pod.spec.nodeName !== node);
  await eventually(stage, `${count} web pods are Ready on other nodes`, 60_000, elsewhere);
  await eventually(stage, "the key-value service is Ready on another node", 60_000, readyPods(stage, "kv", 1));
  detail(stage, placements(await activePods(stage, "web")));
}

export const loseNode: Act = {
  title: "A node fails",
  story:
    "Its heartbeats stop, the node lifecycle controller taints it, its pods are evicted and replaced on other nodes. " +
    `(Unreachable after ${seconds(localTimings.nodeGraceMs)}, evicted ${localTimings.tolerationSeconds} s later; the defaults of Kubernetes are 50 s and 300 s.)`,
  obstacle: async ({ client }) => {
    const { items } = await client.list(nodes);
    return items.filter(isNodeReady).length < 2 ? "it needs a second node: orrery node add" : undefined;
  },
  play: async (stage) => {
    const { client, cluster, namespace, io, signal } = stage;
    const count = (await activePods(stage, "web")).length;
    const node = await busiestNode(stage);
    await killNodes(cluster, [node], io);
    try {
      await loseAndReplace(stage, node, count);
      const [address] = await addressesOf(stage, "web");
      check(address !== undefined, "no node answers requests");
      detail(stage, `${address} says: ${await visit(`${address}/`)}`);
    } finally {
      // The cluster may have other users: the node is started again even if the act fails.
      await startNodes(cluster, [node], io, signal);
    }
    await eventually(stage, "the evicted pods of the node are removed", 60_000, async () => {
      const { items } = await client.list(pods, { namespace, fieldSelector: `spec.nodeName=${node}` });
      return { holds: items.length === 0, seen: `${items.length} are still bound to it` };
    });
  },
};
