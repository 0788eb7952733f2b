// An act about node failure: a node is killed, and started again later.
import { nodes } from "../../api/core/nodes.ts";
import { hasReason } from "../../api/errors.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { localTimings } from "../cluster/timings.ts";
import { killNodes, startNodes } from "../cluster/nodes.ts";
import { counterOf } from "./counter.ts";
import { isNodeReady } from "./visitors.ts";
import { type Act, activePods, check, detail, eventually, placements, readyPods, type Stage } from "./stage.ts";

const seconds = (ms: number): string => `${ms / 1000} s`;

/** The node of the counter. */
async function nodeOfCounter(stage: Stage): Promise<string> {
  const [pod] = await activePods(stage, "kv");
  check(pod?.spec.nodeName !== undefined, "the counter is not bound to a node");
  return pod.spec.nodeName;
}

/** By this taint an administrator says that a node is shut down, so that nothing on it writes to volumes any more. */
const outOfService = { key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" } as const;

type Taints = NonNullable<Node["spec"]["taints"]>;

/** Changes the taints of a node, which the node lifecycle controller changes, too. */
async function changeTaints({ client }: Stage, name: string, change: (taints: Taints) => Taints): Promise<void> {
  for (;;) {
    const node = await client.get(nodes, key(undefined, name));
    const taints = change(node.spec.taints ?? []);
    try {
      await client.update(nodes, { ...node, spec: { ...node.spec, taints } });
      return;
    } catch (error) {
      if (!hasReason(error, "Conflict")) throw error;
    }
  }
}

async function loseAndReplace(stage: Stage, node: string, count: number): Promise<void> {
  await eventually(stage, `${node} is marked unreachable`, 60_000, async () => {
    const isReady = isNodeReady(await stage.client.get(nodes, key(undefined, node)));
    return { holds: !isReady, seen: "Ready: True" };
  });
  const isElsewhere = (pod: Pod): boolean => pod.spec.nodeName !== node;
  await eventually(
    stage,
    `${count} web pods are Ready on other nodes`,
    60_000,
    readyPods(stage, "web", count, isElsewhere),
  );
  await stage.io.progress.step(
    `marked ${node} as out of service (orrery taint node ${node} ${outOfService.key}=...)`,
    () => changeTaints(stage, node, (taints) => [...taints, outOfService]),
  );
  await eventually(
    stage,
    "kv-0 is Ready on another node, with its volume",
    60_000,
    readyPods(stage, "kv", 1, isElsewhere),
  );
  detail(stage, placements(await activePods(stage, "web")));
}

export const loseNode: Act = {
  title: "A node fails",
  story:
    "Its heartbeats stop, the node lifecycle controller taints it, its pods are evicted and replaced on other nodes. The counter waits " +
    "until an administrator confirms that the node is down, because two pods might write to its volume. " +
    `(Unreachable after ${seconds(localTimings.nodeGraceMs)}, evicted ${localTimings.tolerationSeconds} s later; the defaults of Kubernetes are 50 s and 300 s.)`,
  obstacle: async ({ client }) => {
    const { items } = await client.list(nodes);
    return items.filter(isNodeReady).length < 2 ? "it needs a second node: orrery node add" : undefined;
  },
  play: async (stage) => {
    const { client, cluster, namespace, io, signal } = stage;
    const count = (await activePods(stage, "web")).length;
    const node = await nodeOfCounter(stage);
    const checkCount = await counterOf(stage);
    await killNodes(cluster, [node], io);
    try {
      await loseAndReplace(stage, node, count);
      await checkCount();
    } finally {
      // The cluster may have other users: the node is started again even if the act fails.
      await startNodes(cluster, [node], io, signal);
      await changeTaints(stage, node, (taints) => taints.filter((taint) => taint.key !== outOfService.key));
    }
    await eventually(stage, "the evicted pods of the node are removed", 60_000, async () => {
      const { items } = await client.list(pods, { namespace, fieldSelector: `spec.nodeName=${node}` });
      return { holds: items.length === 0, seen: `${items.length} are still bound to it` };
    });
  },
};
