// ReplicaSets and ReplicationControllers with running controllers. No node runs the pods: the test writes their status.
import { AppsV1Api, CoreV1Api, type V1ObjectMeta } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";
import { waitOptions, podNames, whileControlled, whileRunning } from "./running-controllers.ts";
import { historyOf, patched, refused } from "./requests.ts";

const image = "registry.example.com/web:1";
const template = (labels: object): object => ({
  metadata: { labels },
  spec: { containers: [{ name: "web", image }], terminationGracePeriodSeconds: 0 },
});
const setOf = (name: string, replicas: number, labels: Record<string, string> = { app: name }): any => ({
  metadata: { name, labels },
  spec: { replicas, selector: { matchLabels: labels }, template: template(labels) },
});
const controllerOf = (name: string, replicas: number, labels: Record<string, string> = { app: name }): any => ({
  metadata: { name, labels },
  spec: { replicas, selector: labels, template: template(labels) },
});

const settled = (isSo: () => Promise<void>): Promise<void> => vi.waitFor(isSo, waitOptions);
const owners = ({ metadata }: { readonly metadata?: V1ObjectMeta }): readonly string[] =>
  (metadata?.ownerReferences ?? []).filter((o) => o.controller).map((o) => `${o.kind}/${o.name}`);

/** Creates a pod without a controller. */
async function alone(
  { client, namespace }: ScenarioContext,
  name: string,
  labels: Record<string, string>,
): Promise<void> {
  const body: any = { metadata: { name, labels }, spec: { containers: [{ name: "web", image }] } };
  await client(CoreV1Api).createNamespacedPod({ namespace, body });
}
async function ownersOf({ client, namespace }: ScenarioContext, name: string): Promise<readonly string[]> {
  return owners(await client(CoreV1Api).readNamespacedPod({ namespace, name }));
}

behaviour("ReplicaSet should adopt matching pods on creation and release no longer matching pods", async (context) => {
  const { send, client, namespace } = context;
  await whileRunning(context, async () => {
    await alone(context, "found", { name: "adopted" });
    await client(AppsV1Api).createNamespacedReplicaSet({ namespace, body: setOf("set", 1, { name: "adopted" }) });
    await settled(async () => expect(await ownersOf(context, "found")).toEqual(["ReplicaSet/set"]));
    expect(await podNames(context)).toEqual(["found"]);
    await patched(send, `/api/v1/namespaces/${namespace}/pods/found`, { metadata: { labels: { name: "other" } } });
    await settled(async () => {
      expect(await ownersOf(context, "found")).toEqual([]);
      expect(await podNames(context, "name=adopted")).toHaveLength(1);
    });
  });
});

behaviour("ReplicationController should adopt matching pods on creation", async (context) => {
  const { client, namespace } = context;
  await whileRunning(context, async () => {
    await alone(context, "found", { name: "adopted" });
    const body = controllerOf("rc", 1, { name: "adopted" });
    await client(CoreV1Api).createNamespacedReplicationController({ namespace, body });
    await settled(async () => expect(await ownersOf(context, "found")).toEqual(["ReplicationController/rc"]));
    expect(await podNames(context)).toEqual(["found"]);
  });
});

behaviour("ReplicationController should release no longer matching pods", async (context) => {
  const { send, client, namespace } = context;
  await whileRunning(context, async () => {
    await client(CoreV1Api).createNamespacedReplicationController({ namespace, body: controllerOf("rc", 1) });
    await settled(async () => expect(await podNames(context)).toHaveLength(1));
    const [first = ""] = await podNames(context);
    await patched(send, `/api/v1/namespaces/${namespace}/pods/${first}`, { metadata: { labels: { app: "other" } } });
    await settled(async () => expect(await ownersOf(context, first)).toEqual([]));
    await settled(async () => expect(await podNames(context, "app=rc")).toHaveLength(1));
  });
});

behaviour("ReplicaSet Replicaset should have a working scale subresource", async (context) => {
  const { send, client, namespace } = context;
  const apps = client(AppsV1Api);
  const name = "scaled";
  await whileRunning(context, async () => {
    await apps.createNamespacedReplicaSet({ namespace, body: setOf(name, 1) });
    await settled(async () => expect(await podNames(context)).toHaveLength(1));
    const scale = await apps.readNamespacedReplicaSetScale({ namespace, name });
    await settled(async () => {
      const { spec, status } = await apps.readNamespacedReplicaSetScale({ namespace, name });
      expect([spec?.replicas, status?.replicas, status?.selector]).toEqual([1, 1, `app=${name}`]);
    });
    scale.metadata!.resourceVersion = "";
    scale.spec!.replicas = 2;
    expect((await apps.replaceNamespacedReplicaSetScale({ namespace, name, body: scale })).spec?.replicas).toBe(2);
    expect((await apps.readNamespacedReplicaSet({ namespace, name })).spec?.replicas).toBe(2);
    await patched(send, `/apis/apps/v1/namespaces/${namespace}/replicasets/${name}/scale`, { spec: { replicas: 4 } });
    expect((await apps.readNamespacedReplicaSet({ namespace, name })).spec?.replicas).toBe(4);
    await settled(async () => expect(await podNames(context)).toHaveLength(4));
  });
});

