// What a provisioner does about a volume that it made: the driver deletes it once its claim is gone, unless it is to be
// retained. Pure, but for the calls that it returns. Source: the documentation of external-provisioner.
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { isReachableFrom, provisionedBy } from "../../api/core/volume-matching.ts";
import type { PersistentVolume, VolumeAttachment } from "../../api/generated/types.ts";
import { type Action, recordEvent } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { volumeFinalizer } from "./new-volume.ts";
import { callOf, type DriverOptions } from "./sidecar.ts";

export interface ObservedReclaim {
  readonly volume: PersistentVolume;
  /** Attachments of the volume to nodes. */
  readonly attachments: readonly VolumeAttachment[];
}

/** Volumes of a node are served by its driver. One without node affinity could be anywhere. */
export function isServed(volume: PersistentVolume, { driver, node }: DriverOptions): boolean {
  const { metadata, spec } = volume;
  if (spec.csi?.driver !== driver || (metadata.annotations?.[provisionedBy] ?? driver) !== driver) return false;
  return node === undefined || (spec.nodeAffinity !== undefined && isReachableFrom(volume, node.segments));
}

const withFinalizers = (volume: PersistentVolume, finalizers: readonly string[]): Action => ({
  do: "patch",
  resource: persistentVolumes,
  object: volume,
  patch: { type: "merge", patch: { metadata: { resourceVersion: volume.metadata.resourceVersion, finalizers } } },
});

function failed(volume: PersistentVolume, message: string): Decision {
  return { actions: [recordEvent(volume, "Warning", "VolumeFailedDelete", message)], failure: message };
}

/** Has the driver delete the volume, then lets the object go. */
function deleteVolume({ volume, attachments }: ObservedReclaim, options: DriverOptions): Decision {
  const { name, finalizers = [] } = volume.metadata;
  const [attachment] = attachments;
  if (attachment)
    return failed(volume, `persistentvolume ${name} is still attached to node ${attachment.spec.nodeName}`);
  const rest = finalizers.filter((f) => f !== volumeFinalizer);
  return {
    actions: [],
    because: ["it is released, and deleted by its policy"],
    effect: callOf("DeleteVolume", () => options.calls.DeleteVolume({ volumeId: volume.spec.csi!.volumeHandle }), {
      succeeded: () => ({ actions: [withFinalizers(volume, rest)] }),
      failed: ({ message }) => failed(volume, message),
    }),
  };
}

/**
 * The next step for a volume. The object is marked as deleted before the volume is: the mark is refused when the object
 * has changed meanwhile, and a volume with it cannot be bound any more.
 */
export function decideReclaim(observed: ObservedReclaim, options: DriverOptions): Decision {
  const { volume } = observed;
  const { finalizers = [], deletionTimestamp, resourceVersion } = volume.metadata;
  const { phase } = volume.status ?? {};
  if (!isServed(volume, options)) return settled;
  const isProtected = finalizers.includes(volumeFinalizer);
  if (volume.spec.persistentVolumeReclaimPolicy !== "Delete") {
    if (!isProtected) return settled;
    const rest = finalizers.filter((f) => f !== volumeFinalizer);
    return { actions: [withFinalizers(volume, rest)], because: ["it is retained"] };
  }
  if (deletionTimestamp !== undefined)
    return isProtected && phase === "Released" ? deleteVolume(observed, options) : settled;
  if (!isProtected && (phase === "Bound" || phase === "Released"))
    return {
      actions: [withFinalizers(volume, [...finalizers, volumeFinalizer])],
      because: ["it is deleted with its claim"],
    };
  if (phase !== "Released") return settled;
  return {
    actions: [{ do: "delete", resource: persistentVolumes, object: volume, options: { resourceVersion } }],
    because: ["its claim is gone"],
  };
}
