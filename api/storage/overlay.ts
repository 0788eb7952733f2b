// Facts that the published schemas of the storage group lack.
import { count, type Facts, otherwise, type Overlay, present, subdomain, unchecked, values } from "../overlay.ts";

const fixed = (field: string): Facts => ({ immutable: `updates to ${field} are forbidden.` });
const driver: Facts = { nonEmpty: true, format: "driver-name" };

export const storageOverlay: Overlay = {
  CSIDriverSpec: {
    attachRequired: { default: true },
    fsGroupPolicy: { default: "ReadWriteOnceWithFSType", ...values("File", "None", "ReadWriteOnceWithFSType") },
    nodeAllocatableUpdatePeriodSeconds: { bounds: [10, null, "must be greater than or equal to 10 seconds"] },
    podInfoOnMount: { default: false },
    requiresRepublish: { default: false },
    seLinuxMount: { default: false },
    storageCapacity: { default: false },
    volumeLifecycleModes: {
      ...otherwise(["Persistent"]),
      items: values("Persistent", "Ephemeral"),
      itemsAtList: true,
      immutable: true,
    },
  },
  CSINodeDriver: { name: driver, nodeID: { nonEmpty: true } },
  CSINodeSpec: { drivers: { unique: ["name"] } },
  CSIStorageCapacity: { nodeTopology: { immutable: true }, storageClassName: { ...subdomain, immutable: true } },
  StorageClass: {
    parameters: fixed("parameters"),
    provisioner: fixed("provisioner"),
    reclaimPolicy: { default: "Delete", ...values("Delete", "Retain"), ...fixed("reclaimPolicy") },
    volumeBindingMode: { default: "Immediate", immutable: true },
  },
  VolumeAttachment: { spec: { immutable: true }, status: present },
  VolumeAttachmentSource: { inlineVolumeSpec: unchecked },
  VolumeAttachmentSpec: { attacher: driver, nodeName: subdomain },
  VolumeAttributesClass: {
    driverName: { nonEmpty: true, ...fixed("driverName") },
    parameters: { nonEmpty: "must contain at least one key/value pair", ...fixed("parameters") },
  },
  VolumeError: { errorCode: { bounds: [0, 2 ** 31 - 1] } },
  VolumeNodeResources: { count },
};
