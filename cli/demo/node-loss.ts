// One act about a great loss: a node loses its power, and comes back later.
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import { localTimings } from "../cluster/timings.ts";
import { killNodes, startNodes } from "../cluster/nodes.ts";
import { addressesOf, visit } from "./visitors.ts";
import { type Act, check, eventually, livePods, placesOf, readyPods, type Stage, tell } from "./stage.ts";

const seconds = (ms: number): string => `${ms / 1000} s`;

/** The node that most web pods run on: its loss hurts most. */
async function busiestNode(stage: Stage): Promise<string> {
  const counts = new Map<string, number>();
  for (const { spec } of await livePods(stage, "web"))
    if (spec.nodeName !== undefined) counts.set(spec.nodeName, (counts.get(spec.nodeName) ?? 0) + 1);
  const [busiest] = [...counts].toSorted(([, a], [, b]) => b - a);
  check(busiest !== undefined, "no web pod has a node");
  return busiest[0];
}

const readinessOf = async ({ client }: Stage, node: string): Promise<string> =>
  conditionOf((await client.get(nodes, key(undefined, node))).status?.conditions, "Ready")?.status ?? "unknown yet";

async function loseAndReplace(stage: Stage, node: string, count: number): Promise<void> {
  await eventually(stage, `${node} is found to be unreachable`, 60_000, async () => {
    const ready = await readinessOf(stage, node);
    return { come: ready !== "True", seen: `Ready: ${ready}` };
  });
  const elsewhere = readyPods(stage, "web", count, (pod) => pod.spec.nodeName !== node);
  await eventually(stage, `${count} web pods are Ready on other nodes`, 60_000, elsewhere);
  await eventually(stage, "so is what they need: the key-value service", 60_000, readyPods(stage, "kv", 1));
  tell(stage, placesOf(await livePods(stage, "web")));
}

export const loseNode: Act = {
  title: "A node loses its power",
  story:
    "Its heartbeats stop, the node lifecycle controller marks it, its pods are evicted and others take their place. " +
    `(Noticed after ${seconds(localTimings.nodeGraceMs)} and evicted ${localTimings.tolerationSeconds} s later; Kubernetes' own defaults are 50 s and 300 s.)`,
  obstacle: async ({ client }) => {
    const { items } = await client.list(nodes);
    const ready = items.filter((n) => conditionOf(n.status?.conditions, "Ready")?.status === "True");
    return ready.length < 2 ? "it takes a second node: orrery node add" : undefined;
  },
  play: async (stage) => {
    const { client, cluster, namespace, io, signal } = stage;
    const count = (await livePods(stage, "web")).length;
    const node = await busiestNode(stage);
    await killNodes(cluster, [node], io);
    try {
      await loseAndReplace(stage, node, count);
      const [address] = await addressesOf(stage, "web");
      check(address !== undefined, "no node is left to be visited");
      tell(stage, `${address} says: ${await visit(`${address}/`)}`);
    } finally {
      // The cluster may be in use for more than this tour: the node comes back whatever was seen.
      await startNodes(cluster, [node], io, signal);
    }
    await eventually(stage, "the pods it lost are cleared away", 60_000, async () => {
      const { items } = await client.list(pods, { namespace, fieldSelector: `spec.nodeName=${node}` });
      return { come: items.length === 0, seen: `${items.length} are still called its own` };
    });
  },
};
