// The API of StatefulSets, DaemonSets and Jobs. No controllers run: the test writes their status.
import { AppsV1Api, BatchV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";
import { historyOf, patched } from "./requests.ts";

const image = "registry.example.com/web:1";
const selector = (labels: object): object => ({
  selector: { matchLabels: labels },
  template: { metadata: { labels }, spec: { containers: [{ name: "web", image }] } },
});
const set = (name: string, labels: Record<string, string>, more: object = {}): any => ({
  metadata: { name, labels },
  spec: { ...selector(labels), ...more },
});
const pathOf = ({ namespace }: ScenarioContext, plural: string, name: string): string =>
  `/apis/apps/v1/namespaces/${namespace}/${plural}/${name}`;

const update = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set from e2e test" };
const patch = { ...update, type: "StatusPatched" };
/** The types of all conditions in the object's history. */
async function conditionsSince({ send }: ScenarioContext, path: string, since: string): Promise<readonly string[]> {
  const events = await historyOf(send, path, since);
  return events.flatMap((e) => e.object.status?.conditions ?? []).map((c) => c.type);
}

behaviour(
  "StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should have a working scale subresource",
  async (context) => {
    const { send, client, namespace } = context;
    const apps = client(AppsV1Api);
    const name = "ss";
    const body = set(name, { app: "ss" }, { replicas: 1, serviceName: "test" });
    await apps.createNamespacedStatefulSet({ namespace, body });
    await patched(send, `${pathOf(context, "statefulsets", name)}/status`, {
      status: { replicas: 1, readyReplicas: 1 },
    });
    const scale = await apps.readNamespacedStatefulSetScale({ namespace, name });
    expect([scale.spec?.replicas, scale.status?.replicas, scale.status?.selector]).toEqual([1, 1, "app=ss"]);
    scale.metadata!.resourceVersion = "";
    scale.spec!.replicas = 2;
    expect((await apps.replaceNamespacedStatefulSetScale({ namespace, name, body: scale })).spec?.replicas).toBe(2);
    expect((await apps.readNamespacedStatefulSet({ namespace, name })).spec?.replicas).toBe(2);
    await patched(send, `${pathOf(context, "statefulsets", name)}/scale`, { spec: { replicas: 4 } });
    expect((await apps.readNamespacedStatefulSet({ namespace, name })).spec?.replicas).toBe(4);
  },
);

behaviour(
  "StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should list, patch and delete a collection of StatefulSets",
  async (context) => {
    const { send, client, namespace } = context;
    const apps = client(AppsV1Api);
    const name = "test-ss";
    const labels = { e2e: namespace };
    await apps.createNamespacedStatefulSet({
      namespace,
      body: set(name, labels, { replicas: 2, serviceName: "test" }),
    });
    const containers = [{ name: "web", image: "registry.example.com/other:1" }];
    await patched(
      send,
      pathOf(context, "statefulsets", name),
      { metadata: { labels: { "test-ss": "patched" } }, spec: { replicas: 1, template: { spec: { containers } } } },
      "strategic",
    );
    const labelSelector = `test-ss=patched,e2e=${namespace}`;
    const { items } = await apps.listStatefulSetForAllNamespaces({ labelSelector });
    expect(items.map((s) => [s.metadata?.name, s.spec?.replicas, s.spec?.template.spec?.containers[0]?.image])).toEqual(
      [[name, 1, "registry.example.com/other:1"]],
    );
    await apps.deleteCollectionNamespacedStatefulSet({ namespace, labelSelector });
    expect((await apps.listStatefulSetForAllNamespaces({ labelSelector })).items).toEqual([]);
  },
);

behaviour(
  "StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should validate Statefulset Status endpoints",
  async (context) => {
    const { send, client, namespace } = context;
    const apps = client(AppsV1Api);
    const name = "ss";
    const path = pathOf(context, "statefulsets", name);
    const body = set(name, { app: "ss" }, { replicas: 1, serviceName: "test" });
    const made = await apps.createNamespacedStatefulSet({ namespace, body });
    const current = await apps.readNamespacedStatefulSetStatus({ namespace, name });
    current.status!.conditions = [update];
    current.spec!.replicas = 5;
    const updated = await apps.replaceNamespacedStatefulSetStatus({ namespace, name, body: current });
    expect([updated.status?.conditions?.map((c) => c.type), updated.spec?.replicas]).toEqual([["StatusUpdate"], 1]);
    const after = await patched(send, `${path}/status`, { status: { conditions: [patch] } });
    expect(after.status.conditions).toEqual([patch]);
    const since = made.metadata!.resourceVersion!;
    expect(await conditionsSince(context, path.replace(`/${name}`, ""), since)).toEqual([
      "StatusUpdate",
      "StatusPatched",
    ]);
  },
);

behaviour("Daemon set should list and delete a collection of DaemonSets", async (context) => {
  const { client, namespace } = context;
  const apps = client(AppsV1Api);
  const labels = { "daemonset-name": namespace };
  const labelSelector = `daemonset-name=${namespace}`;
  for (const name of ["daemon-set-1", "daemon-set-2"])
    await apps.createNamespacedDaemonSet({ namespace, body: set(name, labels) });
  await apps.createNamespacedDaemonSet({ namespace, body: set("other", { app: "other" }) });
  expect((await apps.listDaemonSetForAllNamespaces({ labelSelector })).items).toHaveLength(2);
  await apps.deleteCollectionNamespacedDaemonSet({ namespace, labelSelector });
  const left = await apps.listNamespacedDaemonSet({ namespace });
  expect(left.items.map((d) => d.metadata?.name)).toEqual(["other"]);
});

behaviour("Daemon set should verify changes to a daemon set status", async (context) => {
  const { send, client, namespace } = context;
  const apps = client(AppsV1Api);
  const name = "daemon-set";
  const path = pathOf(context, "daemonsets", name);
  const made = await apps.createNamespacedDaemonSet({ namespace, body: set(name, { app: name }) });
  const current = await apps.readNamespacedDaemonSetStatus({ namespace, name });
  current.status!.conditions = [update];
  const updated = await apps.replaceNamespacedDaemonSetStatus({ namespace, name, body: current });
  expect(updated.status?.conditions?.map((c) => [c.type, c.status, c.reason])).toEqual([
    ["StatusUpdate", "True", "E2E"],
  ]);
  const after = await patched(send, `${path}/status`, { status: { conditions: [patch] } });
  expect([after.status.conditions, after.metadata.generation]).toEqual([[patch], 1]);
  const since = made.metadata!.resourceVersion!;
  expect(await conditionsSince(context, path.replace(`/${name}`, ""), since)).toEqual([
    "StatusUpdate",
    "StatusPatched",
  ]);
});

behaviour("Job should apply changes to a job status", async (context) => {
  const { send, client, namespace } = context;
  const batch = client(BatchV1Api);
  const name = "suspend-false-to-true";
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`;
  const template: any = { spec: { restartPolicy: "Never", containers: [{ name: "c", image }] } };
  const spec = { parallelism: 2, completions: 4, template };
  await batch.createNamespacedJob({ namespace, body: { metadata: { name }, spec } });
  const startTime = "2026-01-01T12:00:00Z";
  const metadata = { annotations: { patchedstatus: "true" } };
  const after = await patched(send, `${path}/status`, { metadata, status: { startTime } });
  expect([after.status.startTime, after.metadata.annotations.patchedstatus]).toEqual([startTime, "true"]);
  const current = await batch.readNamespacedJobStatus({ namespace, name });
  current.status = { ...current.status, conditions: [{ ...update, type: "CustomConditionType" }], active: 2 };
  current.spec!.parallelism = 7;
  const updated = await batch.replaceNamespacedJobStatus({ namespace, name, body: current });
  const types = updated.status?.conditions?.map((c) => c.type);
  expect([types, updated.status?.active, updated.spec?.parallelism]).toEqual([["CustomConditionType"], 2, 2]);
  const read = await batch.readNamespacedJobStatus({ namespace, name });
  expect([read.status?.startTime, read.status?.active]).toEqual([new Date(startTime), 2]);
});
