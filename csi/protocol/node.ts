// The Node service: volumes are staged once on a node, published to each pod, measured and grown.
// Source: the Container Storage Interface, version 1.
import { storageHealth, volumeHealth } from "./health.ts";
import { bool, choice, enumeration, int64, list, message, one, service, string, stringMap } from "./schema.ts";
import { capacityRange, topology, volumeCapability } from "./volumes.ts";

const nodeCapabilities = enumeration("NodeCapabilityType", {
  UNKNOWN: 0,
  STAGE_UNSTAGE_VOLUME: 1,
  GET_VOLUME_STATS: 2,
  EXPAND_VOLUME: 3,
  SINGLE_NODE_MULTI_WRITER: 5,
  VOLUME_MOUNT_GROUP: 6,
  GET_VOLUME_HEALTH: 7,
  GET_STORAGE_HEALTH: 8,
});
export type NodeCapability = keyof typeof nodeCapabilities.values;

const volumeUsage = message("VolumeUsage", {
  available: int64(1),
  total: int64(2),
  used: int64(3),
  unit: choice(4, enumeration("UsageUnit", { UNKNOWN: 0, BYTES: 1, INODES: 2 })),
});

export const nodeService = service("csi.v1.Node", {
  NodeStageVolume: {
    request: message("NodeStageVolumeRequest", {
      volumeId: string(1),
      publishContext: stringMap(2),
      stagingTargetPath: string(3),
      volumeCapability: one(4, volumeCapability),
      secrets: stringMap(5),
      volumeContext: stringMap(6),
    }),
    response: message("NodeStageVolumeResponse", {}),
  },
  NodeUnstageVolume: {
    request: message("NodeUnstageVolumeRequest", { volumeId: string(1), stagingTargetPath: string(2) }),
    response: message("NodeUnstageVolumeResponse", {}),
  },
  NodePublishVolume: {
    request: message("NodePublishVolumeRequest", {
      volumeId: string(1),
      publishContext: stringMap(2),
      stagingTargetPath: string(3),
      targetPath: string(4),
      volumeCapability: one(5, volumeCapability),
      readonly: bool(6),
      secrets: stringMap(7),
      volumeContext: stringMap(8),
    }),
    response: message("NodePublishVolumeResponse", {}),
  },
  NodeUnpublishVolume: {
    request: message("NodeUnpublishVolumeRequest", { volumeId: string(1), targetPath: string(2) }),
    response: message("NodeUnpublishVolumeResponse", {}),
  },
  NodeGetVolumeStats: {
    request: message("NodeGetVolumeStatsRequest", {
      volumeId: string(1),
      volumePath: string(2),
      stagingTargetPath: string(3),
    }),
    response: message("NodeGetVolumeStatsResponse", { usage: list(1, volumeUsage) }),
  },
  NodeGetVolumeHealth: {
    request: message("NodeGetVolumeHealthRequest", {
      volumeId: string(1),
      volumePublishPath: string(2),
      stagingTargetPath: string(3),
    }),
    response: message("NodeGetVolumeHealthResponse", { volumeHealth: one(1, volumeHealth) }),
  },
  NodeGetStorageHealth: {
    request: message("NodeGetStorageHealthRequest", { secrets: stringMap(1) }),
    response: message("NodeGetStorageHealthResponse", { backendHealth: list(1, storageHealth) }),
  },
  NodeExpandVolume: {
    request: message("NodeExpandVolumeRequest", {
      volumeId: string(1),
      volumePath: string(2),
      capacityRange: one(3, capacityRange),
      stagingTargetPath: string(4),
      volumeCapability: one(5, volumeCapability),
      secrets: stringMap(6),
    }),
    response: message("NodeExpandVolumeResponse", { capacityBytes: int64(1) }),
  },
  NodeGetCapabilities: {
    request: message("NodeGetCapabilitiesRequest", {}),
    response: message("NodeGetCapabilitiesResponse", {
      capabilities: list(
        1,
        message("NodeServiceCapability", {
          rpc: one(1, message("NodeRpc", { type: choice(1, nodeCapabilities) })),
        }),
      ),
    }),
  },
  NodeGetInfo: {
    request: message("NodeGetInfoRequest", {}),
    response: message("NodeGetInfoResponse", {
      nodeId: string(1),
      maxVolumesPerNode: int64(2),
      accessibleTopology: one(3, topology),
    }),
  },
});
