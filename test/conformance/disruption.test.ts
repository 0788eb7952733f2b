// Disruption budgets with running controllers. No node runs the pods: the test writes their status.
import { CoreV1Api, PolicyV1Api } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";
import { waitOptions, podNames, whileRunning } from "./running-controllers.ts";
import { patched, refused } from "./requests.ts";

const budget = (name: string, spec: object, labels: Record<string, string> = {}): any => ({
  metadata: { name, labels },
  spec: { selector: { matchLabels: { foo: "bar" } }, ...spec },
});
const settled = (isSo: () => Promise<void>): Promise<void> => vi.waitFor(isSo, waitOptions);
const pathOf = ({ namespace }: ScenarioContext, name: string): string =>
  `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/${name}`;

async function makePods({ client, namespace }: ScenarioContext, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const spec = { containers: [{ name: "c", image: "registry.example.com/web:1" }] };
    const body: any = { metadata: { name: `pod-${i}`, labels: { foo: "bar" } }, spec };
    await client(CoreV1Api).createNamespacedPod({ namespace, body });
  }
}
/** Resolves when the budget allows this number of disruptions. */
async function allows({ client, namespace }: ScenarioContext, name: string, count: number): Promise<void> {
  await settled(async () => {
    const { metadata, status } = await client(PolicyV1Api).readNamespacedPodDisruptionBudgetStatus({ namespace, name });
    expect([status?.observedGeneration, status?.disruptionsAllowed]).toEqual([metadata?.generation, count]);
  });
}
const evict = ({ client, namespace }: ScenarioContext, name: string) =>
  client(CoreV1Api).createNamespacedPodEviction({ name, namespace, body: { metadata: { name, namespace } } });

behaviour("DisruptionController should create a PodDisruptionBudget", async (context) => {
  const { send, client, namespace } = context;
  const policy = client(PolicyV1Api);
  await whileRunning(context, async () => {
    await policy.createNamespacedPodDisruptionBudget({ namespace, body: budget("defaultpdb", { minAvailable: "1%" }) });
    await allows(context, "defaultpdb", 0);
    const made = await policy.readNamespacedPodDisruptionBudget({ namespace, name: "defaultpdb" });
    await vi.waitFor(async () => {
      const current = await policy.readNamespacedPodDisruptionBudget({ namespace, name: "defaultpdb" });
      current.spec!.minAvailable = "2%";
      await policy.replaceNamespacedPodDisruptionBudget({ namespace, name: "defaultpdb", body: current });
    }, waitOptions);
    await allows(context, "defaultpdb", 0);
    const after = await patched(send, pathOf(context, "defaultpdb"), { spec: { minAvailable: "3%" } });
    expect([made.spec?.minAvailable, after.spec.minAvailable]).toEqual(["1%", "3%"]);
    await allows(context, "defaultpdb", 0);
    await policy.deleteNamespacedPodDisruptionBudget({ namespace, name: "defaultpdb" });
    const gone = await refused(policy.readNamespacedPodDisruptionBudget({ namespace, name: "defaultpdb" }));
    expect(gone.code).toBe(404);
  });
});

behaviour(
  "DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets",
  async (context) => {
    const { client, namespace } = context;
    const core = client(CoreV1Api);
    const policy = client(PolicyV1Api);
    const labels = { special: namespace };
    const labelSelector = `special=${namespace}`;
    const other = (await core.createNamespace({ body: { metadata: { generateName: "pdb-other-" } } })).metadata!.name!;
    await whileRunning(context, async () => {
      for (const name of ["foo1", "foo2"])
        await policy.createNamespacedPodDisruptionBudget({
          namespace,
          body: budget(name, { minAvailable: 1 }, labels),
        });
      const body = budget("foo3", { minAvailable: 1 }, labels);
      await policy.createNamespacedPodDisruptionBudget({ namespace: other, body });
      for (const name of ["foo1", "foo2"]) await allows(context, name, 0);
      const everywhere = await policy.listPodDisruptionBudgetForAllNamespaces({ labelSelector });
      expect(everywhere.items.map((b) => b.metadata?.name).toSorted()).toEqual(["foo1", "foo2", "foo3"]);
      await policy.deleteCollectionNamespacedPodDisruptionBudget({ namespace, labelSelector });
      const left = await policy.listPodDisruptionBudgetForAllNamespaces({ labelSelector });
      expect(left.items.map((b) => b.metadata?.name)).toEqual(["foo3"]);
    });
  },
);

