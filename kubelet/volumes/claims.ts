// The persistent volumes behind a pod's volumes: its claims, and what they are bound to. Pure.
import { claimNamesOf, ephemeralClaimName } from "../../api/core/pod/claims.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from "../../api/generated/types.ts";
import { allContainersOf } from "../podspec/containers.ts";
import { Unmet, type VolumeLookup } from "../podspec/references.ts";

/** A claim of a pod and the volume that it is bound to. */
export interface ClaimedVolume {
  readonly claim: PersistentVolumeClaim;
  readonly pv: PersistentVolume;
  readonly readOnly: boolean;
}

/** The name of the claim behind a volume; undefined for a volume of another type. */
export function claimNameOf(pod: Pod, v: Volume): string | undefined {
  if (v.persistentVolumeClaim) return v.persistentVolumeClaim.claimName;
  return v.ephemeral ? ephemeralClaimName(pod, v.name) : undefined;
}

export const hasClaims = (pod: Pod): boolean => claimNamesOf(pod).length > 0;

/** Whether a driver or a persistent volume provides the volume. */
export const isProvided = (v: Volume): boolean => (v.csi ?? v.persistentVolumeClaim ?? v.ephemeral) !== undefined;

/** Whether drivers may provide volumes of the pod. */
export const usesDrivers = (pod: Pod): boolean => (pod.spec.volumes ?? []).some(isProvided);

const isOwner = (pod: Pod, claim: PersistentVolumeClaim): boolean =>
  (claim.metadata.ownerReferences ?? []).some((o) => o.controller === true && o.uid === pod.metadata.uid);

/** Throws `Unmet` for a claim that is missing, not bound or deleted: the pod may not use it. */
function boundClaim(pod: Pod, v: Volume, name: string, lookup: VolumeLookup): PersistentVolumeClaim {
  const claim = lookup.claim(name);
  if (claim === undefined)
    throw new Unmet(`failed to fetch PVC from API server: persistentvolumeclaims "${name}" not found`);
  const { namespace } = pod.metadata;
  if (v.ephemeral && !isOwner(pod, claim))
    throw new Unmet(
      `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`,
    );
  if (claim.metadata.deletionTimestamp !== undefined) throw new Unmet("PVC is being deleted");
  if (claim.status?.phase !== "Bound") throw new Unmet("PVC is not bound");
  if (!claim.spec.volumeName) throw new Unmet("PVC has empty pvc.Spec.VolumeName");
  return claim;
}

function volumeOf({ metadata, spec }: PersistentVolumeClaim, lookup: VolumeLookup): PersistentVolume {
  const name = spec.volumeName!;
  const pv = lookup.persistentVolume(name);
  if (pv === undefined)
    throw new Unmet(`failed to fetch PV ${name} from API server: persistentvolumes "${name}" not found`);
  const { claimRef } = pv.spec;
  if (claimRef === undefined)
    throw new Unmet(
      `found PV object ${name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`,
    );
  if (claimRef.uid !== metadata.uid)
    throw new Unmet(
      `found PV object ${name} but its pv.Spec.ClaimRef.UID ${claimRef.uid} does not point to claim.UID ${metadata.uid}`,
    );
  return pv;
}

/** Containers mount file systems and get devices. Throws `Unmet` for a volume that is used as the other. */
function requireMode(pod: Pod, { name }: Volume, { spec: { volumeMode = "Filesystem" } }: PersistentVolume): void {
  const field = volumeMode === "Block" ? "volumeMounts" : "volumeDevices";
  if (allContainersOf(pod).some((c) => c[field]?.some((use) => use.name === name)))
    throw new Unmet(`volume ${name} has volumeMode ${volumeMode}, but is specified in ${field}`);
}

/** The claim and persistent volume behind a volume; undefined without a claim. Throws `Unmet` until it is bound. */
export function claimed(pod: Pod, v: Volume, lookup: VolumeLookup): ClaimedVolume | undefined {
  const name = claimNameOf(pod, v);
  if (name === undefined) return undefined;
  try {
    const claim = boundClaim(pod, v, name, lookup);
    const pv = volumeOf(claim, lookup);
    requireMode(pod, v, pv);
    return { claim, pv, readOnly: v.persistentVolumeClaim?.readOnly ?? false };
  } catch (e) {
    if (!(e instanceof Unmet)) throw e;
    throw new Unmet(`error processing PVC ${pod.metadata.namespace}/${name}: ${e.message}`);
  }
}

/** The persistent volumes that the pod's claims name, as far as the claims are known. */
export const volumeNamesOf = (pod: Pod, lookup: VolumeLookup): readonly string[] =>
  claimNamesOf(pod).flatMap((name) => lookup.claim(name)?.spec.volumeName || []);
