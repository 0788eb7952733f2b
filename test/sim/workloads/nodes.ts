// The cluster autoscaler with a deployment that outgrows the nodes: users resize it, machines fail, the autoscaler
// crashes between its steps.
import { deployments } from "../../../api/apps/deployments.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { isReady, isTerminal } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Deployment, Node, Pod } from "../../../api/generated/types.ts";
import { type Draft, instantOf, key } from "../../../api/meta.ts";
import { schedulingSimulation } from "../../../cli/simulation.ts";
import { clusterAutoscaler } from "../../../controllers/clusterautoscaler/controller.ts";
import { defaultSettings, type Settings } from "../../../controllers/clusterautoscaler/ports.ts";
import { sharedViews } from "../../../machinery/informer.ts";
import { runReconciler } from "../../../machinery/reconcile.ts";
import type { Committed, Rule } from "../judge.ts";
import { type MachineRoom, simulatedNodes } from "../node-provider.ts";
import { beginning } from "../virtual-clock.ts";
import type { ComponentOf, Workload } from "./workload.ts";

const maxNodes = 6;
const perNode = 3;
const cpu = "200m";
const name = "elastic";
const draft: Draft<Deployment> = {
  kind: "Deployment",
  metadata: { name, namespace: "default" },
  spec: {
    replicas: 4,
    // No pod beyond the desired ones, so that what is requested changes by users alone.
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "main", image: "app:1", resources: { requests: { cpu } } }] },
    },
  },
};
const allocatable = { cpu: "600m", memory: "16Gi", pods: "110" };
const template: Node = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "template", uid: "", resourceVersion: "", creationTimestamp: "" },
  spec: {},
  status: { allocatable, capacity: allocatable, conditions: [{ type: "Ready", status: "True" }] },
};
const settings: Settings = {
  ...{ ...defaultSettings, group: "nodes", maxNodes, template, scanMs: 5_000, unneededMs: 15_000, unreadyMs: 60_000 },
  ...{
    delayAfterAddMs: 15_000,
    delayAfterFailureMs: 10_000,
    provisionMs: 60_000,
    taintDelayMs: 2_000,
    drainMs: 60_000,
  },
};

const tooMany = "more nodes than allowed";
const flapping = "node added after one was removed";

/** Runs the autoscaler; its provider of machines checks how many there are, and when one is added. */
const component: ComponentOf = ({ world, nodeNames, startNode, isPeaceful, accuse, decided }) => {
  let removedInPeace = false;
  const room: MachineRoom = {
    ...{ fixed: nodeNames, added: new Map(), maxNodes: maxNodes + 100, start: startNode },
    adding(size) {
      if (size > maxNodes) accuse(tooMany, `${size}`);
      // The load does not change any more, so nothing that was removed is needed again.
      if (removedInPeace) accuse(flapping, `${size}`);
    },
    removed: () => {
      removedInPeace ||= isPeaceful();
    },
  };
  return async (client, signal) => {
    const provider = simulatedNodes(room, world.clock, signal);
    const ports = { provider, simulation: schedulingSimulation({ packing: "MostAllocated" }) };
    const views = sharedViews(client, world);
    const runtime = { client, world, views, ...(decided && { decisions: { record: decided, of: () => [] } }) };
    const autoscaler = clusterAutoscaler(ports, client, world, settings);
    await Promise.all([runReconciler(autoscaler, runtime, signal), views.run(signal)]);
  };
};

/** A pod that was bound at the last moment may be lost. */
const recentMs = 10_000;
const emptied: Rule<Node> = {
  name: "node removed with pods on it",
  kind: nodes,
  broken(after, before, committed) {
    if (after || !before?.spec.taints?.some((t) => t.key.startsWith("ToBeDeleted"))) return undefined;
    const isOld = (p: Pod): boolean =>
      committed.at + beginning - instantOf(p.metadata.creationTimestamp) > recentMs && !p.metadata.deletionTimestamp;
    const left = committed
      .all(pods)
      .filter((p) => p.spec.nodeName === before.metadata.name && !isTerminal(p) && isOld(p));
    return left.length > 0 ? `${before.metadata.name}: ${left.map((p) => p.metadata.name).join()}` : undefined;
  },
};

const isIdle = ({ metadata }: Node, committed: Committed): boolean =>
  !committed.all(pods).some((p) => p.spec.nodeName === metadata.name) &&
  committed.at + beginning - instantOf(metadata.creationTimestamp) > 90_000;

export const nodeWorkload: Workload = {
  kinds: [deployments, pods],
  component,
  accusations: [tooMany, flapping],
  begin: (user) => user.create(deployments, draft),
  async meddle(user, random) {
    const dice = random.next();
    const version = String(Math.floor(random.next() * 3));
    const spec =
      dice < 0.8
        ? { replicas: Math.floor(random.next() * (maxNodes * perNode + 3)) }
        : { template: { metadata: { annotations: { version } } } };
    await user.patch(deployments, key("default", name), { type: "merge", patch: { spec } });
  },
  rules: () => [emptied],
  unsettled(committed) {
    const desired = Math.min(committed.all(deployments)[0]?.spec.replicas ?? 0, maxNodes * perNode);
    const ready = committed.all(pods).filter((p) => isReady(p) && p.spec.nodeName !== undefined).length;
    const idle = committed
      .all(nodes)
      .filter((node) => /node-[3-9]|node-\d\d/.test(node.metadata.name) && isIdle(node, committed));
    return [
      ...(ready === desired ? [] : [`${ready} pods ready of ${desired}`]),
      ...idle.map((node) => `${node.metadata.name} is idle`),
    ];
  },
};
