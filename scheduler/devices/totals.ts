// How many devices of a class a node has, and how many of them are allocated: what scores see of an extended resource.
import type { DeviceClass, Node, ResourceSlice } from "../../api/generated/types.ts";
import type { AllocatedDevices } from "./allocated.ts";
import { idOf, isForNode } from "./pools.ts";
import { isOfClass } from "./requests.ts";

/** Devices that the node has, and those of them that are allocated. */
export type DeviceTotals = readonly [total: number, allocated: number];

/** Counts the devices of all slices, also of pools that are incomplete. Nothing is counted where a selector fails. */
export function deviceTotals(
  deviceClass: DeviceClass,
  slices: readonly ResourceSlice[],
  node: Node,
  { ids, consumed }: AllocatedDevices,
): DeviceTotals {
  let [total, allocated] = [0, 0];
  try {
    for (const slice of slices)
      for (const device of slice.spec.devices ?? []) {
        if (!isForNode(slice, device, node) || !isOfClass(slice.spec.driver, device, deviceClass)) continue;
        const id = idOf(slice.spec.driver, slice.spec.pool.name, device.name);
        total++;
        if (ids.has(id) || consumed.has(id)) allocated++;
      }
  } catch {
    return [0, 0];
  }
  return [total, allocated];
}
