// The objects of a scenario in an API server.
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { pods } from "../../../api/core/pods.ts";
import type { ApiObject, Key } from "../../../api/meta.ts";
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
export async function create(client: Client, manifest: Manifest): Promise<ApiObject> {
  const resource = resourceOf(manifest);
  const created = await client.create(resource, manifest as never);
  if (manifest.kind === "Node") {
    // Without the taint of new nodes.
    const taints = (manifest.spec as { readonly taints?: unknown }).taints ?? [];
    const spec = { ...(created as ApiObject & { spec: object }).spec, taints };
    return client.update(resource, { ...created, spec } as never);
  }
  if (!manifest.status) return created;
  const status = { ...(created as ApiObject & { readonly status?: object }).status, ...manifest.status };
  return client.update(resource, { ...created, status } as never, "status");
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
];
export async function lay(client: Client): Promise<void> {
  for (const manifest of foundation)
    await client.create(resourceOf(manifest), manifest as never).catch((e: Error) => {
      if (!e.message.includes("already exists")) throw e;
    });
}

/** Creates the cluster of a scenario. */
export async function setUp(client: Client, { nodes, objects, bound }: Scenario): Promise<void> {
  for (const manifest of [...nodes, ...objects, ...bound]) await create(client, manifest);
}
/** Removes what a scenario has created, in reverse order. */
export async function tearDown(client: Client, { nodes, objects, bound, pods: arriving }: Scenario): Promise<void> {
  const made = (await client.list(persistentVolumes)).items.map(
    ({ metadata: { name } }): Manifest => named("v1", "PersistentVolume", name),
  );
  for (const manifest of [...nodes, ...objects, ...made, ...bound, ...arriving].toReversed()) {
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
