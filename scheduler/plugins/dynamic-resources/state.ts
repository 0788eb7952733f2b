// What is found out once per pod about its claims for devices, and the slices that are known.
import type {
  AllocationResult,
  ResourceSlice,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { deviceClasses } from "../../../api/resource/deviceclasses.ts";
import { resourceSlices } from "../../../api/resource/resourceslices.ts";
import type { AllocatedDevices } from "../../devices/allocated.ts";
import { type Pool, poolsOn, type SliceIndex, sliceIndex } from "../../devices/pools.ts";
import { demandsOf } from "../../devices/requests.ts";
import type { ClaimToAllocate } from "../../devices/search.ts";
import { skip, type Snapshot, unresolvable } from "../../framework.ts";
import type { NodeInfo, PodInfo } from "../../node-info.ts";
import { blocked, claimsOf } from "./claims.ts";
import { type ExtendedClaim, type ExtendedResources, extendedResourcesOf } from "./extended-claim.ts";
import { devicesInUse } from "./in-flight.ts";

/** What is allocated to a pod on one node. */
export interface NodeAllocation {
  /** For each unallocated claim. */
  readonly results: readonly AllocationResult[];
  /** For what the node lacks of extended resources. */
  readonly extended?: readonly [ExtendedClaim, AllocationResult];
}

/** What is found out once per pod. */
export interface DeviceState {
  readonly lister: Snapshot["lister"];
  /** Those that the pod names. */
  readonly claims: readonly ResourceClaim[];
  /** Those without an allocation, and what they request. */
  readonly unallocated: readonly (ClaimToAllocate & { readonly claim: ResourceClaim })[];
  readonly extended: ExtendedResources | undefined;
  readonly inUse: AllocatedDevices;
  readonly slices: SliceIndex;
  /** By node name. */
  readonly allocations: Map<string, NodeAllocation>;
  /** Allocated claims that some node rejected. */
  readonly unavailable: Set<ResourceClaim>;
}

const noDevices: AllocatedDevices = { ids: new Set(), consumed: new Map() };

/** Kept while the view of slices stays the same. */
interface KnownSlices {
  readonly slices: readonly ResourceSlice[];
  readonly index: SliceIndex;
  readonly pools: WeakMap<NodeInfo["node"], readonly Pool[]>;
}

/** The slices, read once for as long as they do not change. */
export function sliceMemory() {
  let known: KnownSlices = { slices: [], index: sliceIndex([]), pools: new WeakMap() };
  return {
    index(lister: Snapshot["lister"]): SliceIndex {
      const slices = lister(resourceSlices).all();
      const isSame = slices.length === known.slices.length && slices.every((slice, i) => slice === known.slices[i]);
      if (!isSame) known = { slices, index: sliceIndex(slices), pools: new WeakMap() };
      return known.index;
    },
    pools({ node }: NodeInfo, index: SliceIndex): readonly Pool[] {
      const found = (index === known.index ? known.pools.get(node) : undefined) ?? poolsOn(node, index);
      if (index === known.index) known.pools.set(node, found);
      return found;
    },
  };
}
export type SliceMemory = ReturnType<typeof sliceMemory>;

/** PreFilter: the claims of a pod, or why it has to wait. */
export function deviceStateOf(info: PodInfo, { lister }: Snapshot, memory: SliceMemory) {
  const { pod } = info;
  const claims = pod.spec.resourceClaims ? claimsOf(pod, lister) : [];
  if (typeof claims === "string") return unresolvable(claims);
  const extended = extendedResourcesOf(info, lister);
  if (claims.length === 0 && !extended) return skip;
  const missing = claims.filter(({ status }) => !status?.allocation);
  for (const claim of missing) {
    const reason = blocked(claim, lister);
    if (reason !== undefined) return unresolvable(reason);
  }
  const classOf = (name: string) => lister(deviceClasses).get(key(undefined, name));
  const state: DeviceState = {
    ...{ lister, claims, extended, allocations: new Map(), unavailable: new Set() },
    unallocated: missing.map((claim) => ({
      claim,
      demands: demandsOf(claim, classOf),
      constraints: claim.spec.devices?.constraints ?? [],
    })),
    inUse: missing.length > 0 || extended ? devicesInUse(lister) : noDevices,
    slices: memory.index(lister),
  };
  return { state };
}
