// A cluster without a container: a server that listens, the controllers, the scheduler, and one node whose kubelet is
// real; only the engine beneath it is simulated.
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { runControllers } from "../../controllers/controllers.ts";
import { decisionLog } from "../../machinery/decisions.ts";
import { explanations } from "../../machinery/explanations.ts";
import { informer } from "../../machinery/informer.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { defaultPlugins } from "../../scheduler/plugins/default.ts";
import { runScheduler } from "../../scheduler/scheduler.ts";
import { type ListeningOptions, listeningServer, type TestServer } from "./listening.ts";
import { simulatedNode } from "./simulated-node.ts";

const world = realWorld(() => {});

/** Starts all of it; closing the server stops it. What its components decide is explained. */
export async function runningCluster(listening: ListeningOptions = {}): Promise<TestServer> {
  const explained = explanations();
  const server = await listeningServer({ ...listening, explanations: explained });
  const stop = new AbortController();
  const { signal } = stop;
  const client = server.as("kube-scheduler");
  const views = { pods: informer(client, pods, world), nodes: informer(client, nodes, world) };
  const decisions = decisionLog();
  const options = {
    ...{ rootCa: server.ca, clusterCidr: "10.244.0.0/16", nodeGraceMs: 50_000, decisions },
    autoscaler: { periodMs: 500, shrinkWindowSeconds: 1 },
  };
  explained.provide("decisions", decisions.of, signal);
  const node = await simulatedNode(server);
  const running = [
    runControllers(server.as("kube-controller-manager"), world, options, signal),
    runScheduler(views, client, world, { plugins: defaultPlugins(), explanations: explained }, signal),
    views.pods.run(signal),
    views.nodes.run(signal),
  ];
  return {
    ...server,
    async close() {
      stop.abort();
      await Promise.all([...running, node.close()]);
      await server.close();
    },
  };
}
