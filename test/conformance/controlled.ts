// The controllers, beside the server as they are in a cluster; and pods that run without a node, as far as anybody is
// told.
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

/** With the controllers at work, for as long as it takes. */
export async function whileControlled({ server }: ScenarioContext, body: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const autoscaler = { periodMs: 15_000, shrinkWindowSeconds: 300 };
  const options = { rootCa: server.ca, clusterCidr: "10.244.0.0/16", nodeGraceMs: 50_000, autoscaler };
  const running = runControllers(
    server.inProcess,
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
/** With the scheduler at work, too. */
export async function whileScheduled(context: ScenarioContext, body: () => Promise<void>): Promise<void> {
  const { inProcess } = context.server;
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
/** How long to wait for what they do. */
export const waitOptions = { timeout: 45_000, interval: 50 };

/** Says of a pod, over the wire, what its kubelet would. */
export async function reported({ ask, namespace }: ScenarioContext, name: string, status: object): Promise<void> {
  await patched(ask, `/api/v1/namespaces/${namespace}/pods/${name}/status`, { status });
}
const ready = (ip: string): object => ({
  phase: "Running",
  podIP: ip,
  podIPs: [{ ip }],
  conditions: [{ type: "Ready", status: "True", lastTransitionTime: new Date().toISOString() }],
});

/** Which pods come to run; the others wait for an image that never comes. */
export type Runnable = (pod: V1Pod) => boolean;

/** With the controllers at work, and kubelets that run every pod of the namespace which can be run. */
export async function whileRunning(
  context: ScenarioContext,
  body: () => Promise<void>,
  isRunnable: Runnable = () => true,
): Promise<void> {
  let count = 0;
  const run = ({ metadata, status, ...rest }: V1Pod): void => {
    const isWaiting = status?.phase === "Pending" && metadata?.deletionTimestamp === undefined;
    if (!isWaiting || !isRunnable({ metadata, status, ...rest } as V1Pod)) return;
    // It may be gone by then.
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

/** The names of the pods of the namespace that are there to stay. */
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
