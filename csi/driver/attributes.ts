// The attribute of a volume that can change while it is used: how far the kernel reads ahead on its device.
import { join } from "node:path";
import { RpcError } from "../protocol/grpc.ts";
import type { DriverContext } from "./context.ts";
import { type Backing, type StoredVolume, type VolumeAttributes, imageFile } from "./volume-store.ts";

const name = "readAheadKiB";
const most = 65_536;

/** The attributes that mutable parameters name. Throws InvalidArgument for what a volume does not have. */
export function attributesIn(parameters: Readonly<Record<string, string>>, backing: Backing): VolumeAttributes {
  const refused = (why: string): RpcError => new RpcError("INVALID_ARGUMENT", why);
  const unknown = Object.keys(parameters).find((key) => key !== name);
  if (unknown !== undefined) throw refused(`volumes have no attribute ${unknown}, only ${name}`);
  const value = parameters[name];
  if (value === undefined) return {};
  if (backing === "folder") throw refused(`a volume that is a folder has no device with ${name}`);
  if (!/^\d+$/.test(value) || Number(value) > most) throw refused(`${name} must be a number from 0 to ${most}`);
  return { readAheadKiB: Number(value) };
}

/** Gives the device of a volume its attributes, if it has a device now. */
export async function applyAttributes({ store, mounts }: DriverContext, volume: StoredVolume): Promise<void> {
  const { readAheadKiB } = volume.attributes ?? {};
  if (readAheadKiB !== undefined)
    await mounts.readAhead(join(store.volumes.dataOf(volume.id), imageFile), readAheadKiB);
}

/** Changes attributes, at once and for every later use. Those that are not named stay. */
export async function modifyVolume(
  context: DriverContext,
  volume: StoredVolume,
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  const modified = { ...volume, attributes: { ...volume.attributes, ...attributesIn(parameters, volume.backing) } };
  await context.store.volumes.update(modified);
  await applyAttributes(context, modified);
}
