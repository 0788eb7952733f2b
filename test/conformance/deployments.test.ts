// Deployments with running controllers. No node runs the pods: the test writes their status.
import { AppsV1Api, CoreV1Api, type V1Deployment, type V1ReplicaSet } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";
import { waitOptions, podNames, type Runnable, whileRunning } from "./running-controllers.ts";
import { historyOf, patched, refused } from "./requests.ts";

const image = (version: number | string): string => `registry.example.com/web:${version}`;
const template = (version: number | string, labels: object): object => ({
  metadata: { labels },
  spec: { containers: [{ name: "web", image: image(version) }], terminationGracePeriodSeconds: 0 },
});
const deployment = (name: string, replicas: number, more: object = {}): any => ({
  metadata: { name, labels: { app: name } },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template(1, { app: name }), ...more },
});
const settled = (isSo: () => Promise<void>): Promise<void> => vi.waitFor(isSo, waitOptions);

interface Hand {
  readonly path: string;
  make(body: object): Promise<V1Deployment>;
  read(name: string): Promise<V1Deployment>;
  /** Replica sets by the version of their pods. */
  sets(): Promise<ReadonlyMap<string, V1ReplicaSet>>;
  /** Sets the version of the pods. */
  roll(name: string, version: number | string): Promise<void>;
  /** Resolves when this number of pods has the newest version and is ready. */
  complete(name: string, replicas: number): Promise<void>;
}
const isComplete = ({ metadata, status }: V1Deployment, replicas: number): void =>
  expect([
    status?.observedGeneration,
    ...[status?.replicas, status?.updatedReplicas, status?.readyReplicas, status?.availableReplicas],
  ]).toEqual([metadata?.generation, ...Array(4).fill(replicas)]);

function handOf({ send, client, namespace }: ScenarioContext): Hand {
  const apps = client(AppsV1Api);
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const read = (name: string) => apps.readNamespacedDeployment({ namespace, name });
  return {
    path,
    read,
    make: (body) => apps.createNamespacedDeployment({ namespace, body }),
    async sets() {
      const { items } = await apps.listNamespacedReplicaSet({ namespace });
      return new Map(items.map((s) => [s.spec!.template!.spec!.containers[0]!.image!, s]));
    },
    async roll(name, version) {
      const containers = [{ name: "web", image: image(version) }];
      await patched(send, `${path}/${name}`, { spec: { template: { spec: { containers } } } }, "strategic");
    },
    complete: (name, replicas) => settled(async () => isComplete(await read(name), replicas)),
  };
}
const replicasOf = (sets: ReadonlyMap<string, V1ReplicaSet>, version: number | string): number | undefined =>
  sets.get(image(version))?.spec?.replicas;

behaviour("Deployment Deployment should have a working scale subresource", async (context) => {
  const { send, client, namespace } = context;
  const apps = client(AppsV1Api);
  const name = "scaled";
  const { make, read, path, complete } = handOf(context);
  await whileRunning(context, async () => {
    await make(deployment(name, 1));
    await complete(name, 1);
    const scale = await apps.readNamespacedDeploymentScale({ namespace, name });
    expect([scale.spec?.replicas, scale.status?.replicas, scale.status?.selector]).toEqual([1, 1, `app=${name}`]);
    scale.metadata!.resourceVersion = "";
    scale.spec!.replicas = 2;
    expect((await apps.replaceNamespacedDeploymentScale({ namespace, name, body: scale })).spec?.replicas).toBe(2);
    expect((await read(name)).spec?.replicas).toBe(2);
    await patched(send, `${path}/${name}/scale`, { spec: { replicas: 4 } });
    expect((await read(name)).spec?.replicas).toBe(4);
    await complete(name, 4);
  });
});

behaviour("Deployment RecreateDeployment should delete old pods and create new ones", async (context) => {
  const { send, client, namespace } = context;
  const { make, roll, complete } = handOf(context);
  await whileRunning(context, async () => {
    await make(deployment("again", 2, { strategy: { type: "Recreate" } }));
    await complete("again", 2);
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const before = await client(CoreV1Api).listNamespacedPod({ namespace });
    await roll("again", 2);
    await settled(async () => {
      const { items } = await client(CoreV1Api).listNamespacedPod({ namespace });
      expect(items.map((p) => p.spec?.containers[0]?.image)).toEqual([image(2), image(2)]);
    });
    await complete("again", 2);
    // The last old pod was deleted before the first new one was created.
    const events = await historyOf(send, pods, before.metadata!.resourceVersion!);
    const old = before.items.map((p) => p.metadata!.name);
    const lastDeleted = events.findLastIndex((e) => e.type === "DELETED" && old.includes(e.object.metadata.name));
    expect(events.findIndex((e) => e.type === "ADDED")).toBeGreaterThan(lastDeleted);
    expect(lastDeleted).toBeGreaterThanOrEqual(0);
  });
});

