// Who owns the claims of a stateful set's pods, so that they are deleted with their owner where the retention policy
// says so. Source: KEP-1847, API reference of StatefulSetPersistentVolumeClaimRetentionPolicy. Pure.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../api/generated/types.ts";
import { type ApiObject, ownedBy, type OwnerReference } from "../../api/meta.ts";
import { type Action, updateTo } from "../../machinery/action.ts";
import { isInRange } from "./identity.ts";

type Slot = { readonly ordinal: number; readonly pod: Pod | undefined };

/** What the policy makes the owner of a pod's claims: the set, the pod once it is beyond the set's size, or nothing. */
function ownerOf(set: StatefulSet, { ordinal, pod }: Slot): ApiObject | undefined {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  if (whenScaled === "Delete" && !isInRange(set, ordinal)) return pod;
  return whenDeleted === "Delete" ? set : undefined;
}

const isOf = (reference: OwnerReference, kind: string, name: string): boolean =>
  reference.kind === kind && reference.name === name;

/** Whether a pod of the same name that is gone owns the claim: it is about to be deleted with that pod. */
export const isStale = (claim: PersistentVolumeClaim, podName: string, pod: Pod | undefined): boolean =>
  (claim.metadata.ownerReferences ?? []).some((r) => isOf(r, "Pod", podName) && r.uid !== pod?.metadata.uid);

/** Gives a claim the owner that the policy says. A claim that something else controls is left alone. */
export function ownershipOf(set: StatefulSet, slot: Slot, podName: string, claim: PersistentVolumeClaim) {
  const before = claim.metadata.ownerReferences ?? [];
  const isOurs = (r: OwnerReference): boolean => isOf(r, "StatefulSet", set.metadata.name) || isOf(r, "Pod", podName);
  if (before.some((r) => r.controller === true && !isOurs(r))) return [];
  const owner = ownerOf(set, slot);
  const kept = before.filter((r) => !isOurs(r) || (r.uid === owner?.metadata.uid && r.controller === true));
  const isOwned = owner === undefined || kept.some((r) => r.uid === owner.metadata.uid);
  const ownerReferences = isOwned ? kept : [...kept, ownedBy(owner)];
  if (ownerReferences.length === before.length && isOwned) return [];
  const { ownerReferences: _, ...metadata } = claim.metadata;
  const after = { ...claim, metadata: { ...metadata, ...(ownerReferences.length > 0 && { ownerReferences }) } };
  return updateTo<PersistentVolumeClaim>(persistentVolumeClaims, claim, after) satisfies readonly Action[];
}
