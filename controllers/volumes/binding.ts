// The steps that bind a claim and a volume to each other: the volume's reference first, then its phase, the claim's
// reference, and the claim's status. Each step is decided from what is stored, so that a binding that was interrupted
// continues where it stopped. Pure.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { bindCompleted, boundByController, boundTo } from "../../api/core/volume-matching.ts";
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
  PersistentVolumeStatus,
} from "../../api/generated/types.ts";
import { type Instant, timestamp } from "../../api/meta.ts";
import { type Action, statusTo, updateTo } from "../../machinery/action.ts";
import type { Decision } from "../../machinery/controller.ts";

/** Writes the phase of a volume, with the reason for it. */
export function phaseTo(
  volume: PersistentVolume,
  phase: PersistentVolumeStatus["phase"] & string,
  now: Instant,
  message?: string,
): readonly Action[] {
  const { message: _, ...before } = volume.status ?? {};
  if (before.phase === phase && volume.status?.message === message) return [];
  const since = before.phase === phase ? {} : { lastPhaseTransitionTime: timestamp(now) };
  return statusTo<PersistentVolume>(persistentVolumes, volume, {
    ...before,
    ...since,
    phase,
    ...(message !== undefined && { message }),
  });
}

/** Writes the phase of a claim, and what it has of the volume. */
export function claimPhaseTo(
  claim: PersistentVolumeClaim,
  phase: PersistentVolumeClaimStatus["phase"] & string,
  volume?: PersistentVolume,
): readonly Action[] {
  const { accessModes: _, capacity, ...before } = claim.status ?? {};
  if (volume === undefined) return statusTo<PersistentVolumeClaim>(persistentVolumeClaims, claim, { ...before, phase });
  const { accessModes, capacity: available, volumeAttributesClassName: attributes } = volume.spec;
  // The capacity of a claim that is bound already is that of its file system, which grows after the volume.
  const isNew = before.phase !== phase;
  return statusTo<PersistentVolumeClaim>(persistentVolumeClaims, claim, {
    ...before,
    phase,
    ...(accessModes && { accessModes }),
    ...(isNew ? available && { capacity: { ...capacity, ...available } } : capacity && { capacity }),
    ...(isNew && attributes && { currentVolumeAttributesClassName: attributes }),
  });
}

/** The claim with its reference to the volume. */
function referringTo(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolumeClaim {
  const { name } = volume.metadata;
  const isChosenHere = claim.spec.volumeName !== name;
  const annotations = {
    ...claim.metadata.annotations,
    ...(isChosenHere && { [boundByController]: "yes" }),
    [bindCompleted]: "yes",
  };
  return { ...claim, metadata: { ...claim.metadata, annotations }, spec: { ...claim.spec, volumeName: name } };
}

/** The next step of binding the two. The order of actions matters: the claim refers only to a volume that is bound. */
export function bind(volume: PersistentVolume, claim: PersistentVolumeClaim, now: Instant): Decision {
  const { name } = volume.metadata;
  const reserved = boundTo(volume, claim);
  if (reserved !== volume)
    return {
      actions: [{ do: "update", resource: persistentVolumes, object: reserved }],
      because: [`volume ${name} is reserved for the claim`],
    };
  const referring = updateTo(persistentVolumeClaims, claim, referringTo(volume, claim));
  const actions = [
    ...phaseTo(volume, "Bound", now),
    ...(referring.length > 0 ? referring : claimPhaseTo(claim, "Bound", volume)),
  ];
  return { actions, because: actions.length > 0 ? [`the claim is bound to volume ${name}`] : [] };
}
