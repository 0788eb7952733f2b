// Devices that are allocated, by the claims they are allocated to.
import type { AllocationResult } from "../../api/generated/types.ts";
import { type Consumed, plus } from "./capacity.ts";
import { idOf } from "./pools.ts";

export interface AllocatedDevices {
  /** Devices that one claim has for itself. */
  readonly ids: ReadonlySet<string>;
  /** What is consumed of devices that several claims share. */
  readonly consumed: ReadonlyMap<string, Consumed>;
}

/** The devices of these allocations. Administrators' access takes nothing from others. */
export function allocatedDevices(allocations: Iterable<AllocationResult>): AllocatedDevices {
  const ids = new Set<string>();
  const consumed = new Map<string, Consumed>();
  for (const { devices } of allocations)
    for (const { adminAccess, driver, pool, device, shareID, consumedCapacity } of devices?.results ?? []) {
      if (adminAccess === true) continue;
      const id = idOf(driver, pool, device);
      if (shareID === undefined) ids.add(id);
      else if (consumedCapacity) consumed.set(id, plus(consumed.get(id), consumedCapacity));
    }
  return { ids, consumed };
}
