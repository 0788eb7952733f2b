// Deletion of namespaces with their contents. No node runs the pods, so they are deleted immediately unless they have
// finalizers.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";
import { waitOptions, whileControlled } from "./running-controllers.ts";
import { patched, refused } from "./requests.ts";

const pod = (name: string, finalizers: string[] = []): any => ({
  metadata: { name, finalizers },
  spec: { containers: [{ name: "pause", image: "pause:1" }] },
});

/** The namespace is not found. */
const gone = (core: CoreV1Api, name: string): Promise<void> =>
  vi.waitFor(async () => expect((await refused(core.readNamespace({ name }))).code).toBe(404), waitOptions);

behaviour("OrderedNamespaceDeletion namespace deletion should delete pod first", async (context) => {
  const { send, client, namespace } = context;
  const core = client(CoreV1Api);
  await whileControlled(context, async () => {
    await core.createNamespacedPod({ namespace, body: pod("held", ["e2e.example.com/finalizer"]) });
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "kept" } } });
    await core.deleteNamespace({ name: namespace });
    await vi.waitFor(async () => {
      const { status } = await core.readNamespace({ name: namespace });
      const remaining = status?.conditions?.find((c) => c.type === "NamespaceContentRemaining");
      expect(remaining?.message).toBe("Some resources are remaining: pods. has 1 resource instances");
    }, waitOptions);
    const [held, kept] = await Promise.all([
      core.readNamespacedPod({ namespace, name: "held" }),
      core.readNamespacedConfigMap({ namespace, name: "kept" }),
    ]);
    expect(held.metadata?.deletionTimestamp).toBeInstanceOf(Date);
    expect(kept.metadata?.deletionTimestamp).toBeUndefined();
    await patched(send, `/api/v1/namespaces/${namespace}/pods/held`, { metadata: { finalizers: null } });
    await gone(core, namespace);
  });
});

const removed =
  (plural: "pods" | "services", body: (core: CoreV1Api, namespace: string) => Promise<unknown>) =>
  async (context: ScenarioContext): Promise<void> => {
    const { client, namespace } = context;
    const core = client(CoreV1Api);
    await whileControlled(context, async () => {
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
