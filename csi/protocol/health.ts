// What the messages of CSI say about the health of volumes and of the storage behind them.
// Source: the Container Storage Interface, version 1.13.
import { choice, enumeration, list, message, one, string } from "./schema.ts";
import { volumeCapability } from "./volumes.ts";

const volumeErrors = enumeration("VolumeHealthErrorType", {
  UNKNOWN_VOLUME_HEALTH_TYPE: 0,
  DEGRADED: 1,
  INACCESSIBLE: 2,
  DATA_LOSS: 3,
});
export type VolumeErrorType = keyof typeof volumeErrors.values;

export const volumeHealth = message("VolumeHealth", {
  volumeId: string(1),
  healthStatuses: list(
    2,
    message("VolumeHealthEntry", { status: choice(1, volumeErrors), reason: string(2), message: string(3) }),
  ),
});

const storageErrors = enumeration("StorageHealthErrorType", {
  UNKNOWN_STORAGE_HEALTH_ERROR_TYPE: 0,
  STORAGE_DEGRADED: 1,
  STORAGE_UNREACHABLE: 2,
});
export const storageHealth = message("StorageBackendHealth", {
  status: choice(1, storageErrors),
  reason: string(2),
  message: string(3),
  volumeCapability: one(4, volumeCapability),
});
