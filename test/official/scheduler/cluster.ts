// An API server with the objects of a scenario, and what becomes of its pods.
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { conditionOf } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, type Key, keyOf } from "../../../api/meta.ts";
import type { Client } from "../../../machinery/client.ts";
import { type Informer, informer } from "../../../machinery/informer.ts";
import { kindRegistry } from "../../../machinery/kind-registry.ts";
import type { World } from "../../../machinery/world.ts";
import { podNamespaces, priorityClasses } from "./pods.ts";
import type { Manifest, Scenario } from "./scenario.ts";
import { provisioner } from "./volumes.ts";

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

export interface Outcome {
  readonly nodeName?: string;
  readonly reason?: string;
  /** Why it is pending. */
  readonly message?: string;
}
function outcomeOf(pod: Pod): Outcome | undefined {
  if (pod.spec.nodeName !== undefined) return { nodeName: pod.spec.nodeName };
  const { status, reason, message } = conditionOf(pod.status?.conditions, "PodScheduled") ?? {};
  if (status !== "False") return undefined;
  return { ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) };
}

/** Follows the pods of a server, and plays the part of the volume controllers. */
export interface Followed {
  readonly pods: Informer<Pod>;
  /** What a scheduler has decided; undefined when it takes too long. */
  outcome(key: Key): Promise<Outcome | undefined>;
}

/** A claim that a volume refers to is bound to it. */
async function bindClaim(client: Client, volume: PersistentVolume): Promise<void> {
  const { claimRef } = volume.spec;
  if (!claimRef) return;
  const key = `${claimRef.namespace}/${claimRef.name}` as Key;
  const claim = await client.get<PersistentVolumeClaim>(persistentVolumeClaims, key).catch(() => undefined);
  if (!claim || claim.spec.volumeName !== undefined) return;
  const annotations = { ...claim.metadata.annotations, "pv.kubernetes.io/bind-completed": "yes" };
  const updated = await client.update<PersistentVolumeClaim>(persistentVolumeClaims, {
    ...claim,
    metadata: { ...claim.metadata, annotations },
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  });
  const status = { phase: "Bound", accessModes: volume.spec.accessModes, capacity: volume.spec.capacity } as const;
  await client.update(persistentVolumeClaims, { ...updated, status } as PersistentVolumeClaim, "status");
}
/** A claim for which a node was selected gets a volume there. */
async function provision(client: Client, claim: PersistentVolumeClaim): Promise<void> {
  const node = claim.metadata.annotations?.["volume.kubernetes.io/selected-node"];
  if (node === undefined || claim.spec.volumeName !== undefined) return;
  const { name, namespace, uid } = claim.metadata;
  const key = "metadata.name";
  await create(client, {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: `made-${name}`, annotations: { "pv.kubernetes.io/provisioned-by": provisioner } },
    spec: {
      capacity: claim.spec.resources?.requests,
      accessModes: claim.spec.accessModes,
      storageClassName: claim.spec.storageClassName,
      persistentVolumeReclaimPolicy: "Retain",
      hostPath: { path: `/mnt/${name}` },
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace, uid },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchFields: [{ key, operator: "In", values: [node] }] }] } },
    },
    status: { phase: "Bound" },
  });
}

export function follow(client: Client, world: World, signal: AbortSignal, patienceMs: number): Followed {
  const view = informer(client, pods, world);
  const volumes = informer(client, persistentVolumes, world);
  const claims = informer(client, persistentVolumeClaims, world);
  const ignore = (): void => {};
  volumes.onChange((volume) => void bindClaim(client, volume as PersistentVolume).catch(ignore));
  claims.onChange((claim) => void provision(client, claim as PersistentVolumeClaim).catch(ignore));
  for (const each of [view, volumes, claims]) each.run(signal).catch(ignore);
  const waiting = new Map<Key, (outcome: Outcome) => void>();
  view.onChange((pod) => {
    const outcome = outcomeOf(pod);
    if (outcome) waiting.get(keyOf(pod))?.(outcome);
  });
  return {
    pods: view,
    async outcome(key) {
      const { promise, resolve } = Promise.withResolvers<Outcome | undefined>();
      waiting.set(key, resolve);
      const present = view.lister.get(key);
      const known = present && outcomeOf(present);
      if (known) resolve(known);
      const late = world.clock.sleep(patienceMs, signal).then(() => undefined);
      const outcome = await Promise.race([promise, late]);
      waiting.delete(key);
      return outcome;
    },
  };
}
