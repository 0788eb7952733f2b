// What the binder does about a volume: its phase, and what becomes of it when its claim is gone. Source: the Kubernetes
// concepts page "Persistent Volumes". Pure.
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { boundByController, provisionedBy } from "../../api/core/volume-matching.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { type Instant, type Revision, revision, revisionOf } from "../../api/meta.ts";
import { recordEvent } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { phaseTo } from "./binding.ts";

export interface ObservedVolume {
  readonly volume: PersistentVolume;
  /** The claim with the name in the volume's reference. */
  readonly claim: PersistentVolumeClaim | undefined;
  /** Up to where the view of claims shows history. */
  readonly claimsAt: Revision;
}

const staleViewRetryMs = 500;

/**
 * A revision at which the claim that a volume refers to existed. A view of claims that is older may not show it yet:
 * the volume must not be deleted for that.
 */
const referenceRevision = ({ metadata, spec: { claimRef } }: PersistentVolume): Revision =>
  revision(Math.min(Number(claimRef?.resourceVersion || Infinity), revisionOf({ metadata })));

/** An external provisioner deletes what it made, and CSI volumes. Of other types nothing can be deleted. */
const isDeletedElsewhere = ({ metadata, spec }: PersistentVolume): boolean =>
  spec.csi !== undefined || !(metadata.annotations?.[provisionedBy] ?? "kubernetes.io/").startsWith("kubernetes.io/");

/** A volume without its claim. */
function reclaim(volume: PersistentVolume, now: Instant, why: string): Decision {
  const { name } = volume.metadata;
  const { phase } = volume.status ?? {};
  if (phase !== "Released" && phase !== "Failed") return { actions: phaseTo(volume, "Released", now), because: [why] };
  const failed = (reason: string, message: string): Decision => {
    const event = recordEvent(volume, "Warning", reason, message);
    return {
      actions: [...phaseTo(volume, "Failed", now, message), ...(phase === "Failed" ? [] : [event])],
      because: [message],
    };
  };
  const policy = volume.spec.persistentVolumeReclaimPolicy;
  if (policy === "Recycle") return failed("VolumeFailedRecycle", "No recycler plugin found for the volume!");
  if (policy !== "Delete" || isDeletedElsewhere(volume)) return settled;
  return failed(
    "VolumeFailedDelete",
    `error getting deleter volume plugin for volume "${name}": no deletable volume plugin matched`,
  );
}

/** Releases a volume from a claim that is bound to another one. */
function unbind(volume: PersistentVolume): Decision {
  const { [boundByController]: isOwnChoice, ...annotations } = volume.metadata.annotations ?? {};
  const { claimRef, ...spec } = volume.spec;
  const { uid: _, ...reservation } = claimRef ?? {};
  // A reservation that a user made stays, so that the claim's successor of this name gets the volume.
  const kept = isOwnChoice === undefined ? { claimRef: reservation } : {};
  const object = { ...volume, metadata: { ...volume.metadata, annotations }, spec: { ...spec, ...kept } };
  return {
    actions: [{ do: "update", resource: persistentVolumes, object }],
    because: ["its claim is bound to another volume"],
  };
}

/** The next step for a volume. */
export function decideVolume({ volume, claim, claimsAt }: ObservedVolume, now: Instant): Decision {
  const { claimRef, persistentVolumeReclaimPolicy: policy } = volume.spec;
  if (!claimRef?.uid) return { actions: phaseTo(volume, "Available", now), because: ["no claim is bound to it"] };
  if (claim?.metadata.uid !== claimRef.uid) {
    if (claimsAt < referenceRevision(volume))
      return { actions: [], because: ["the view of claims is behind"], requeueAfter: staleViewRetryMs };
    return reclaim(volume, now, "its claim is gone");
  }
  if (!claim.spec.volumeName) {
    // The claim's own reconcile completes a binding; it begins none with a volume that is being deleted.
    const isDeleted = volume.metadata.deletionTimestamp !== undefined && volume.status?.phase !== "Bound";
    return isDeleted ? reclaim(volume, now, "it was deleted before its claim was bound to it") : settled;
  }
  if (claim.spec.volumeName === volume.metadata.name) return { actions: phaseTo(volume, "Bound", now) };
  const isDeletable = volume.metadata.annotations?.[provisionedBy] !== undefined && policy === "Delete";
  return isDeletable ? reclaim(volume, now, "its claim is bound to another volume") : unbind(volume);
}
