// A whole cluster without a container: a server that listens, the controllers, the scheduler, and one node whose
// kubelet is real; only the engine beneath it is simulated.
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { runControllers } from "../../controllers/controllers.ts";
import { informer } from "../../machinery/informer.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { defaultPlugins } from "../../scheduler/plugins/default.ts";
import { runScheduler } from "../../scheduler/scheduler.ts";
import { listeningServer, type TestServer } from "../suites/listening.ts";
import { simulatedNode } from "../suites/simulated-node.ts";

const world = realWorld(() => {});
const options = {
  rootCa: "the certificate of the authority",
  clusterCidr: "10.244.0.0/16",
  nodeGraceMs: 50_000,
  autoscaler: { periodMs: 1000, shrinkWindowSeconds: 1 },
};

/** A server that has somewhere to run pods, and somebody to look after them. */
export async function wholeCluster(): Promise<TestServer> {
  const server = await listeningServer();
  const client = server.as("kube-scheduler");
  const stop = new AbortController();
  const views = { pods: informer(client, pods, world), nodes: informer(client, nodes, world) };
  const node = await simulatedNode(server);
  const running = [
    runControllers(server.as("kube-controller-manager"), world, options, stop.signal),
    runScheduler(views, client, world, { plugins: defaultPlugins() }, stop.signal),
    views.pods.run(stop.signal),
    views.nodes.run(stop.signal),
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
