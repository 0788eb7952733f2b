// What the services of a driver work with.
import type { Serial } from "../../machinery/serial.ts";
import type { Clock } from "../../machinery/world.ts";
import { RpcError } from "../protocol/grpc.ts";
import type { Mounts } from "./mounts.ts";
import type { DriverProfile } from "./profile.ts";
import { requireFields } from "./requests.ts";
import type { Backing, StoredVolume, VolumeStore } from "./volume-store.ts";

export interface DriverContext {
  readonly profile: DriverProfile;
  readonly store: VolumeStore;
  readonly mounts: Mounts;
  readonly node: string;
  /** How new volumes are kept. */
  readonly backing: Backing;
  /** Calls about the same volume are served one after the other. */
  readonly serial: Serial;
  readonly clock: Clock;
}

/** Where volumes and snapshots of the driver can be used; undefined for everywhere. */
export const topologyOf = ({ profile, node }: DriverContext) =>
  profile.topologyKey === undefined ? undefined : { segments: { [profile.topologyKey]: node } };

/** Throws NotFound for a volume that the store does not have. */
export async function volumeOf({ store }: DriverContext, id: string): Promise<StoredVolume> {
  requireFields({ "volume id": id });
  const found = await store.volumes.get(id);
  if (!found) throw new RpcError("NOT_FOUND", `volume ${id} does not exist`);
  return found;
}
