// What becomes of a snapshot that is deleted, and of its content by its deletion policy. Pure.
import type { PersistentVolumeClaim } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import { asSourceFinalizer, beingDeleted, boundFinalizer, isBoundTo } from "../../api/snapshot/binding.ts";
import {
  type VolumeSnapshot,
  type VolumeSnapshotContent,
  volumeSnapshotContents,
  volumeSnapshots,
} from "../../api/snapshot/volumesnapshots.ts";
import { type Action, recordEvent } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";
import { hasFinalizer, patchMetadata, removeFinalizers } from "../../machinery/metadata-patches.ts";

interface DeletedSnapshot {
  readonly snapshot: VolumeSnapshot;
  readonly content: VolumeSnapshotContent | undefined;
  readonly restored: readonly PersistentVolumeClaim[];
}

/** Marks the content: what is deleted with it, or kept when it is deleted, is decided beside the driver. */
function markContent(content: VolumeSnapshotContent): readonly Action[] {
  if (content.metadata.annotations?.[beingDeleted] !== undefined) return [];
  return [patchMetadata(volumeSnapshotContents, content, { annotations: { [beingDeleted]: "yes" } })];
}

/** The next step for a snapshot that is deleted: it stays until its content is gone, unless that is to be retained. */
export function decideDeletion({ snapshot, content: found, restored }: DeletedSnapshot): Decision {
  if (!hasFinalizer(snapshot, asSourceFinalizer) && !hasFinalizer(snapshot, boundFinalizer)) return settled;
  // A content of another snapshot is left alone.
  const content = found && isBoundTo(found, snapshot) ? found : undefined;
  if (content && restored.length > 0)
    return {
      actions: [recordEvent(snapshot, "Warning", "SnapshotDeletePending", "Snapshot is being used to restore a PVC")],
      because: [`${keyOf(restored[0]!)} is being restored from it`],
    };
  const isDeletedWith = content?.spec.deletionPolicy === "Delete";
  const finalizers = isDeletedWith ? [asSourceFinalizer] : [asSourceFinalizer, boundFinalizer];
  return {
    actions: [
      ...(content ? markContent(content) : []),
      ...(isDeletedWith && content.metadata.deletionTimestamp === undefined
        ? [{ do: "delete", resource: volumeSnapshotContents, object: content } as const]
        : []),
      ...removeFinalizers(volumeSnapshots, snapshot, finalizers),
    ],
    because: [isDeletedWith ? "it is deleted with its content" : "nothing is deleted with it"],
  };
}
