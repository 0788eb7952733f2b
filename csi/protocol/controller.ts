// The Controller service: volumes and snapshots are created, published to nodes, listed, grown and deleted.
// Source: the Container Storage Interface, version 1.
import {
  type Received,
  bool,
  choice,
  enumeration,
  int32,
  int64,
  list,
  message,
  one,
  service,
  string,
  stringMap,
  strings,
} from "./schema.ts";
import { volumeHealth } from "./health.ts";
import {
  capacityRange,
  int64Value,
  snapshot,
  topology,
  topologyRequirement,
  volume,
  volumeCapability,
  volumeContentSource,
} from "./volumes.ts";

const controllerCapabilities = enumeration("ControllerCapabilityType", {
  UNKNOWN: 0,
  CREATE_DELETE_VOLUME: 1,
  PUBLISH_UNPUBLISH_VOLUME: 2,
  LIST_VOLUMES: 3,
  GET_CAPACITY: 4,
  CREATE_DELETE_SNAPSHOT: 5,
  LIST_SNAPSHOTS: 6,
  CLONE_VOLUME: 7,
  PUBLISH_READONLY: 8,
  EXPAND_VOLUME: 9,
  LIST_VOLUMES_PUBLISHED_NODES: 10,
  GET_VOLUME: 12,
  SINGLE_NODE_MULTI_WRITER: 13,
  MODIFY_VOLUME: 14,
  GET_SNAPSHOT: 15,
  GET_VOLUME_HEALTH: 16,
  LIST_VOLUME_HEALTH: 17,
});
export type ControllerCapability = keyof typeof controllerCapabilities.values;

const volumeStatus = message("VolumeStatus", { publishedNodeIds: strings(1) });
const createVolumeRequest = message("CreateVolumeRequest", {
  name: string(1),
  capacityRange: one(2, capacityRange),
  volumeCapabilities: list(3, volumeCapability),
  parameters: stringMap(4),
  secrets: stringMap(5),
  volumeContentSource: one(6, volumeContentSource),
  accessibilityRequirements: one(7, topologyRequirement),
  mutableParameters: stringMap(8),
});
const validateRequest = message("ValidateVolumeCapabilitiesRequest", {
  volumeId: string(1),
  volumeContext: stringMap(2),
  volumeCapabilities: list(3, volumeCapability),
  parameters: stringMap(4),
  secrets: stringMap(5),
  mutableParameters: stringMap(6),
});
const confirmed = message("Confirmed", {
  volumeContext: stringMap(1),
  volumeCapabilities: list(2, volumeCapability),
  parameters: stringMap(3),
  mutableParameters: stringMap(4),
});
const listRequest = { maxEntries: int32(1), startingToken: string(2) };

export type CreateVolumeRequest = Received<typeof createVolumeRequest>;

export const controllerService = service("csi.v1.Controller", {
  CreateVolume: {
    request: createVolumeRequest,
    response: message("CreateVolumeResponse", { volume: one(1, volume) }),
  },
  DeleteVolume: {
    request: message("DeleteVolumeRequest", { volumeId: string(1), secrets: stringMap(2) }),
    response: message("DeleteVolumeResponse", {}),
  },
  ControllerPublishVolume: {
    request: message("ControllerPublishVolumeRequest", {
      volumeId: string(1),
      nodeId: string(2),
      volumeCapability: one(3, volumeCapability),
      readonly: bool(4),
      secrets: stringMap(5),
      volumeContext: stringMap(6),
    }),
    response: message("ControllerPublishVolumeResponse", { publishContext: stringMap(1) }),
  },
  ControllerUnpublishVolume: {
    request: message("ControllerUnpublishVolumeRequest", {
      volumeId: string(1),
      nodeId: string(2),
      secrets: stringMap(3),
    }),
    response: message("ControllerUnpublishVolumeResponse", {}),
  },
  ValidateVolumeCapabilities: {
    request: validateRequest,
    response: message("ValidateVolumeCapabilitiesResponse", { confirmed: one(1, confirmed), message: string(2) }),
  },
  ListVolumes: {
    request: message("ListVolumesRequest", listRequest),
    response: message("ListVolumesResponse", {
      entries: list(1, message("VolumeEntry", { volume: one(1, volume), status: one(2, volumeStatus) })),
      nextToken: string(2),
    }),
  },
  GetCapacity: {
    request: message("GetCapacityRequest", {
      volumeCapabilities: list(1, volumeCapability),
      parameters: stringMap(2),
      accessibleTopology: one(3, topology),
    }),
    response: message("GetCapacityResponse", {
      availableCapacity: int64(1),
      maximumVolumeSize: one(2, int64Value),
    }),
  },
  ControllerGetCapabilities: {
    request: message("ControllerGetCapabilitiesRequest", {}),
    response: message("ControllerGetCapabilitiesResponse", {
      capabilities: list(
        1,
        message("ControllerServiceCapability", {
          rpc: one(1, message("ControllerRpc", { type: choice(1, controllerCapabilities) })),
        }),
      ),
    }),
  },
  CreateSnapshot: {
    request: message("CreateSnapshotRequest", {
      sourceVolumeId: string(1),
      name: string(2),
      secrets: stringMap(3),
      parameters: stringMap(4),
    }),
    response: message("CreateSnapshotResponse", { snapshot: one(1, snapshot) }),
  },
  DeleteSnapshot: {
    request: message("DeleteSnapshotRequest", { snapshotId: string(1), secrets: stringMap(2) }),
    response: message("DeleteSnapshotResponse", {}),
  },
  ListSnapshots: {
    request: message("ListSnapshotsRequest", {
      ...listRequest,
      sourceVolumeId: string(3),
      snapshotId: string(4),
      secrets: stringMap(5),
    }),
    response: message("ListSnapshotsResponse", {
      entries: list(1, message("SnapshotEntry", { snapshot: one(1, snapshot) })),
      nextToken: string(2),
    }),
  },
  GetSnapshot: {
    request: message("GetSnapshotRequest", { snapshotId: string(1), secrets: stringMap(2) }),
    response: message("GetSnapshotResponse", { snapshot: one(1, snapshot) }),
  },
  ControllerExpandVolume: {
    request: message("ControllerExpandVolumeRequest", {
      volumeId: string(1),
      capacityRange: one(2, capacityRange),
      secrets: stringMap(3),
      volumeCapability: one(4, volumeCapability),
    }),
    response: message("ControllerExpandVolumeResponse", { capacityBytes: int64(1), nodeExpansionRequired: bool(2) }),
  },
  ControllerGetVolume: {
    request: message("ControllerGetVolumeRequest", { volumeId: string(1) }),
    response: message("ControllerGetVolumeResponse", { volume: one(1, volume), status: one(2, volumeStatus) }),
  },
  ControllerGetVolumeHealth: {
    request: message("ControllerGetVolumeHealthRequest", { volumeId: string(1), secrets: stringMap(2) }),
    response: message("ControllerGetVolumeHealthResponse", { volumeHealth: one(1, volumeHealth) }),
  },
  ControllerListVolumeHealth: {
    request: message("ControllerListVolumeHealthRequest", { ...listRequest, secrets: stringMap(3) }),
    response: message("ControllerListVolumeHealthResponse", { entries: list(1, volumeHealth), nextToken: string(2) }),
  },
  ControllerModifyVolume: {
    request: message("ControllerModifyVolumeRequest", {
      volumeId: string(1),
      secrets: stringMap(2),
      mutableParameters: stringMap(3),
    }),
    response: message("ControllerModifyVolumeResponse", {}),
  },
});
