// What the messages of CSI say about volumes, their capabilities and where they can be reached.
// Source: the Container Storage Interface, version 1.
import { bool, choice, enumeration, int32, int64, list, message, one, string, stringMap, strings } from "./schema.ts";
import type { Received } from "./schema.ts";

export const accessModes = enumeration("AccessModeType", {
  UNKNOWN: 0,
  SINGLE_NODE_WRITER: 1,
  SINGLE_NODE_READER_ONLY: 2,
  MULTI_NODE_READER_ONLY: 3,
  MULTI_NODE_SINGLE_WRITER: 4,
  MULTI_NODE_MULTI_WRITER: 5,
  SINGLE_NODE_SINGLE_WRITER: 6,
  SINGLE_NODE_MULTI_WRITER: 7,
});
export type AccessMode = keyof typeof accessModes.values;

export const volumeCapability = message(
  "VolumeCapability",
  {
    block: one(1, message("BlockVolume", {})),
    mount: one(2, message("MountVolume", { fsType: string(1), mountFlags: strings(2), volumeMountGroup: string(3) })),
    accessMode: one(3, message("AccessMode", { mode: choice(1, accessModes) })),
  },
  ["block", "mount"],
);
export type VolumeCapability = Received<typeof volumeCapability>;

export const capacityRange = message("CapacityRange", { requiredBytes: int64(1), limitBytes: int64(2) });
export const topology = message("Topology", { segments: stringMap(1) });
export const topologyRequirement = message("TopologyRequirement", {
  requisite: list(1, topology),
  preferred: list(2, topology),
});
export const volumeContentSource = message(
  "VolumeContentSource",
  {
    snapshot: one(1, message("SnapshotSource", { snapshotId: string(1) })),
    volume: one(2, message("VolumeSource", { volumeId: string(1) })),
  },
  ["snapshot", "volume"],
);
export const volume = message("Volume", {
  capacityBytes: int64(1),
  volumeId: string(2),
  volumeContext: stringMap(3),
  contentSource: one(4, volumeContentSource),
  accessibleTopology: list(5, topology),
});
export const snapshot = message("Snapshot", {
  sizeBytes: int64(1),
  snapshotId: string(2),
  sourceVolumeId: string(3),
  creationTime: one(4, message("Timestamp", { seconds: int64(1), nanos: int32(2) })),
  readyToUse: bool(5),
  groupSnapshotId: string(6),
});
export type SnapshotMessage = Received<typeof snapshot>;

export const boolValue = message("BoolValue", { value: bool(1) });
export const int64Value = message("Int64Value", { value: int64(1) });
