// Claims and volumes that were deleted while somebody used them stay until nobody does: what the server put in their
// way is taken out of it. Pure.
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, controllerOf } from "../../api/meta.ts";
import { type Decision, settled } from "../../machinery/controller.ts";

const claimKeeper = "kubernetes.io/pvc-protection";
const volumeKeeper = "kubernetes.io/pv-protection";

export interface ObservedClaim {
  readonly claim: PersistentVolumeClaim;
  /** Pods of its namespace that name it, or whose own it is. */
  readonly pods: readonly Pod[];
}

/** The claims a pod names, and those made for its own use. */
export const claimsOf = ({ metadata, spec }: Pod): readonly string[] =>
  (spec.volumes ?? []).flatMap((v) => {
    if (v.persistentVolumeClaim) return [v.persistentVolumeClaim.claimName];
    return v.ephemeral ? [`${metadata.name}-${v.name}`] : [];
  });

const isGoing = ({ metadata }: ApiObject): boolean => metadata.deletionTimestamp !== undefined;
const isShutDown = (pod: Pod): boolean => isGoing(pod) && pod.metadata.deletionGracePeriodSeconds === 0;

/** A node starts no pod with a claim that is going, so only pods that are on one count, for as long as they exist. */
function uses(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (pod.spec.nodeName === undefined) return false;
  const names = (pod.spec.volumes ?? []).some((v) => v.persistentVolumeClaim?.claimName === claim.metadata.name);
  return names || (!isShutDown(pod) && controllerOf(claim)?.uid === pod.metadata.uid);
}

function letGo(resource: ResourceDefinition, object: ApiObject, keeper: string): Decision {
  const { finalizers = [], ...metadata } = object.metadata;
  if (!finalizers.includes(keeper)) return settled;
  const rest = finalizers.filter((f) => f !== keeper);
  return { actions: [{ do: "update", resource, object: { ...object, metadata: { ...metadata, finalizers: rest } } }] };
}

/** A claim goes when no pod uses it any more. */
export const decideClaim = ({ claim, pods }: ObservedClaim): Decision =>
  isGoing(claim) && !pods.some((pod) => uses(pod, claim)) ? letGo(persistentVolumeClaims, claim, claimKeeper) : settled;

/** A volume goes when it is not bound to a claim any more. */
export const decideVolume = (volume: PersistentVolume): Decision =>
  isGoing(volume) && volume.status?.phase !== "Bound" ? letGo(persistentVolumes, volume, volumeKeeper) : settled;
