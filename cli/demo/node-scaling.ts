// An act about the cluster autoscaler: pods that find no room get a node, which is removed when they are gone.
import { deployments } from "../../api/apps/deployments.ts";
import { events } from "../../api/core/events.ts";
import { nodes } from "../../api/core/nodes.ts";
import type { Deployment } from "../../api/generated/types.ts";
import { type Draft, key } from "../../api/meta.ts";
import { cpuQuantity, milliOf } from "../../api/quantity.ts";
import { readState } from "../cluster/state.ts";
import { clusterAutoscalerTimings } from "../cluster/timings.ts";
import { type Act, check, detail, eventually, readyPods, type Stage } from "./stage.ts";
import { isNodeReady } from "./visitors.ts";

const name = "reports";

/** Pods of which a node holds one. */
const reports = (namespace: string, replicas: number, cpu: string): Draft<Deployment> => ({
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            ...{ name: "main", image: "orrery/busybox:1", command: ["sleep", "infinity"] },
            resources: { requests: { cpu, memory: "8Mi" } },
          },
        ],
      },
    },
  },
});

const nodeNames = async ({ client }: Stage): Promise<readonly string[]> =>
  (await client.list(nodes)).items.map(({ metadata }) => metadata.name);

/** The first message of an event with this reason about an object whose name begins so. Throws CliError without one. */
async function reasonOf({ client }: Stage, namespace: string, reason: string, prefix: string): Promise<string> {
  const { items } = await client.list(events, { namespace, fieldSelector: `reason=${reason}` });
  const found = items.find(({ involvedObject }) => involvedObject.name?.startsWith(prefix));
  check(found?.message !== undefined, `no event ${reason} says why`);
  return found.message;
}

/** Adds pods, of which one finds no room, until a node is there for it. Returns the names of new nodes. */
async function grow(stage: Stage, before: readonly string[]): Promise<readonly string[]> {
  const { client, namespace, io } = stage;
  const { items } = await client.list(nodes);
  const allocatable = Math.min(...items.map(({ status }) => milliOf(status?.allocatable?.["cpu"])));
  const draft = reports(namespace, before.length + 1, cpuQuantity(Math.floor(allocatable * 0.6)));
  await io.progress.step(`${before.length + 1} pods that each need more than half a node are created`, () =>
    client.create(deployments, draft),
  );
  await eventually(stage, "a node is added", 60_000, async () => {
    const now = await nodeNames(stage);
    return { holds: now.length > before.length, seen: `${now.length} nodes` };
  });
  await eventually(stage, "all of them are Ready", 60_000, readyPods(stage, name, before.length + 1));
  detail(stage, await reasonOf(stage, namespace, "TriggeredScaleUp", name));
  return (await nodeNames(stage)).filter((node) => !before.includes(node));
}

export const scaleNodes: Act = {
  title: "A node is added, and removed",
  story:
    "The cluster autoscaler tries pods that wait for room on a new node, by the scheduler's own rules. It removes a node that it " +
    `added once little is requested of it and its pods fit elsewhere, for ${clusterAutoscalerTimings.unneededMs / 1000} s here and 10 min in Kubernetes.`,
  obstacle: async ({ cluster, client }) => {
    const state = await readState(cluster);
    const { items } = await client.list(nodes);
    const isPossible =
      state?.maxNodes !== undefined && state.workers.length < state.maxNodes && items.every(isNodeReady);
    return isPossible ? undefined : "it needs an autoscaler that may add a node: orrery up --max-nodes N";
  },
  play: async (stage) => {
    const { client, namespace, io } = stage;
    const before = await nodeNames(stage);
    const [added] = await grow(stage, before);
    check(added !== undefined, "no node was added");
    await io.progress.step("the pods are deleted", () => client.delete(deployments, key(namespace, name)));
    await eventually(stage, `${added} is removed`, 120_000, async () => {
      const now = await nodeNames(stage);
      return { holds: !now.includes(added), seen: `${now.length} nodes` };
    });
    detail(stage, await reasonOf(stage, "kube-system", "ScaleDownEmpty", "cluster-autoscaler-status"));
    const after = await nodeNames(stage);
    check(
      before.every((node) => after.includes(node)),
      "a node was removed that the autoscaler had not added",
    );
  },
};
