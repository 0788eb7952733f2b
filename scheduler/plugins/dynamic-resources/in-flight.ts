// Allocations that are decided and not in the views yet: the next pod must not get the same devices.
import { allocatedDevices, type AllocatedDevices } from "../../devices/allocated.ts";
import type { AllocationResult, ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import type { Snapshot } from "../../framework.ts";
import { type Assumed, assumedObjects } from "../assumed.ts";

export interface ClaimsInFlight {
  /** Claims as they were written, until the view shows it. */
  readonly written: Assumed<ResourceClaim>;
  /** By uid of the claim: what is to be written. */
  readonly decided: Map<string, AllocationResult>;
  /** By uid of the claim: when the allocation was made whose devices were not prepared in time. */
  readonly overdue: Map<string, string>;
}

const byLister = new WeakMap<Snapshot["lister"], ClaimsInFlight>();

/** Those of one scheduler, for all its profiles. */
export function claimsInFlight(lister: Snapshot["lister"]): ClaimsInFlight {
  const known = byLister.get(lister) ?? { written: assumedObjects(), decided: new Map(), overdue: new Map() };
  byLister.set(lister, known);
  return known;
}

const madeAt = ({ status }: ResourceClaim): string => status?.allocation?.allocationTimestamp ?? "";

/** The devices of the claim were not prepared in time. A later allocation has its own time. */
export const setOverdue = (claim: ResourceClaim, lister: Snapshot["lister"]): void =>
  void claimsInFlight(lister).overdue.set(claim.metadata.uid, madeAt(claim));
export const isOverdue = (claim: ResourceClaim, lister: Snapshot["lister"]): boolean =>
  claimsInFlight(lister).overdue.get(claim.metadata.uid) === madeAt(claim);

/** The devices that claims have or are about to have. */
export function devicesInUse(lister: Snapshot["lister"]): AllocatedDevices {
  const { written, decided } = claimsInFlight(lister);
  const allocations = [...decided.values()];
  for (const claim of lister(resourceClaims).all()) {
    const { allocation } = written.of(claim).status ?? {};
    if (allocation) allocations.push(allocation);
  }
  return allocatedDevices(allocations);
}