behaviour("ReplicationController should get and update a ReplicationController scale", async (context) => {
  const { client, namespace } = context;
  const core = client(CoreV1Api);
  const name = "scaled";
  await whileRunning(context, async () => {
    await core.createNamespacedReplicationController({ namespace, body: controllerOf(name, 1) });
    await settled(async () => expect(await podNames(context)).toHaveLength(1));
    const scale = await core.readNamespacedReplicationControllerScale({ namespace, name });
    expect([scale.spec?.replicas, scale.status?.selector]).toEqual([1, `app=${name}`]);
    scale.spec!.replicas = 2;
    scale.metadata!.resourceVersion = "";
    await core.replaceNamespacedReplicationControllerScale({ namespace, name, body: scale });
    await settled(async () => {
      const { spec, status } = await core.readNamespacedReplicationController({ namespace, name });
      expect([spec?.replicas, status?.replicas, status?.readyReplicas]).toEqual([2, 2, 2]);
    });
  });
});

behaviour("ReplicaSet Replace and Patch tests", async (context) => {
  const { send, client, namespace } = context;
  const apps = client(AppsV1Api);
  const name = "test-rs";
  const isReady = (count: number) =>
    settled(async () =>
      expect((await apps.readNamespacedReplicaSet({ namespace, name })).status?.readyReplicas).toBe(count),
    );
  await whileRunning(context, async () => {
    await apps.createNamespacedReplicaSet({ namespace, body: setOf(name, 1) });
    await isReady(1);
    const replacement = await apps.readNamespacedReplicaSet({ namespace, name });
    replacement.spec!.replicas = 2;
    delete replacement.metadata!.resourceVersion;
    await apps.replaceNamespacedReplicaSet({ namespace, name, body: replacement });
    await isReady(2);
    const other = "registry.example.com/other:1";
    const spec = {
      template: { spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "web", image: other }] } },
    };
    await patched(
      send,
      `/apis/apps/v1/namespaces/${namespace}/replicasets/${name}`,
      { metadata: { labels: { "test-rs": "patched" } }, spec: { replicas: 3, ...spec } },
      "strategic",
    );
    await isReady(3);
    const after = await apps.readNamespacedReplicaSet({ namespace, name });
    expect([after.metadata?.labels?.["test-rs"], after.spec?.template?.spec?.containers[0]?.image]).toEqual([
      "patched",
      other,
    ]);
    // Only pods created after the change have the new template.
    const { items } = await client(CoreV1Api).listNamespacedPod({ namespace });
    expect(items.map((p) => p.spec?.containers[0]?.image).toSorted()).toEqual([other, image, image].toSorted());
  });
});

behaviour("ReplicaSet should list and delete a collection of ReplicaSets", async (context) => {
  const { client, namespace } = context;
  const apps = client(AppsV1Api);
  const labelSelector = `e2e=${namespace}`;
  await whileRunning(context, async () => {
    await apps.createNamespacedReplicaSet({ namespace, body: setOf("collected", 3, { e2e: namespace }) });
    await settled(async () => expect(await podNames(context)).toHaveLength(3));
    expect((await apps.listReplicaSetForAllNamespaces({ labelSelector })).items.map((s) => s.metadata?.name)).toEqual([
      "collected",
    ]);
    await apps.deleteCollectionNamespacedReplicaSet({ namespace, labelSelector });
    expect((await apps.listReplicaSetForAllNamespaces({ labelSelector })).items).toEqual([]);
    await settled(async () => expect(await podNames(context)).toEqual([]));
  });
});

