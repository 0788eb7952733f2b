// The part of the volume controllers: binds claims that a scheduler has chosen volumes for, and makes volumes.
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../../api/generated/types.ts";
import type { Key } from "../../../api/meta.ts";
import type { Client } from "../../../machinery/client.ts";
import { informer } from "../../../machinery/informer.ts";
import type { World } from "../../../machinery/world.ts";
import { create } from "./cluster.ts";
import { provisioner } from "./volumes.ts";

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

/** Binds and makes volumes until the signal aborts. */
export function controlVolumes(client: Client, world: World, signal: AbortSignal): void {
  const volumes = informer(client, persistentVolumes, world);
  const claims = informer(client, persistentVolumeClaims, world);
  const ignore = (): void => {};
  volumes.onChange((volume) => void bindClaim(client, volume as PersistentVolume).catch(ignore));
  claims.onChange((claim) => void provision(client, claim as PersistentVolumeClaim).catch(ignore));
  for (const each of [volumes, claims]) each.run(signal).catch(ignore);
}
