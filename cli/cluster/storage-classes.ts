// The classes of volumes and snapshots of a new cluster, and the CSIDriver objects of the drivers behind them.
import { hasReason } from "../../api/errors.ts";
import type { CSIDriver, StorageClass } from "../../api/generated/types.ts";
import type { Draft } from "../../api/meta.ts";
import { defaultClass } from "../../api/snapshot/binding.ts";
import type { VolumeSnapshotClass } from "../../api/snapshot/volumesnapshots.ts";
import { type DriverProfile, localDriver, sharedDriver } from "../../csi/driver/profile.ts";
import type { Connection } from "../client/connection.ts";

const storage = { apiVersion: "storage.k8s.io/v1" };

/**
 * Neither driver attaches volumes to nodes; the kubelet gives files to the group of a pod. The driver of a node reports
 * its capacity.
 */
const driver = ({ name, topologyKey }: DriverProfile): Draft<CSIDriver> => ({
  ...{ ...storage, kind: "CSIDriver", metadata: { name } },
  spec: {
    ...{ attachRequired: false, podInfoOnMount: false, fsGroupPolicy: "File", volumeLifecycleModes: ["Persistent"] },
    storageCapacity: topologyKey !== undefined,
  },
});

const storageClass = (
  name: string,
  provisioner: string,
  volumeBindingMode: StorageClass["volumeBindingMode"] & string,
  annotations: Readonly<Record<string, string>> = {},
): Draft<StorageClass> => ({
  ...{ ...storage, kind: "StorageClass", metadata: { name, annotations }, provisioner, volumeBindingMode },
  reclaimPolicy: "Delete",
  allowVolumeExpansion: true,
});

/** The class for snapshots of a driver's volumes that name no class. */
const snapshotClass = (name: string, driverName: string): Draft<VolumeSnapshotClass> => ({
  ...{ apiVersion: "snapshot.storage.k8s.io/v1", kind: "VolumeSnapshotClass", driver: driverName },
  metadata: { name, annotations: { [defaultClass]: "true" } },
  deletionPolicy: "Delete",
});

/** A volume of class `local` is made on the node of the first pod that uses it; `shared` ones are behind all nodes. */
const objects: Readonly<Record<string, readonly object[]>> = {
  "storage.k8s.io/v1/csidrivers": [driver(localDriver), driver(sharedDriver)],
  "storage.k8s.io/v1/storageclasses": [
    storageClass("local", localDriver.name, "WaitForFirstConsumer", {
      "storageclass.kubernetes.io/is-default-class": "true",
    }),
    storageClass("shared", sharedDriver.name, "Immediate"),
  ],
  "snapshot.storage.k8s.io/v1/volumesnapshotclasses": [
    snapshotClass("local", localDriver.name),
    snapshotClass("shared", sharedDriver.name),
  ],
};

/** Creates what does not exist yet. */
export async function createStorageClasses(api: Connection): Promise<void> {
  for (const [path, drafts] of Object.entries(objects))
    for (const body of drafts) {
      try {
        await api.request({ method: "POST", path: `/apis/${path}`, body });
      } catch (error) {
        if (!hasReason(error, "AlreadyExists")) throw error;
      }
    }
}
