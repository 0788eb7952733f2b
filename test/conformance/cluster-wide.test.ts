// Cluster-scoped kinds: namespaces and nodes.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";
import { patched, refused } from "./requests.ts";

behaviour("Namespaces should patch a Namespace", async ({ send, client, namespace }) => {
  await patched(
    send,
    `/api/v1/namespaces/${namespace}`,
    { metadata: { labels: { testLabel: "testValue" } } },
    "strategic",
  );
  const read = await client(CoreV1Api).readNamespace({ name: namespace });
  expect(read.metadata?.labels).toMatchObject({ testLabel: "testValue", "kubernetes.io/metadata.name": namespace });
});

behaviour("Namespaces should apply an update to a Namespace", async ({ client, namespace: name }) => {
  const core = client(CoreV1Api);
  const body = await core.readNamespace({ name });
  body.metadata!.labels![name] = "updated";
  const updated = await core.replaceNamespace({ name, body });
  expect(updated.metadata?.labels?.[name]).toBe("updated");
});

behaviour("Namespaces should apply changes to a namespace status", async ({ send, client, namespace: name }) => {
  const core = client(CoreV1Api);
  const condition = { type: "StatusPatch", status: "True", reason: "E2E", message: "Patched by an e2e test" };
  const seen = await patched(send, `/api/v1/namespaces/${name}/status`, { status: { conditions: [condition] } });
  expect(seen.status).toMatchObject({ conditions: [condition], phase: "Active" });
  const body = await core.readNamespaceStatus({ name });
  body.status!.conditions = [...body.status!.conditions!, { ...condition, type: "StatusUpdate" }];
  const updated = await core.replaceNamespaceStatus({ name, body });
  expect(updated.status?.conditions?.map((c) => c.type)).toEqual(["StatusPatch", "StatusUpdate"]);
});

behaviour("Namespaces should apply a finalizer to a Namespace", async ({ client, namespace }) => {
  const core = client(CoreV1Api);
  const name = `${namespace}-final`;
  const finalizer = "e2e.example.com/fakeFinalizer";
  const body = await core.createNamespace({ body: { metadata: { name } } });
  body.spec!.finalizers = [...body.spec!.finalizers!, finalizer];
  const held = await core.replaceNamespaceFinalize({ name, body });
  expect(held.spec?.finalizers).toEqual(["kubernetes", finalizer]);
  held.spec!.finalizers = ["kubernetes"];
  const free = await core.replaceNamespaceFinalize({ name, body: held });
  expect(free.spec?.finalizers).toEqual(["kubernetes"]);
});

behaviour("Node Lifecycle should run through the lifecycle of a node", async ({ send, client, namespace }) => {
  const core = client(CoreV1Api);
  const name = `node-${namespace}`;
  const status = { capacity: { cpu: "500m", memory: "1Gi" }, phase: "Running" };
  await core.createNode({ body: { metadata: { name }, status } as never });
  const read = await core.readNode({ name });
  expect(read.status).toMatchObject({ ...status, allocatable: status.capacity });
  await patched(send, `/api/v1/nodes/${name}`, { metadata: { labels: { [name]: "patched" } } }, "strategic");
  expect((await core.listNode({ labelSelector: `${name}=patched` })).items).toHaveLength(1);
  const body = await core.readNode({ name });
  body.metadata!.labels![name] = "updated";
  await core.replaceNode({ name, body });
  const next = await core.readNode({ name });
  next.status!.phase = "Pending";
  expect((await core.replaceNodeStatus({ name, body: next })).status?.phase).toBe("Pending");
  await core.deleteCollectionNode({ labelSelector: `${name}=updated` });
  expect((await refused(core.readNode({ name }))).code).toBe(404);
});
