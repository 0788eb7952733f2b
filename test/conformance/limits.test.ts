// LimitRanges and their effect on pods, and the API of quotas; quotas are not enforced here.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";
import { patched, refused } from "./requests.ts";

const amounts = (cpu: string, memory: string): Record<string, string> => ({ cpu, memory });
const range = (name: string, labels: object): any => ({
  metadata: { name, labels },
  spec: {
    limits: [
      {
        type: "Container",
        min: amounts("50m", "100Mi"),
        max: amounts("500m", "500Mi"),
        default: amounts("500m", "500Mi"),
        defaultRequest: amounts("100m", "200Mi"),
      },
    ],
  },
});

const pod = (name: string, requests?: object, limits?: object): any => ({
  metadata: { name },
  spec: { containers: [{ name: "pause", image: "pause:1", resources: { requests, limits } }] },
});

behaviour(
  "LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied.",
  async ({ client, namespace }) => {
    const core = client(CoreV1Api);
    const run = (body: object) => core.createNamespacedPod({ namespace, body });
    const made = await core.createNamespacedLimitRange({ namespace, body: range("limit-range", {}) });
    const usual = await run(pod("without-resources"));
    expect(usual.spec?.containers[0]?.resources).toEqual({
      requests: amounts("100m", "200Mi"),
      limits: amounts("500m", "500Mi"),
    });
    expect(usual.metadata?.annotations?.["kubernetes.io/limit-ranger"]).toBe(
      "LimitRanger plugin set: cpu, memory request for container pause; cpu, memory limit for container pause",
    );
    expect(usual.status?.qosClass).toBe("Burstable");
    const partial = await run(pod("partial", { cpu: "300m" }, { cpu: "300m" }));
    expect(partial.spec?.containers[0]?.resources).toEqual({
      requests: amounts("300m", "200Mi"),
      limits: amounts("300m", "500Mi"),
    });
    const less = await refused(run(pod("less", amounts("10m", "50Mi"))));
    expect([less.code, less.body.message]).toEqual([
      403,
      'pods "less" is forbidden: [minimum cpu usage per Container is 50m, but request is 10m, minimum memory usage per Container is 100Mi, but request is 50Mi]',
    ]);
    const beyond = pod("more", amounts("600m", "600Mi"), amounts("600m", "600Mi"));
    expect((await refused(run(beyond))).code).toBe(403);
    // Validation comes first: the defaulted limit is below the request.
    expect((await refused(run(pod("between", { cpu: "600m" })))).code).toBe(422);
    made.spec!.limits[0]!.min = amounts("9m", "49Mi");
    await core.replaceNamespacedLimitRange({ namespace, name: "limit-range", body: made });
    await run(pod("less", amounts("10m", "50Mi")));
    await core.deleteNamespacedLimitRange({ namespace, name: "limit-range" });
    await run(beyond);
  },
);

behaviour(
  "LimitRange should list, patch and delete a LimitRange by collection",
  async ({ send, client, namespace }) => {
    const core = client(CoreV1Api);
    const name = "limits";
    const labelSelector = `limits=${namespace}`;
    const body = range(name, { limits: namespace });
    await core.createNamespacedLimitRange({ namespace, body });
    expect((await core.listLimitRangeForAllNamespaces({ labelSelector })).items).toHaveLength(1);
    const [limit] = body.spec.limits;
    const lower = { limits: [{ ...limit, min: amounts("40m", "90Mi"), defaultRequest: amounts("40m", "90Mi") }] };
    const patch = { metadata: { labels: { [name]: "patched" } }, spec: lower };
    const changed = await patched(send, `/api/v1/namespaces/${namespace}/limitranges/${name}`, patch, "strategic");
    expect(changed.spec.limits[0].min).toEqual(amounts("40m", "90Mi"));
    await core.deleteCollectionNamespacedLimitRange({ namespace, labelSelector: `${name}=patched` });
    expect((await core.listLimitRangeForAllNamespaces({ labelSelector: `${name}=patched` })).items).toEqual([]);
  },
);

behaviour("ResourceQuota should be able to update and delete ResourceQuota.", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "test-quota";
  const made = await core.createNamespacedResourceQuota({
    namespace,
    body: { metadata: { name }, spec: { hard: { cpu: "1", memory: "500Mi" } } },
  });
  expect(made.spec?.hard).toEqual({ cpu: "1", memory: "500Mi" });
  made.spec!.hard = { cpu: "2", memory: "1Gi" };
  const updated = await core.replaceNamespacedResourceQuota({ namespace, name, body: made });
  expect(updated.spec?.hard).toEqual({ cpu: "2", memory: "1Gi" });
  expect((await core.readNamespacedResourceQuota({ namespace, name })).spec?.hard).toEqual({ cpu: "2", memory: "1Gi" });
  await core.deleteNamespacedResourceQuota({ namespace, name });
  expect((await refused(core.readNamespacedResourceQuota({ namespace, name }))).code).toBe(404);
});

behaviour("ResourceQuota should manage the lifecycle of a ResourceQuota", async ({ send, client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "e2e-quota";
  const labels = { [name]: namespace };
  const labelSelector = `${name}=${namespace}`;
  await core.createNamespacedResourceQuota({
    namespace,
    body: { metadata: { name, labels }, spec: { hard: { pods: "1", services: "1", configmaps: "2" } } },
  });
  expect((await core.listResourceQuotaForAllNamespaces({ labelSelector })).items).toHaveLength(1);
  const path = `/api/v1/namespaces/${namespace}/resourcequotas/${name}`;
  const changed = await patched(send, path, {
    metadata: { labels: { [name]: "patched" } },
    spec: { hard: { memory: "750Mi" } },
  });
  expect(changed.spec.hard).toEqual({ pods: "1", services: "1", configmaps: "2", memory: "750Mi" });
  const status = { hard: { memory: "750Mi" }, used: { memory: "0" } };
  expect((await patched(send, `${path}/status`, { status })).status).toEqual(status);
  const read = await core.readNamespacedResourceQuotaStatus({ namespace, name });
  expect([read.status?.hard, read.spec?.hard?.["memory"]]).toEqual([{ memory: "750Mi" }, "750Mi"]);
  await core.deleteCollectionNamespacedResourceQuota({ namespace, labelSelector: `${name}=patched` });
  expect((await core.listNamespacedResourceQuota({ namespace })).items).toEqual([]);
});