behaviour("ReplicaSet should validate Replicaset Status endpoints", async (context) => {
  const { send, client, namespace } = context;
  const apps = client(AppsV1Api);
  const name = "test-rs";
  const path = `/apis/apps/v1/namespaces/${namespace}/replicasets/${name}`;
  const condition = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set by an e2e test" };
  await whileRunning(context, async () => {
    const made = await apps.createNamespacedReplicaSet({ namespace, body: setOf(name, 1) });
    await settled(async () => {
      const { status } = await apps.readNamespacedReplicaSetStatus({ namespace, name });
      expect([status?.replicas, status?.availableReplicas, status?.observedGeneration]).toEqual([1, 1, 1]);
    });
    await vi.waitFor(async () => {
      const current = await apps.readNamespacedReplicaSetStatus({ namespace, name });
      current.status!.conditions = [condition];
      await apps.replaceNamespacedReplicaSetStatus({ namespace, name, body: current });
    }, waitOptions);
    const patch = { ...condition, type: "StatusPatched" };
    const after = await patched(send, `${path}/status`, { status: { conditions: [patch] } });
    expect(after.status.conditions).toEqual([patch]);
    const events = await historyOf(send, path.replace(`/${name}`, ""), made.metadata!.resourceVersion!);
    const types = events.flatMap((e) => e.object.status?.conditions ?? []).map((c) => c.type);
    expect(types).toEqual(expect.arrayContaining(["StatusUpdate", "StatusPatched"]));
  });
});

behaviour("ReplicationController should test the lifecycle of a ReplicationController", async (context) => {
  const { send, client, namespace } = context;
  const core = client(CoreV1Api);
  const name = "rc-test";
  const labelSelector = `test-rc-static=${namespace}`;
  const path = `/api/v1/namespaces/${namespace}/replicationcontrollers/${name}`;
  await whileRunning(context, async () => {
    const body = controllerOf(name, 1, { "test-rc-static": namespace });
    const made = await core.createNamespacedReplicationController({ namespace, body });
    const isReady = (count: number) =>
      settled(async () => {
        const { status } = await core.readNamespacedReplicationControllerStatus({ namespace, name });
        expect([status?.readyReplicas, status?.availableReplicas]).toEqual([count, count]);
      });
    await isReady(1);
    const labelled = await patched(send, path, { metadata: { labels: { "test-rc": "patched" } } });
    expect(labelled.metadata.labels["test-rc"]).toBe("patched");
    const status = await patched(send, `${path}/status`, { status: { readyReplicas: 0, availableReplicas: 0 } });
    expect(status.status.readyReplicas ?? 0).toBe(0);
    // The controller corrects the status.
    await isReady(1);
    await patched(send, `${path}/scale`, { spec: { replicas: 2 } });
    await isReady(2);
    const all = await core.listReplicationControllerForAllNamespaces({ labelSelector });
    expect(all.items.map((c) => [c.metadata?.name, c.spec?.replicas])).toEqual([[name, 2]]);
    const update = await core.readNamespacedReplicationController({ namespace, name });
    update.spec!.replicas = 4;
    delete update.metadata!.resourceVersion;
    await core.replaceNamespacedReplicationController({ namespace, name, body: update });
    await isReady(4);
    await core.deleteCollectionNamespacedReplicationController({ namespace, labelSelector });
    // Without propagation options its pods are orphaned, which takes a moment.
    await settled(async () =>
      expect((await refused(core.readNamespacedReplicationController({ namespace, name }))).code).toBe(404),
    );
    const events = await historyOf(send, path.replace(`/${name}`, ""), made.metadata!.resourceVersion!);
    expect(events.at(-1)?.type).toBe("DELETED");
  });
});

const twoOf = async (context: ScenarioContext, name: string, replicas: number): Promise<string> => {
  const core = context.client(CoreV1Api);
  const body = controllerOf(name, replicas);
  const made = await core.createNamespacedReplicationController({ namespace: context.namespace, body });
  await settled(async () => expect(await podNames(context, `app=${name}`)).toHaveLength(replicas));
  return made.metadata!.uid!;
};

behaviour("Garbage collector should delete pods created by rc when not orphaning", async (context) => {
  const { client, namespace } = context;
  await whileControlled(context, async () => {
    await twoOf(context, "rc", 2);
    const body = { propagationPolicy: "Background" };
    await client(CoreV1Api).deleteNamespacedReplicationController({ namespace, name: "rc", body });
    await settled(async () => expect(await podNames(context)).toEqual([]));
  });
});

behaviour("Garbage collector should orphan pods created by rc if delete options say so", async (context) => {
  const { client, namespace } = context;
  const core = client(CoreV1Api);
  await whileControlled(context, async () => {
    await twoOf(context, "rc", 3);
    const body = { propagationPolicy: "Orphan" };
    await core.deleteNamespacedReplicationController({ namespace, name: "rc", body });
    await settled(async () =>
      expect((await refused(core.readNamespacedReplicationController({ namespace, name: "rc" }))).code).toBe(404),
    );
    // Two dependents of a deleted owner measure the time in which orphaned ones would have been deleted.
    await twoOf(context, "other", 2);
    await core.deleteNamespacedReplicationController({
      namespace,
      name: "other",
      body: { propagationPolicy: "Background" },
    });
    await settled(async () => expect(await podNames(context, "app=other")).toEqual([]));
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: "app=rc" });
    expect(items.map((p) => [p.metadata?.deletionTimestamp, owners(p)])).toEqual(Array(3).fill([undefined, []]));
  });
});