behaviour("DisruptionController should observe PodDisruptionBudget status updated", async (context) => {
  const { client, namespace } = context;
  await whileRunning(context, async () => {
    const body = budget("pdb", { minAvailable: 1 });
    await client(PolicyV1Api).createNamespacedPodDisruptionBudget({ namespace, body });
    await allows(context, "pdb", 0);
    await makePods(context, 3);
    await allows(context, "pdb", 2);
  });
});

behaviour("DisruptionController should update/patch PodDisruptionBudget status", async (context) => {
  const { send, client, namespace } = context;
  const policy = client(PolicyV1Api);
  const name = "pdb";
  await whileRunning(context, async () => {
    await policy.createNamespacedPodDisruptionBudget({ namespace, body: budget(name, { minAvailable: 1 }) });
    await makePods(context, 1);
    await allows(context, name, 0);
    await settled(async () =>
      expect((await policy.readNamespacedPodDisruptionBudgetStatus({ namespace, name })).status?.currentHealthy).toBe(
        1,
      ),
    );
    const current = await policy.readNamespacedPodDisruptionBudgetStatus({ namespace, name });
    const before = structuredClone(current.status);
    current.status!.disruptedPods = { "not-a-pod": new Date() };
    const updated = await policy.replaceNamespacedPodDisruptionBudgetStatus({ namespace, name, body: current });
    expect(Object.keys(updated.status?.disruptedPods ?? {})).toEqual(["not-a-pod"]);
    // The pod does not exist, which the controller detects.
    await settled(async () => {
      const { status } = await policy.readNamespacedPodDisruptionBudgetStatus({ namespace, name });
      expect([status?.disruptedPods, status?.currentHealthy]).toEqual([undefined, before?.currentHealthy]);
    });
    const status = { disruptedPods: { "not-a-pod": new Date(0).toISOString() } };
    const after = await patched(send, `${pathOf(context, name)}/status`, { status });
    expect(Object.keys(after.status.disruptedPods)).toEqual(["not-a-pod"]);
  });
});

behaviour("DisruptionController should block an eviction until the PDB is updated to allow it", async (context) => {
  const { send, client, namespace } = context;
  const core = client(CoreV1Api);
  await whileRunning(context, async () => {
    await makePods(context, 3);
    const body = budget("blocks", { minAvailable: 3 });
    await client(PolicyV1Api).createNamespacedPodDisruptionBudget({ namespace, body });
    await settled(async () => {
      const { status } = await client(PolicyV1Api).readNamespacedPodDisruptionBudgetStatus({
        namespace,
        name: "blocks",
      });
      expect(status?.currentHealthy).toBe(3);
    });
    const { code, body: status } = await refused(evict(context, "pod-0"));
    expect([code, status.details.causes[0].reason]).toEqual([429, "DisruptionBudget"]);
    await patched(send, pathOf(context, "blocks"), { spec: { minAvailable: 2 } });
    await allows(context, "blocks", 1);
    await evict(context, "pod-0");
    await settled(async () => expect(await podNames(context)).toEqual(["pod-1", "pod-2"]));
    await allows(context, "blocks", 0);
    expect((await refused(evict(context, "pod-1"))).code).toBe(429);
    // A deleted budget does not block evictions.
    await client(PolicyV1Api).deleteNamespacedPodDisruptionBudget({ namespace, name: "blocks" });
    await evict(context, "pod-1");
    await settled(async () => expect((await core.listNamespacedPod({ namespace })).items).toHaveLength(1));
  });
});
