// The API of services and endpoints; no traffic is forwarded.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";
import { historyOf, patched } from "./requests.ts";

const service = (name: string, labels: object, spec: object = {}): any => ({
  metadata: { name, labels },
  spec: { ports: [{ name: "http", port: 80, targetPort: 80, protocol: "TCP" }], ...spec },
});

behaviour("Services should find a service from listing all namespaces", async ({ client }) => {
  const { items } = await client(CoreV1Api).listServiceForAllNamespaces();
  const found = items.filter((s) => s.metadata?.name === "kubernetes" && s.metadata.namespace === "default");
  expect(found).toHaveLength(1);
});

behaviour("Services should delete a collection of services", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const labels = { "e2e-test-service": namespace };
  for (const name of ["one", "two", "three"])
    await core.createNamespacedService({ namespace, body: service(name, name === "three" ? {} : labels) });
  expect((await core.listNamespacedService({ namespace })).items).toHaveLength(3);
  await core.deleteCollectionNamespacedService({ namespace, labelSelector: `e2e-test-service=${namespace}` });
  const left = await core.listNamespacedService({ namespace });
  expect(left.items.map((s) => s.metadata?.name)).toEqual(["three"]);
});

behaviour("Services should complete a service status lifecycle", async ({ send, client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "test-service";
  const labels = { "test-service-static": "true" };
  const root = `/api/v1/namespaces/${namespace}/services`;
  await core.createNamespacedService({ namespace, body: service(name, labels, { type: "LoadBalancer" }) });
  const first = await core.readNamespacedServiceStatus({ namespace, name });
  expect(first.status?.loadBalancer).toEqual({});
  const status = { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } };
  const metadata = { annotations: { patchedstatus: "true" } };
  const shown = await patched(send, `${root}/${name}/status`, { metadata, status });
  expect(shown.status.loadBalancer.ingress[0].ip).toBe("203.0.113.1");
  const current = await core.readNamespacedServiceStatus({ namespace, name });
  const condition = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set from e2e test" };
  current.status!.conditions = [{ ...condition, lastTransitionTime: new Date("2026-01-01T00:00:00Z") }];
  const written = await core.replaceNamespacedServiceStatus({ namespace, name, body: current });
  expect(written.status?.conditions).toMatchObject([condition]);
  const changed = await patched(send, `${root}/${name}`, { metadata: { labels: { "test-service": "patched" } } });
  expect(changed.metadata.labels).toEqual({ ...labels, "test-service": "patched" });
  await core.deleteNamespacedService({ namespace, name });
  const events = await historyOf(
    send,
    `${root}?labelSelector=test-service-static=true`,
    first.metadata!.resourceVersion!,
  );
  expect(events.map((e) => e.type)).toEqual(["MODIFIED", "MODIFIED", "MODIFIED", "DELETED"]);
});

behaviour("Endpoints should test the lifecycle of an Endpoint", async ({ send, client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "testservice";
  const labelSelector = "test-endpoint-static=true";
  const root = `/api/v1/namespaces/${namespace}/endpoints`;
  const subset = (ip: string, port: number): any => ({
    addresses: [{ ip }],
    ports: [{ name: "http", port, protocol: "TCP" }],
  });
  const made = await core.createNamespacedEndpoints({
    namespace,
    body: { metadata: { name, labels: { "test-endpoint-static": "true" } }, subsets: [subset("10.0.0.24", 80)] },
  });
  const all = await core.listEndpointsForAllNamespaces({ labelSelector });
  expect(all.items.filter((e) => e.metadata?.namespace === namespace)).toHaveLength(1);
  made.metadata!.labels!["test-service"] = "updated";
  const updated = await core.replaceNamespacedEndpoints({ namespace, name, body: made });
  expect(updated.metadata?.labels?.["test-service"]).toBe("updated");
  await patched(
    send,
    `${root}/${name}`,
    { metadata: { labels: { "test-service": "patched" } }, subsets: [subset("10.0.0.25", 8080)] },
    "strategic",
  );
  const read = await core.readNamespacedEndpoints({ namespace, name });
  expect([read.metadata?.labels?.["test-service"], read.subsets?.[0]?.addresses?.[0]?.ip]).toEqual([
    "patched",
    "10.0.0.25",
  ]);
  await core.deleteCollectionNamespacedEndpoints({ namespace, labelSelector });
  expect((await core.listNamespacedEndpoints({ namespace, labelSelector })).items).toEqual([]);
});
