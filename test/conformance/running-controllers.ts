// Controllers and the scheduler running with the test server, and pods whose status is written without a node.
import { CoreV1Api, type V1Pod, Watch } from "@kubernetes/client-node";
import { runControllers } from "../../controllers/controllers.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { informer } from "../../machinery/informer.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { defaultPlugins } from "../../scheduler/plugins/default.ts";
import { runScheduler } from "../../scheduler/scheduler.ts";
import type { ScenarioContext } from "./behaviour.ts";
import { patched } from "./requests.ts";

/** Runs the body with the controllers. */
export async function whileControlled({ server }: ScenarioContext, body: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const autoscaler = { periodMs: 15_000, shrinkWindowSeconds: 300 };
  const options = { rootCa: server.ca, clusterCidr: "10.244.0.0/16", nodeGraceMs: 50_000, autoscaler };
  const running = runControllers(
    server.as("kube-controller-manager"),
    realWorld(() => {}),
    options,
    stop.signal,
  ).catch(() => {});
  try {
    await body();
  } finally {
    stop.abort();
    await running;
  }
}
/** Runs the body with the controllers and the scheduler. */
export async function whileScheduled(context: ScenarioContext, body: () => Promise<void>): Promise<void> {
  const inProcess = context.server.as("kube-scheduler");
  const world = realWorld(() => {});
  const stop = new AbortController();
  const views = { pods: informer(inProcess, pods, world), nodes: informer(inProcess, nodes, world) };
  const running = [
    views.pods.run(stop.signal),
    views.nodes.run(stop.signal),
    runScheduler(views, inProcess, world, { plugins: defaultPlugins() }, stop.signal),
  ];
  try {
    await whileControlled(context, body);
  } finally {
    stop.abort();
    await Promise.allSettled(running);
  }
}
/** Time limits for their effects. */
export const waitOptions = { timeout: 45_000, interval: 50 };

/** Writes a pod status over HTTP, as a kubelet does. */
export async function reported({ send, namespace }: ScenarioContext, name: string, status: object): Promise<void> {
  await patched(send, `/api/v1/namespaces/${namespace}/pods/${name}/status`, { status });
}
const ready = (ip: string): object => ({
  phase: "Running",
  podIP: ip,
  podIPs: [{ ip }],
  conditions: [{ type: "Ready", status: "True", lastTransitionTime: new Date().toISOString() }],
});

/** Images that can run; pods with other images stay pending. */
export type Runnable = (pod: V1Pod) => boolean;

/** Runs the body with the controllers, and reports every runnable pod of the namespace as running. */
export async function whileRunning(
  context: ScenarioContext,
  body: () => Promise<void>,
  isRunnable: Runnable = () => true,
): Promise<void> {
  let count = 0;
  const run = ({ metadata, status, ...rest }: V1Pod): void => {
    const isWaiting = status?.phase === "Pending" && metadata?.deletionTimestamp === undefined;
    if (!isWaiting || !isRunnable({ metadata, status, ...rest } as V1Pod)) return;
    // The pod may be deleted by then.
    reported(context, metadata!.name!, ready(`10.244.0.${++count}`)).catch(() => {});
  };
  const path = `/api/v1/namespaces/${context.namespace}/pods`;
  const watching = await new Watch(context.config).watch(
    path,
    {},
    (_type, pod: V1Pod) => run(pod),
    () => {},
  );
  try {
    await whileControlled(context, body);
  } finally {
    watching.abort();
  }
}

/** The names of the pods in the namespace that are not terminating. */
export async function podNames(
  { client, namespace }: ScenarioContext,
  labelSelector?: string,
): Promise<readonly string[]> {
  const { items } = await client(CoreV1Api).listNamespacedPod({ namespace, ...(labelSelector && { labelSelector }) });
  return items
    .filter((p) => !p.metadata?.deletionTimestamp)
    .map((p) => p.metadata!.name!)
    .toSorted();
}