const revision = "deployment.kubernetes.io/revision";

behaviour("Deployment RollingUpdateDeployment should delete old pods and create new ones", async (context) => {
  const { client, namespace } = context;
  const { make, sets, complete } = handOf(context);
  const name = "rolling";
  await whileRunning(context, async () => {
    const labels = { app: name };
    const set: any = {
      ...deployment("found", 1),
      spec: { ...deployment(name, 1).spec, template: template(1, labels) },
    };
    set.metadata = { name: "found", labels, annotations: { [revision]: "3546343826724305832" } };
    await client(AppsV1Api).createNamespacedReplicaSet({ namespace, body: set });
    await settled(async () => expect(await podNames(context)).toHaveLength(1));
    const old = await podNames(context);
    await make(deployment(name, 1, { template: template(2, labels) }));
    await complete(name, 1);
    const found = await sets();
    const [first, second] = [found.get(image(1)), found.get(image(2))];
    // The existing set was adopted by the deployment, and has no pods.
    expect(first?.metadata?.ownerReferences?.map((o) => `${o.kind}/${o.name}`)).toEqual([`Deployment/${name}`]);
    expect([first?.spec?.replicas, second?.spec?.replicas]).toEqual([0, 1]);
    expect(second?.metadata?.annotations?.[revision]).toBe("3546343826724305833");
    await settled(async () => {
      const left = await podNames(context);
      expect([left.length, left.some((pod) => old.includes(pod))]).toEqual([1, false]);
    });
  });
});

behaviour("Deployment deployment should delete old replica sets", async (context) => {
  const { make, sets, roll, complete } = handOf(context);
  await whileRunning(context, async () => {
    await make(deployment("tidy", 1, { revisionHistoryLimit: 0 }));
    await complete("tidy", 1);
    await roll("tidy", 2);
    await complete("tidy", 1);
    await settled(async () => expect([...(await sets()).keys()]).toEqual([image(2)]));
  });
});

const runsVersions =
  (...versions: readonly (number | string)[]): Runnable =>
  (pod) =>
    versions.map(image).includes(pod.spec!.containers[0]!.image!);

behaviour("Deployment deployment should support rollover", async (context) => {
  const { make, sets, roll, complete } = handOf(context);
  const name = "rollover";
  const careful = { strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } };
  await whileRunning(
    context,
    async () => {
      await make(deployment(name, 1, careful));
      await complete(name, 1);
      await roll(name, "broken");
      await settled(async () => expect(replicasOf(await sets(), "broken")).toBe(1));
      // The new pods never run, so the old set is kept.
      expect(replicasOf(await sets(), 1)).toBe(1);
      await roll(name, 2);
      await complete(name, 1);
      await settled(async () => {
        const all = await sets();
        expect(["broken", 1, 2].map((version) => replicasOf(all, version))).toEqual([0, 0, 1]);
      });
    },
    runsVersions(1, 2),
  );
});

behaviour("Deployment deployment should support proportional scaling", async (context) => {
  const { send } = context;
  const { make, sets, roll, path, complete, read } = handOf(context);
  const name = "proportional";
  const rolling = { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } };
  await whileRunning(
    context,
    async () => {
      await make(deployment(name, 10, rolling));
      await complete(name, 10);
      await roll(name, "broken");
      // While no new pod runs, two can be unavailable and three above the desired number.
      await settled(async () => {
        const all = await sets();
        expect([replicasOf(all, 1), replicasOf(all, "broken")]).toEqual([8, 5]);
        expect((await read(name)).status?.availableReplicas).toBe(8);
      });
      await patched(send, `${path}/${name}/scale`, { spec: { replicas: 30 } });
      await settled(async () => {
        const all = await sets();
        expect([replicasOf(all, 1), replicasOf(all, "broken")]).toEqual([20, 13]);
      });
    },
    runsVersions(1),
  );
});

