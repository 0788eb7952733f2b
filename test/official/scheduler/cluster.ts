// The objects of a scenario in an API server.
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { pods } from "../../../api/core/pods.ts";
import { type ApiObject, type Key, keyOf } from "../../../api/meta.ts";
import type { Client } from "../../../machinery/client.ts";
import { kindRegistry } from "../../../machinery/kind-registry.ts";
import { podNamespaces, priorityClasses } from "./pods.ts";
import type { Manifest, Scenario } from "./scenario.ts";

const kinds = kindRegistry(builtinKinds);
const resourceOf = ({ apiVersion, kind }: Manifest): ResourceDefinition => {
  const resource = kinds.ofKind(apiVersion, kind);
  if (!resource) throw new Error(`no kind ${apiVersion} ${kind}`);
  return resource;
};
const keyOfManifest = ({ metadata: { name, namespace } }: Manifest): Key =>
  (namespace === undefined ? name : `${namespace}/${name}`) as Key;

/** Creates an object with its status, as controllers and kubelets would have written it. */
export async function create(client: Client, { isDeleted, ...manifest }: Manifest): Promise<void> {
  const resource = resourceOf(manifest);
  const created = await client.create(resource, manifest as never);
  if (manifest.kind === "Node") return replaceNode(client, created, manifest);
  if (manifest.status) {
    const status = { ...(created as ApiObject & { readonly status?: object }).status, ...manifest.status };
    await client.update(resource, { ...created, status } as never, "status");
  }
  if (isDeleted) await client.delete(resource, keyOf(created));
}
/** Also the taint of new nodes is replaced. */
async function replaceNode(client: Client, current: ApiObject, { metadata, spec, status }: Manifest): Promise<void> {
  const labelled = { ...current.metadata, labels: metadata["labels"] };
  const updated = await client.update(nodes, {
    ...current,
    metadata: labelled,
    spec: { taints: [], ...spec },
  } as never);
  await client.update(nodes, { ...updated, status } as never, "status");
}
/** Creates, replaces or deletes an object while pods are scheduled. */
export async function change(client: Client, manifest: Manifest): Promise<void> {
  const resource = resourceOf(manifest);
  const current = await client.get(resource, keyOfManifest(manifest)).catch(() => undefined);
  if (!current) return manifest.isDeleted ? undefined : create(client, manifest);
  if (manifest.isDeleted) await client.delete(resource, keyOf(current), { gracePeriodSeconds: 0 });
  else await replaceNode(client, current, manifest);
}

const named = (apiVersion: string, kind: string, name: string, more: object = {}): Manifest => ({
  ...more,
  apiVersion,
  kind,
  metadata: { name, ...(more as { metadata?: object }).metadata },
});
/** What every scenario finds: namespaces with labels, priority classes, a runtime class with overhead. */
const foundation: readonly Manifest[] = [
  ...podNamespaces.map((name) =>
    named("v1", "Namespace", name, { metadata: { labels: name.startsWith("team-") ? { team: name.slice(5) } : {} } }),
  ),
  ...podNamespaces.map((namespace) => named("v1", "ServiceAccount", "default", { metadata: { namespace } })),
  ...Object.entries(priorityClasses).map(([name, value]) =>
    named("scheduling.k8s.io/v1", "PriorityClass", name, {
      value,
      ...(name === "patient" && { preemptionPolicy: "Never" }),
    }),
  ),
  named("node.k8s.io/v1", "RuntimeClass", "heavy", {
    handler: "heavy",
    overhead: { podFixed: { cpu: "250m", memory: "120Mi" } },
  }),
  named("node.k8s.io/v1", "RuntimeClass", "pinned", {
    handler: "pinned",
    scheduling: { nodeSelector: { generation: "1" }, tolerations: [{ key: "dedicated", operator: "Exists" }] },
  }),
];
export async function layFoundation(client: Client): Promise<void> {
  for (const manifest of foundation)
    await client.create(resourceOf(manifest), manifest as never).catch((e: Error) => {
      if (!e.message.includes("already exists")) throw e;
    });
}

/** Creates the cluster of a scenario. */
export async function setUp(client: Client, { nodes: all, objects, bound }: Scenario): Promise<void> {
  for (const manifest of [...all, ...objects, ...bound]) await create(client, manifest);
}
/** Removes what a scenario has created, in reverse order. */
export async function tearDown(client: Client, { nodes: all, objects, bound, steps }: Scenario): Promise<void> {
  const made = (await client.list(persistentVolumes)).items.map(
    ({ metadata: { name } }): Manifest => named("v1", "PersistentVolume", name),
  );
  for (const manifest of [...all, ...objects, ...made, ...bound, ...steps].toReversed()) {
    const resource = resourceOf(manifest);
    const key = keyOfManifest(manifest);
    const object = await client.get(resource, key).catch(() => undefined);
    if (!object) continue;
    const { finalizers = [] } = object.metadata;
    if (finalizers.length > 0)
      await client.update(resource, { ...object, metadata: { ...object.metadata, finalizers: [] } } as never);
    await client.delete(resource, key, { gracePeriodSeconds: 0 }).catch(() => undefined);
  }
}

/** What a kubelet writes when a pod runs. */
export async function run(client: Client, pod: Manifest, startTime: string): Promise<void> {
  const patch = { status: { phase: "Running", startTime } };
  await client.patch(pods, keyOfManifest(pod), { type: "merge", patch }, "status");
}
export async function remove(client: Client, pod: Manifest): Promise<void> {
  await client.delete(pods, keyOfManifest(pod), { gracePeriodSeconds: 0 });
}
