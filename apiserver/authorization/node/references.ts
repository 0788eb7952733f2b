// What pods and persistent volumes let their node read. Pure. Source: the Kubernetes page "Using Node Authorization".
import { claimNamesOf } from "../../../api/core/pod/claims.ts";
import { configMapNamesOf, secretNamesOf } from "../../../api/core/pod/references.ts";
import type { PersistentVolume, Pod } from "../../../api/generated/types.ts";
import { type Key, key, keyOf } from "../../../api/meta.ts";
import { deviceClaimKeys } from "../../../api/resource/pod-claims.ts";
import { isMirrorPod } from "../../../api/core/pod/mirror.ts";

/** The kinds, by their plurals, that nodes reach through pods, or that name a node. */
export type ReachedKind =
  | "configmaps"
  | "persistentvolumeclaims"
  | "persistentvolumes"
  | "pods"
  | "resourceclaims"
  | "resourceslices"
  | "secrets"
  | "serviceaccounts"
  | "volumeattachments";

/** An object, by its kind and its key. */
export type ObjectId = `${ReachedKind} ${Key}`;
export const objectId = (kind: ReachedKind, at: Key): ObjectId => `${kind} ${at}`;

/** The pod and what it refers to, each once. A mirror pod, which its node makes itself, gives the node nothing else. */
export function reachedThrough(pod: Pod): ReadonlySet<ObjectId> {
  const { spec, metadata } = pod;
  const own = objectId("pods", keyOf(pod));
  if (isMirrorPod(pod)) return new Set([own]);
  const named = (kind: ReachedKind, names: readonly string[]): readonly ObjectId[] =>
    names.map((name) => objectId(kind, key(metadata.namespace, name)));
  return new Set([
    own,
    ...named("serviceaccounts", spec.serviceAccountName ? [spec.serviceAccountName] : []),
    ...named("secrets", secretNamesOf(pod)),
    ...named("configmaps", configMapNamesOf(pod)),
    ...named("persistentvolumeclaims", claimNamesOf(pod)),
    ...deviceClaimKeys(pod).map((at) => objectId("resourceclaims", at)),
  ]);
}

/** The Secrets that a node needs to mount a volume. Those for its controller are none of them. */
export function secretsToMount({ spec }: PersistentVolume): readonly ObjectId[] {
  const { csi, azureFile, cinder, storageos } = spec;
  const claimNamespace = spec.claimRef?.namespace;
  const elsewhere = [spec.cephfs, spec.flexVolume, spec.rbd, spec.scaleIO, spec.iscsi].map((s) => s?.secretRef);
  const found: readonly (readonly [namespace: string | undefined, name: string | undefined])[] = [
    [azureFile?.secretNamespace || claimNamespace, azureFile?.secretName],
    // Without a namespace these are in that of the claim.
    ...elsewhere.map((ref) => [ref?.namespace || claimNamespace, ref?.name] as const),
    ...[
      cinder?.secretRef,
      storageos?.secretRef,
      csi?.nodePublishSecretRef,
      csi?.nodeStageSecretRef,
      csi?.nodeExpandSecretRef,
    ].map((ref) => [ref?.namespace, ref?.name] as const),
  ];
  return found.flatMap(([namespace, name]) => (name ? [objectId("secrets", key(namespace, name))] : []));
}