behaviour("Deployment should run the lifecycle of a Deployment", async (context) => {
  const { send, client, namespace } = context;
  const apps = client(AppsV1Api);
  const { make, read, path, complete } = handOf(context);
  const name = "test-deployment";
  const labelSelector = `test-deployment-static=${namespace}`;
  await whileRunning(context, async () => {
    const body = deployment(name, 2);
    body.metadata.labels = { "test-deployment-static": namespace };
    const made = await make(body);
    await complete(name, 2);
    const containers = [{ name: "web", image: image(2) }];
    const spec = { replicas: 1, template: { spec: { containers, terminationGracePeriodSeconds: 0 } } };
    const metadata = { labels: { "test-deployment": "patched" } };
    await patched(send, `${path}/${name}`, { metadata, spec }, "strategic");
    await complete(name, 1);
    const listed = (await apps.listDeploymentForAllNamespaces({ labelSelector })).items;
    expect(listed.map((d) => [d.metadata?.labels?.["test-deployment"], d.spec?.replicas])).toEqual([["patched", 1]]);
    await vi.waitFor(async () => {
      const update = await read(name);
      update.metadata!.labels!["test-deployment"] = "updated";
      update.spec!.replicas = 2;
      await apps.replaceNamespacedDeployment({ namespace, name, body: update });
    }, waitOptions);
    await complete(name, 2);
    const status = await patched(send, `${path}/${name}/status`, {
      status: { readyReplicas: 1, availableReplicas: 1 },
    });
    expect([status.status.readyReplicas, status.spec.replicas]).toEqual([1, 2]);
    // The controller corrects the status.
    await complete(name, 2);
    await apps.deleteCollectionNamespacedDeployment({ namespace, labelSelector });
    await settled(async () => expect((await refused(read(name))).code).toBe(404));
    const events = await historyOf(send, path, made.metadata!.resourceVersion!);
    expect(events.at(-1)?.type).toBe("DELETED");
    await settled(async () => expect(await podNames(context)).toEqual([]));
  });
});

behaviour("Deployment should validate Deployment Status endpoints", async (context) => {
  const { send, client, namespace } = context;
  const apps = client(AppsV1Api);
  const { make, path, complete } = handOf(context);
  const name = "test-deployment";
  const condition = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set from e2e test" };
  await whileRunning(context, async () => {
    const made = await make(deployment(name, 1));
    await complete(name, 1);
    await vi.waitFor(async () => {
      const current = await apps.readNamespacedDeploymentStatus({ namespace, name });
      current.status!.conditions = [...current.status!.conditions!, condition];
      await apps.replaceNamespacedDeploymentStatus({ namespace, name, body: current });
    }, waitOptions);
    const patch = { ...condition, type: "StatusPatched" };
    const after = await patched(send, `${path}/${name}/status`, { status: { conditions: [patch] } });
    expect(after.status.conditions).toEqual([patch]);
    expect(after.spec.template.spec.containers[0].image).toBe(image(1));
    const events = await historyOf(send, path, made.metadata!.resourceVersion!);
    const types = events.flatMap((e) => e.object.status?.conditions ?? []).map((c) => c.type);
    expect(types).toEqual(expect.arrayContaining(["StatusUpdate", "StatusPatched"]));
  });
});

/** A deployment of two pods that is deleted with these options when complete. */
async function deletedWith(
  context: ScenarioContext,
  propagationPolicy: string,
  then: (hand: Hand) => Promise<void>,
): Promise<void> {
  const { client, namespace } = context;
  const hand = handOf(context);
  await whileRunning(context, async () => {
    await hand.make(deployment("owner", 2));
    await hand.complete("owner", 2);
    const name = "owner";
    await client(AppsV1Api).deleteNamespacedDeployment({ namespace, name, body: { propagationPolicy } });
    await settled(async () => expect((await refused(hand.read(name))).code).toBe(404));
    await then(hand);
  });
}

behaviour("Garbage collector should delete RS created by deployment when not orphaning", (context) =>
  deletedWith(context, "Background", async ({ sets }) => {
    await settled(async () => {
      expect((await sets()).size).toBe(0);
      expect(await podNames(context)).toEqual([]);
    });
  }),
);

behaviour(
  "Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan",
  (context) =>
    deletedWith(context, "Orphan", async (hand) => {
      // A second deployment is deleted with its dependents: by then those of the first would have been deleted too.
      await hand.make(deployment("other", 1));
      await hand.complete("other", 1);
      const { client, namespace } = context;
      const body = { propagationPolicy: "Background" };
      await client(AppsV1Api).deleteNamespacedDeployment({ namespace, name: "other", body });
      await settled(async () => expect(await podNames(context, "app=other")).toEqual([]));
      const { items } = await client(AppsV1Api).listNamespacedReplicaSet({ namespace, labelSelector: "app=owner" });
      expect(items.map((s) => [s.metadata?.deletionTimestamp, s.metadata?.ownerReferences])).toEqual([
        [undefined, undefined],
      ]);
      expect(await podNames(context, "app=owner")).toHaveLength(2);
    }),
);
