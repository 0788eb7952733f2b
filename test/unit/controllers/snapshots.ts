// Snapshots, contents and classes for tables.
import type {
  VolumeSnapshot,
  VolumeSnapshotClass,
  VolumeSnapshotContent,
} from "../../../api/snapshot/volumesnapshots.ts";
import { driver } from "./csi-driver.ts";
import { asStored } from "./world.ts";

const apiVersion = "snapshot.storage.k8s.io/v1";

/** The snapshot `s` of the claim `data`. */
export const snapshotWith = (spec: object, status?: object, metadata: object = {}): VolumeSnapshot =>
  asStored<VolumeSnapshot>({
    ...{ apiVersion, kind: "VolumeSnapshot" },
    metadata: { name: "s", namespace: "default", uid: "uid-of-s", ...metadata },
    spec: { source: { persistentVolumeClaimName: "data" }, volumeSnapshotClassName: "fast", ...spec },
    ...(status && { status }),
  });

/** The content `c` of that snapshot. */
export const contentWith = (spec: object, status?: object, metadata: object = {}): VolumeSnapshotContent =>
  asStored<VolumeSnapshotContent>({
    ...{ apiVersion, kind: "VolumeSnapshotContent" },
    metadata: { name: "c", ...metadata },
    spec: {
      ...{ deletionPolicy: "Delete", driver, source: { volumeHandle: "id" }, volumeSnapshotClassName: "fast" },
      volumeSnapshotRef: { name: "s", namespace: "default", uid: "uid-of-s" },
      ...spec,
    },
    ...(status && { status }),
  });

export const snapshotClass = (more: object = {}, metadata: object = {}): VolumeSnapshotClass =>
  asStored<VolumeSnapshotClass>({
    ...{ apiVersion, kind: "VolumeSnapshotClass" },
    metadata: { name: "fast", ...metadata },
    ...{ driver, deletionPolicy: "Delete", parameters: { kind: "fast", "csi.storage.k8s.io/secret": "a" } },
    ...more,
  });
