// Runs the cluster autoscaler in one process, with the nodes of this machine's engine as its provider.
import { statfsSync } from "node:fs";
import type { Node } from "../api/generated/types.ts";
import { timestamp } from "../api/meta.ts";
import { clusterAutoscaler } from "../controllers/clusterautoscaler/controller.ts";
import { defaultSettings } from "../controllers/clusterautoscaler/ports.ts";
import { capacityOf as nodeCapacity, nodeLabels } from "../kubelet/node/node-status.ts";
import type { DecisionLog } from "../machinery/decisions.ts";
import { httpClient } from "../machinery/http-client.ts";
import { sharedViews } from "../machinery/informer.ts";
import { realWorld } from "../machinery/real-world.ts";
import { runReconciler } from "../machinery/reconcile.ts";
import type { World } from "../machinery/world.ts";
import { type AutoscalerConfig, capacityOf, readTls, type Worker } from "./cluster/config.ts";
import { forgetVolumes } from "./cluster/lost-volumes.ts";
import { dockerNodes } from "./cluster/node-provider.ts";
import { requireState } from "./cluster/state.ts";
import { componentLog } from "./logging.ts";
import { clusterDir } from "./paths.ts";
import { schedulingSimulation } from "./simulation.ts";

/** A node of a worker's size, as its kubelet will register it. */
function templateOf(worker: Worker, { clock }: World, folder: string): Node {
  const { bsize, blocks } = statfsSync(folder);
  const identity = {
    ...{ nodeName: "template", nodeIp: "", kubeletPort: 0, podCidr: undefined, labels: {} },
    ...{ machineId: "", bootId: "", osImage: "", kernel: "", architecture: process.arch },
    capacity: capacityOf(worker),
  };
  const capacity = nodeCapacity(identity, { diskCapacityBytes: bsize * blocks });
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      ...{ name: "template", uid: "", resourceVersion: "", labels: nodeLabels(identity) },
      creationTimestamp: timestamp(clock.now()),
    },
    spec: {},
    status: { capacity, allocatable: capacity, conditions: [{ type: "Ready", status: "True" }] },
  };
}

/** Writes each decision to the log of the process, when it differs from the last. */
function loggedDecisions({ log }: World): DecisionLog {
  let last = "";
  return {
    record({ because, actions }) {
      const text = JSON.stringify([because, actions]);
      if (text !== last) log("decided", { because, actions });
      last = text;
    },
    of: () => [],
  };
}

/** Runs until the signal aborts. Nodes stay as they are. */
export async function runClusterAutoscaler(config: AutoscalerConfig, signal: AbortSignal): Promise<void> {
  const { cluster, server, pki, maxNodes, timings } = config;
  const world = realWorld(componentLog("autoscaler"));
  const client = httpClient(
    { url: server, userAgent: "cluster-autoscaler", ...readTls(pki.ca, pki.client) },
    world,
    signal,
  );
  const { workers } = await requireState(cluster);
  const template = templateOf(workers[0]!, world, clusterDir(cluster));
  const settings = { ...defaultSettings, ...timings, group: `${cluster}-node`, maxNodes, template };
  const provider = dockerNodes(cluster, world.clock);
  const remove = async (name: string): Promise<void> => {
    await provider.remove(name);
    const lost = await forgetVolumes(client, name);
    if (lost.length > 0) world.log("data of claims lost with a node", { node: name, claims: lost });
  };
  const ports = { provider: { ...provider, remove }, simulation: schedulingSimulation(config) };
  const views = sharedViews(client, world);
  const runtime = { client, world, views, decisions: loggedDecisions(world) };
  const autoscaler = clusterAutoscaler(ports, client, world, settings);
  await Promise.all([runReconciler(autoscaler, runtime, signal), views.run(signal)]);
}