/** A finalizer keeps a deleted pod, so that waiting owners can be observed. */
const held = "example.com/held";
const setFinalizers = ({ send, namespace }: ScenarioContext, name: string, finalizers: readonly string[] | null) =>
  patched(send, `/api/v1/namespaces/${namespace}/pods/${name}`, { metadata: { finalizers } });

behaviour(
  "Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so",
  async (context) => {
    const { client, namespace } = context;
    const core = client(CoreV1Api);
    await whileControlled(context, async () => {
      await twoOf(context, "rc", 2);
      const [kept = "", other = ""] = await podNames(context);
      await setFinalizers(context, kept, [held]);
      const body = { propagationPolicy: "Foreground" };
      await core.deleteNamespacedReplicationController({ namespace, name: "rc", body });
      await settled(async () => {
        expect((await refused(core.readNamespacedPod({ namespace, name: other }))).code).toBe(404);
        expect((await core.readNamespacedPod({ namespace, name: kept })).metadata?.deletionTimestamp).toBeDefined();
      });
      const waiting = await core.readNamespacedReplicationController({ namespace, name: "rc" });
      expect(waiting.metadata?.finalizers).toEqual(["foregroundDeletion"]);
      await setFinalizers(context, kept, null);
      await settled(async () =>
        expect((await refused(core.readNamespacedReplicationController({ namespace, name: "rc" }))).code).toBe(404),
      );
    });
  },
);

behaviour(
  "Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted",
  async (context) => {
    const { send, client, namespace } = context;
    const core = client(CoreV1Api);
    await whileControlled(context, async () => {
      await twoOf(context, "leaves", 4);
      const stays = { metadata: { name: "stays" }, spec: { ...controllerOf("stays", 0).spec } } as any;
      const { metadata } = await core.createNamespacedReplicationController({ namespace, body: stays });
      const reference = { apiVersion: "v1", kind: "ReplicationController", name: "stays", uid: metadata!.uid! };
      const shared = (await podNames(context)).slice(0, 2);
      for (const name of shared) {
        const pod = await core.readNamespacedPod({ namespace, name });
        const ownerReferences = [...pod.metadata!.ownerReferences!, reference];
        await patched(send, `/api/v1/namespaces/${namespace}/pods/${name}`, { metadata: { ownerReferences } });
      }
      const body = { propagationPolicy: "Foreground" };
      await core.deleteNamespacedReplicationController({ namespace, name: "leaves", body });
      await settled(async () =>
        expect((await refused(core.readNamespacedReplicationController({ namespace, name: "leaves" }))).code).toBe(404),
      );
      const { items } = await core.listNamespacedPod({ namespace });
      expect(items.map((p) => p.metadata!.name).toSorted()).toEqual(shared);
      expect(items.flatMap((p) => p.metadata!.ownerReferences!.map((o) => o.name))).toEqual(["stays", "stays"]);
      expect(items.every((p) => p.metadata!.deletionTimestamp === undefined)).toBe(true);
    });
  },
);

behaviour("Garbage collector should not be blocked by dependency circle", async (context) => {
  const { send, client, namespace } = context;
  await whileControlled(context, async () => {
    const names = ["pod1", "pod2", "pod3"];
    for (const name of names) await alone(context, name, { circle: "yes" });
    const { items } = await client(CoreV1Api).listNamespacedPod({ namespace });
    const uids = new Map(items.map((p) => [p.metadata!.name!, p.metadata!.uid!]));
    for (const [i, name] of names.entries()) {
      const owner = names[(i + 2) % names.length]!;
      const reference = { apiVersion: "v1", kind: "Pod", name: owner, uid: uids.get(owner)!, controller: true };
      const ownerReferences = [{ ...reference, blockOwnerDeletion: true }];
      await patched(send, `/api/v1/namespaces/${namespace}/pods/${name}`, { metadata: { ownerReferences } });
    }
    const body = { propagationPolicy: "Foreground" };
    await client(CoreV1Api).deleteNamespacedPod({ namespace, name: "pod1", body });
    await settled(async () => expect((await client(CoreV1Api).listNamespacedPod({ namespace })).items).toEqual([]));
  });
});
