// Volumes of the local driver whose node was removed with its disk. Only the driver of the node could delete them, and
// the API does not tell whether a node that is gone comes back: without this, volumes and claims of a removed node
// would wait for it for ever. It is what external-provisioner's documentation has an administrator do by hand.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { isReachableFrom, selectedNode } from "../../api/core/volume-matching.ts";
import { hasReason, ifFound } from "../../api/errors.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import { provisioningFinalizer } from "../../controllers/csi/provision.ts";
import { localDriver } from "../../csi/driver/profile.ts";
import type { Client } from "../../machinery/client.ts";

const isOnNode = ({ spec }: PersistentVolume): boolean =>
  spec.csi?.driver === localDriver.name && spec.nodeAffinity !== undefined;

/** Deletes a volume without its driver. Its claim, if it has one, becomes Lost. */
async function deleteVolume(client: Client, { metadata }: PersistentVolume): Promise<void> {
  const k = keyOf({ metadata: { name: metadata.name } });
  await ifFound(client.delete(persistentVolumes, k, { uid: metadata.uid }));
  const patch = { metadata: { uid: metadata.uid, finalizers: null } };
  await ifFound(client.patch(persistentVolumes, k, { type: "merge", patch }));
}

/** Lets another node make the volume of a claim. */
async function release(client: Client, claim: PersistentVolumeClaim, node: string): Promise<void> {
  const { uid, annotations, finalizers = [], resourceVersion } = claim.metadata;
  const ofNode = provisioningFinalizer({ driver: localDriver.name, node: { name: node } });
  const isSelected = !claim.spec.volumeName && annotations?.[selectedNode] === node;
  if (!isSelected && !finalizers.includes(ofNode)) return;
  const rest = finalizers.filter((f) => f !== ofNode);
  const selection = isSelected ? { annotations: { [selectedNode]: null } } : {};
  const patch = { metadata: { uid, resourceVersion, finalizers: rest, ...selection } };
  try {
    await ifFound(client.patch(persistentVolumeClaims, keyOf(claim), { type: "merge", patch }));
  } catch (e) {
    if (!hasReason(e, "Conflict")) throw e;
    const next = await ifFound(client.get(persistentVolumeClaims, keyOf(claim)));
    if (next) await release(client, next, node);
  }
}

/**
 * Removes what volumes of the node have left. Those that are to be retained stay as objects. May be repeated. Resolves
 * with the claims whose data are lost, also of retained volumes, by namespace and name.
 */
export async function forgetVolumes(client: Client, node: string): Promise<readonly string[]> {
  const labels = { [localDriver.topologyKey!]: node };
  const ofNode = (await client.list(persistentVolumes)).items.filter((v) => isOnNode(v) && isReachableFrom(v, labels));
  for (const volume of ofNode)
    if (volume.spec.persistentVolumeReclaimPolicy === "Delete") await deleteVolume(client, volume);
  const claims = (await client.list(persistentVolumeClaims)).items;
  for (const claim of claims) await release(client, claim, node);
  const lost = new Set(ofNode.map(({ metadata }) => metadata.name));
  return claims.filter(({ spec }) => lost.has(spec.volumeName ?? "")).map(keyOf);
}
