// Namespaces that are deleted with all that is in them. The controllers run beside the server, as they do in a cluster;
// no node runs the pods, which therefore go at once unless somebody holds them.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { runControllers } from "../../controllers/controllers.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { behaviour, type Stage } from "./behaviour.ts";
import { patched, refused } from "./requests.ts";

const pod = (name: string, finalizers: string[] = []): any => ({
  metadata: { name, finalizers },
  spec: { containers: [{ name: "pause", image: "pause:1" }] },
});

/** With the controllers at work, for as long as it takes. */
async function whileControlled({ server }: Stage, body: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const autoscaler = { periodMs: 15_000, shrinkWindowSeconds: 300 };
  const options = { clusterCidr: "10.244.0.0/16", nodeGraceMs: 50_000, autoscaler };
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
const patience = { timeout: 15_000, interval: 50 };

/** Nobody finds the namespace any more. */
const gone = (core: CoreV1Api, name: string): Promise<void> =>
  vi.waitFor(async () => expect((await refused(core.readNamespace({ name }))).code).toBe(404), patience);

behaviour("OrderedNamespaceDeletion namespace deletion should delete pod first", async (stage) => {
  const { ask, client, namespace } = stage;
  const core = client(CoreV1Api);
  await whileControlled(stage, async () => {
    await core.createNamespacedPod({ namespace, body: pod("held", ["e2e.example.com/finalizer"]) });
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "kept" } } });
    await core.deleteNamespace({ name: namespace });
    await vi.waitFor(async () => {
      const { status } = await core.readNamespace({ name: namespace });
      const remaining = status?.conditions?.find((c) => c.type === "NamespaceContentRemaining");
      expect(remaining?.message).toBe("Some resources are remaining: pods. has 1 resource instances");
    }, patience);
    const [held, kept] = await Promise.all([
      core.readNamespacedPod({ namespace, name: "held" }),
      core.readNamespacedConfigMap({ namespace, name: "kept" }),
    ]);
    expect(held.metadata?.deletionTimestamp).toBeInstanceOf(Date);
    expect(kept.metadata?.deletionTimestamp).toBeUndefined();
    await patched(ask, `/api/v1/namespaces/${namespace}/pods/held`, { metadata: { finalizers: null } });
    await gone(core, namespace);
  });
});

const removed =
  (plural: "pods" | "services", body: (core: CoreV1Api, namespace: string) => Promise<unknown>) =>
  async (stage: Stage): Promise<void> => {
    const { client, namespace } = stage;
    const core = client(CoreV1Api);
    await whileControlled(stage, async () => {
      await body(core, namespace);
      await core.deleteNamespace({ name: namespace });
      await gone(core, namespace);
      await core.createNamespace({ body: { metadata: { name: namespace } } });
      const left =
        plural === "pods"
          ? await core.listNamespacedPod({ namespace })
          : await core.listNamespacedService({ namespace });
      expect(left.items).toEqual([]);
    });
  };

behaviour(
  "Namespaces should ensure that all pods are removed when a namespace is deleted",
  removed("pods", (core, namespace) => core.createNamespacedPod({ namespace, body: pod("test-pod") })),
);
behaviour(
  "Namespaces should ensure that all services are removed when a namespace is deleted",
  removed("services", (core, namespace) =>
    core.createNamespacedService({
      namespace,
      body: { metadata: { name: "test-service" }, spec: { ports: [{ port: 80 }] } },
    }),
  ),
);
