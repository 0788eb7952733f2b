// What a provisioner does about a volume that it made: the driver deletes it once its claim is gone, unless it is to be
// retained. Pure, but for the calls that it returns. Source: the documentation of external-provisioner.
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { isReachableFrom, provisionedBy } from "../../api/core/volume-matching.ts";
import type { PersistentVolume, VolumeAttachment } from "../../api/generated/types.ts";
import { recordEvent } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { addFinalizers, hasFinalizer, removeFinalizers } from "../../machinery/metadata-patches.ts";
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

function failed(volume: PersistentVolume, message: string): Decision {
  return { actions: [recordEvent(volume, "Warning", "VolumeFailedDelete", message)], failure: message };
}

/** Has the driver delete the volume, then lets the object go. */
function deleteVolume({ volume, attachments }: ObservedReclaim, options: DriverOptions): Decision {
  const { name } = volume.metadata;
  const [attachment] = attachments;
  if (attachment)
    return failed(volume, `persistentvolume ${name} is still attached to node ${attachment.spec.nodeName}`);
  return {
    actions: [],
    because: ["it is released, and deleted by its policy"],
    effect: callOf("DeleteVolume", () => options.calls.DeleteVolume({ volumeId: volume.spec.csi!.volumeHandle }), {
      succeeded: () => ({ actions: removeFinalizers(persistentVolumes, volume, [volumeFinalizer]) }),
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
  const { deletionTimestamp, resourceVersion } = volume.metadata;
  const { phase } = volume.status ?? {};
  if (!isServed(volume, options)) return settled;
  const isProtected = hasFinalizer(volume, volumeFinalizer);
  if (volume.spec.persistentVolumeReclaimPolicy !== "Delete") {
    if (!isProtected) return settled;
    return { actions: removeFinalizers(persistentVolumes, volume, [volumeFinalizer]), because: ["it is retained"] };
  }
  if (deletionTimestamp !== undefined)
    return isProtected && phase === "Released" ? deleteVolume(observed, options) : settled;
  if (!isProtected && (phase === "Bound" || phase === "Released"))
    return {
      actions: addFinalizers(persistentVolumes, volume, [volumeFinalizer]),
      because: ["it is deleted with its claim"],
    };
  if (phase !== "Released") return settled;
  return {
    actions: [{ do: "delete", resource: persistentVolumes, object: volume, options: { resourceVersion } }],
    because: ["its claim is gone"],
  };
}
