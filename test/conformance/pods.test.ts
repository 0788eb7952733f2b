// The API of pods; no node runs them.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";
import { reported } from "./running-controllers.ts";
import { historyOf, patched } from "./requests.ts";

const pod = (name: string, labels: object, container: object = {}): any => ({
  metadata: { name, labels },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "token-test", image: "pause:1", ...container }] },
});

behaviour(
  "Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu",
  async ({ client, namespace }) => {
    const core = client(CoreV1Api);
    const amounts = { cpu: "100m", memory: "100Mi" };
    const body = pod("qos", {}, { resources: { requests: amounts, limits: amounts } });
    await core.createNamespacedPod({ namespace, body });
    expect((await core.readNamespacedPod({ namespace, name: "qos" })).status?.qosClass).toBe("Guaranteed");
  },
);

behaviour("Pods should be updated", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "pod-update";
  const body = await core.createNamespacedPod({ namespace, body: pod(name, { time: "1" }) });
  body.metadata!.labels = { time: "2" };
  await core.replaceNamespacedPod({ namespace, name, body });
  expect((await core.listNamespacedPod({ namespace, labelSelector: "time=2" })).items).toHaveLength(1);
});

behaviour("Pods should delete a collection of pods", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const labelSelector = "type=Testing";
  for (const name of ["test-pod-1", "test-pod-2", "test-pod-3"])
    await core.createNamespacedPod({ namespace, body: pod(name, { type: "Testing" }) });
  expect((await core.listNamespacedPod({ namespace, labelSelector })).items).toHaveLength(3);
  await core.deleteCollectionNamespacedPod({ namespace, labelSelector, gracePeriodSeconds: 0 });
  expect((await core.listNamespacedPod({ namespace, labelSelector })).items).toEqual([]);
});

behaviour("Pods should patch a pod status", async ({ send, client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "pod-status";
  await core.createNamespacedPod({ namespace, body: pod(name, { e2e: namespace }) });
  const status = { message: "Patched by e2e test", reason: "E2E" };
  await patched(
    send,
    `/api/v1/namespaces/${namespace}/pods/${name}/status`,
    { metadata: { labels: { e2e: "x" } }, status },
    "strategic",
  );
  const read = await core.readNamespacedPodStatus({ namespace, name });
  expect(read.status).toMatchObject(status);
});

behaviour(
  "Pods Extended (pod generation) Pod Generation custom-set generation on new pods and graceful delete",
  async ({ client, namespace }) => {
    const core = client(CoreV1Api);
    const name = "generation";
    const body = pod(name, {});
    body.metadata.generation = 100;
    body.spec.nodeName = "nowhere";
    expect((await core.createNamespacedPod({ namespace, body })).metadata?.generation).toBe(1);
    await core.deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 30 });
    const read = await core.readNamespacedPod({ namespace, name });
    expect([read.metadata?.generation, read.metadata?.deletionGracePeriodSeconds]).toEqual([2, 30]);
  },
);

behaviour("Sysctls [LinuxOnly] should reject invalid sysctls", async ({ send, namespace }) => {
  const names = ["foo-", "kernel.shmmax", "safe-and-unsafe", "bar.."];
  const body = pod("sysctls", {});
  body.spec.securityContext = { sysctls: names.map((name) => ({ name, value: "42" })) };
  const response = await send(`/api/v1/namespaces/${namespace}/pods`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(422);
  const { message } = JSON.parse(response.text);
  for (const name of ["foo-", "bar.."]) expect(message).toContain(`Invalid value: "${name}"`);
  for (const name of ["kernel.shmmax", "safe-and-unsafe"]) expect(message).not.toContain(name);
});

behaviour("Pods should run through the lifecycle of Pods and PodStatus", async (context) => {
  const { send, client, namespace } = context;
  const core = client(CoreV1Api);
  const name = "pod-test";
  const labelSelector = `test-pod-static=${namespace}`;
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const made = await core.createNamespacedPod({ namespace, body: pod(name, { "test-pod-static": namespace }) });
  const running = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  await reported(context, name, running);
  const patch = {
    metadata: { labels: { "test-pod": "patched" } },
    spec: { containers: [{ name: "token-test", image: "pause:2" }] },
  };
  await patched(send, `${path}/${name}`, patch, "strategic");
  const read = await core.readNamespacedPod({ namespace, name });
  expect([read.metadata?.labels?.["test-pod"], read.spec?.containers[0]?.image]).toEqual(["patched", "pause:2"]);
  const status = await core.readNamespacedPodStatus({ namespace, name });
  const [ready] = status.status!.conditions!;
  expect([ready?.type, ready?.status]).toEqual(["Ready", "True"]);
  ready!.status = "False";
  await core.replaceNamespacedPodStatus({ namespace, name, body: status });
  const after = await core.readNamespacedPod({ namespace, name });
  expect(after.status?.conditions?.map((c) => [c.type, c.status])).toEqual([["Ready", "False"]]);
  await core.deleteCollectionNamespacedPod({ namespace, labelSelector, gracePeriodSeconds: 1 });
  expect((await core.listNamespacedPod({ namespace, labelSelector })).items).toEqual([]);
  const events = await historyOf(send, `${path}?labelSelector=${labelSelector}`, made.metadata!.resourceVersion!);
  expect(events.map((e) => e.type)).toEqual(["MODIFIED", "MODIFIED", "MODIFIED", "DELETED"]);
});
