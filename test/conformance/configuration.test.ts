// ConfigMaps and secrets: lifecycle, validation, and the field `immutable`.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";
import { historyOf, patched, refused } from "./requests.ts";

behaviour("ConfigMap should run through a ConfigMap lifecycle", async ({ send, client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "test-configmap";
  const labelSelector = "test-configmap-static=true";
  const root = `/api/v1/namespaces/${namespace}/configmaps`;
  const labels = { "test-configmap-static": "true" };
  const made = await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name, labels }, data: { valueName: "value" } },
  });
  await patched(send, `${root}/${name}`, {
    metadata: { labels: { "test-configmap": "patched" } },
    data: { valueName: "value1" },
  });
  const read = await core.readNamespacedConfigMap({ namespace, name });
  expect(read.data).toEqual({ valueName: "value1" });
  expect(read.metadata?.labels?.["test-configmap"]).toBe("patched");
  const all = await core.listConfigMapForAllNamespaces({ labelSelector });
  expect(all.items.some((c) => c.metadata?.uid === made.metadata?.uid)).toBe(true);
  await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector });
  expect((await core.listNamespacedConfigMap({ namespace, labelSelector })).items).toEqual([]);
  const events = await historyOf(send, `${root}?labelSelector=${labelSelector}`, made.metadata!.resourceVersion!);
  expect(events.map((e) => e.type)).toEqual(["MODIFIED", "DELETED"]);
});

behaviour("ConfigMap should update ConfigMap successfully", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "configmap-test";
  const body = await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name }, data: { "data-1": "value-1" } },
  });
  body.data = { "data-1": "value-2" };
  await core.replaceNamespacedConfigMap({ namespace, name, body });
  expect((await core.readNamespacedConfigMap({ namespace, name })).data).toEqual({ "data-1": "value-2" });
});

const emptyKey = /Invalid value: "": a valid config key must consist of alphanumeric characters/;

behaviour("ConfigMap should fail to create ConfigMap with empty key", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const body = { metadata: { name: "empty-key" }, data: { "": "value-1" } };
  const { code, body: status } = await refused(core.createNamespacedConfigMap({ namespace, body }));
  expect(code).toBe(422);
  expect(status.message).toMatch(emptyKey);
});

behaviour("Secrets should fail to create secret due to empty secret key", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const body = { metadata: { name: "empty-key" }, data: { "": "dmFsdWUtMQo=" } };
  const { code, body: status } = await refused(core.createNamespacedSecret({ namespace, body }));
  expect(code).toBe(422);
  expect(status.message).toMatch(emptyKey);
});

behaviour("Secrets should patch a secret", async ({ send, client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "test-secret";
  const labels = { testsecret: "true", "testsecret-constant": "true" };
  await core.createNamespacedSecret({ namespace, body: { metadata: { name, labels }, data: { key: "dmFsdWU=" } } });
  const listed = await core.listSecretForAllNamespaces({ labelSelector: "testsecret-constant=true" });
  expect(listed.items.filter((s) => s.metadata?.namespace === namespace)).toHaveLength(1);
  await patched(
    send,
    `/api/v1/namespaces/${namespace}/secrets/${name}`,
    { metadata: { labels: { testsecret: "false" } }, data: { key: "dmFsdWUx" } },
    "strategic",
  );
  const read = await core.readNamespacedSecret({ namespace, name });
  expect([read.metadata?.labels?.["testsecret"], read.data?.["key"], read.type]).toEqual([
    "false",
    "dmFsdWUx",
    "Opaque",
  ]);
  await core.deleteCollectionNamespacedSecret({ namespace, labelSelector: "testsecret=false" });
  expect((await core.listNamespacedSecret({ namespace, labelSelector: "testsecret-constant=true" })).items).toEqual([]);
});

const fixed = "field is immutable when `immutable` is set";

behaviour("ConfigMap should be immutable if `immutable` field is set", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "immutable";
  const made = await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name }, data: { "data-1": "1" } },
  });
  made.data = { "data-2": "2" };
  const changed = await core.replaceNamespacedConfigMap({ namespace, name, body: made });
  const sealed = await core.replaceNamespacedConfigMap({ namespace, name, body: { ...changed, immutable: true } });
  const denied = async (body: typeof sealed): Promise<void> => {
    const { code, body: status } = await refused(core.replaceNamespacedConfigMap({ namespace, name, body }));
    expect([code, status.message]).toEqual([422, expect.stringContaining(fixed)]);
  };
  await denied({ ...sealed, data: { "data-3": "3" } });
  await denied({ ...sealed, immutable: false });
  const labelled = { ...sealed, metadata: { ...sealed.metadata, labels: { label1: "value1" } } };
  await core.replaceNamespacedConfigMap({ namespace, name, body: labelled });
  await core.deleteNamespacedConfigMap({ namespace, name });
});

behaviour("Secrets should be immutable if `immutable` field is set", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "immutable";
  const made = await core.createNamespacedSecret({
    namespace,
    body: { metadata: { name }, data: { "data-1": "MQ==" } },
  });
  const changed = await core.replaceNamespacedSecret({
    namespace,
    name,
    body: { ...made, data: { "data-2": "Mg==" } },
  });
  const sealed = await core.replaceNamespacedSecret({ namespace, name, body: { ...changed, immutable: true } });
  const denied = async (body: typeof sealed): Promise<void> => {
    const { code, body: status } = await refused(core.replaceNamespacedSecret({ namespace, name, body }));
    expect([code, status.message]).toEqual([422, expect.stringContaining(fixed)]);
  };
  await denied({ ...sealed, data: { "data-3": "Mw==" } });
  await denied({ ...sealed, immutable: false });
  const labelled = { ...sealed, metadata: { ...sealed.metadata, labels: { label1: "value1" } } };
  await core.replaceNamespacedSecret({ namespace, name, body: labelled });
  await core.deleteNamespacedSecret({ namespace, name });
});
