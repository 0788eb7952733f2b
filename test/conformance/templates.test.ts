// PodTemplates: create, update and delete, also as a collection.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";
import { patched } from "./requests.ts";

const template = (name: string, labels: object): any => ({
  metadata: { name, labels },
  template: { spec: { containers: [{ name: "nginx", image: "nginx:1" }] } },
});

behaviour("PodTemplates should run the lifecycle of PodTemplates", async ({ send, client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "nginx-pod-template";
  const labelSelector = "podtemplate-static=true";
  await core.createNamespacedPodTemplate({ namespace, body: template(name, { "podtemplate-static": "true" }) });
  const found = await core.listPodTemplateForAllNamespaces({ labelSelector });
  expect(found.items.filter((t) => t.metadata?.namespace === namespace)).toHaveLength(1);
  const path = `/api/v1/namespaces/${namespace}/podtemplates/${name}`;
  await patched(send, path, { metadata: { labels: { podtemplate: "patched" } } }, "strategic");
  expect((await core.readNamespacedPodTemplate({ namespace, name })).metadata?.labels).toEqual({
    "podtemplate-static": "true",
    podtemplate: "patched",
  });
  await core.deleteNamespacedPodTemplate({ namespace, name });
  const left = await core.listPodTemplateForAllNamespaces({ labelSelector });
  expect(left.items.filter((t) => t.metadata?.namespace === namespace)).toEqual([]);
});

behaviour("PodTemplates should delete a collection of pod templates", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const labelSelector = "podtemplate-set=true";
  for (const name of ["one", "two", "three"])
    await core.createNamespacedPodTemplate({ namespace, body: template(name, { "podtemplate-set": "true" }) });
  expect((await core.listNamespacedPodTemplate({ namespace, labelSelector })).items).toHaveLength(3);
  await core.deleteCollectionNamespacedPodTemplate({ namespace, labelSelector });
  expect((await core.listNamespacedPodTemplate({ namespace, labelSelector })).items).toEqual([]);
});

behaviour("PodTemplates should replace a pod template", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "replaced";
  const made = await core.createNamespacedPodTemplate({ namespace, body: template(name, { e2e: "yes" }) });
  expect(made.metadata?.generation).toBe(1);
  made.metadata!.annotations = { updated: "true" };
  made.template!.spec!.containers[0]!.image = "nginx:2";
  const replaced = await core.replaceNamespacedPodTemplate({ namespace, name, body: made });
  expect(replaced.metadata?.annotations).toEqual({ updated: "true" });
  expect(replaced.metadata?.generation).toBe(2);
  expect(replaced.template?.spec?.containers[0]?.image).toBe("nginx:2");
});
