// DynamicResources: a pod goes where devices for its claims are, and is bound once they are allocated and reserved for
// it. Source: the Kubernetes concepts page, "Dynamic Resource Allocation"; KEP-4381.
import { labelledNode, termMatcher } from "../../../api/core/pod/node-affinity.ts";
import { pods } from "../../../api/core/pods.ts";
import type {
  AllocationResult,
  ResourceSlice,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../../api/generated/types.ts";
import { key, keyOf } from "../../../api/meta.ts";
import { deviceClasses } from "../../../api/resource/deviceclasses.ts";
import { isReservedFor } from "../../../api/resource/pod-claims.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import { resourceSlices } from "../../../api/resource/resourceslices.ts";
import type { Client } from "../../../machinery/client.ts";
import { allocationOf } from "../../devices/allocation.ts";
import type { AllocatedDevices } from "../../devices/allocated.ts";
import { type Pool, poolsOn, type SliceIndex, sliceIndex } from "../../devices/pools.ts";
import { demandsOf } from "../../devices/requests.ts";
import { chooseDevices, type ClaimToAllocate, SearchTimeout } from "../../devices/search.ts";
import {
  type BindingContext,
  failed,
  normalized,
  type Rejection,
  type SchedulerPlugin,
  skip,
  type Snapshot,
  unresolvable,
} from "../../framework.ts";
import type { NodeInfo, PodInfo } from "../../node-info.ts";
import { bindClaim, deallocated, unreserveClaim } from "./binding.ts";
import { blocked, claimsOf } from "./claims.ts";
import { events } from "./events.ts";
import { claimsInFlight, devicesInUse } from "./in-flight.ts";
import { awaitReadiness, readiness } from "./readiness.ts";

/** Alternatives of a request that a score can tell apart. */
const mostAlternatives = 8;

/** What is found out once per pod. */
interface DeviceState {
  readonly lister: Snapshot["lister"];
  readonly claims: readonly ResourceClaim[];
  /** Those without an allocation, and what they request. */
  readonly unallocated: readonly (ClaimToAllocate & { readonly claim: ResourceClaim })[];
  readonly inUse: AllocatedDevices;
  readonly slices: SliceIndex;
  /** By node name: an allocation for each unallocated claim. */
  readonly allocations: Map<string, readonly AllocationResult[]>;
  /** Allocated claims that some node rejected. */
  readonly unavailable: Set<ResourceClaim>;
}

const noDevices: AllocatedDevices = { ids: new Set(), consumed: new Map() };
const notOnNode = unresolvable("resourceclaim not available on the node");
const notAllocatable = unresolvable("cannot allocate all claims");
const invalidPools = unresolvable("invalid resource pools were encountered");

/** Kept while the view of slices stays the same. */
interface KnownSlices {
  readonly slices: readonly ResourceSlice[];
  readonly index: SliceIndex;
  readonly pools: WeakMap<NodeInfo["node"], readonly Pool[]>;
}

function sliceMemory() {
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
type SliceMemory = ReturnType<typeof sliceMemory>;

function preFilter({ pod }: PodInfo, { lister }: Snapshot, memory: SliceMemory) {
  const claims = claimsOf(pod, lister);
  if (typeof claims === "string") return unresolvable(claims);
  if (claims.length === 0) return skip;
  const missing = claims.filter(({ status }) => !status?.allocation);
  for (const claim of missing) {
    const reason = blocked(claim, lister);
    if (reason !== undefined) return unresolvable(reason);
  }
  const classOf = (name: string) => lister(deviceClasses).get(key(undefined, name));
  const state: DeviceState = {
    ...{ lister, claims, allocations: new Map(), unavailable: new Set() },
    unallocated: missing.map((claim) => ({
      claim,
      demands: demandsOf(claim, classOf),
      constraints: claim.spec.devices?.constraints ?? [],
    })),
    inUse: missing.length > 0 ? devicesInUse(lister) : noDevices,
    slices: memory.index(lister),
  };
  return { state };
}

/** Whether an allocated claim can be used on the node, and is or may still be prepared. */
function isUsable(claim: ResourceClaim, { node }: NodeInfo, { lister }: DeviceState): boolean {
  const { allocation } = claim.status ?? {};
  if (!allocation) return true;
  const terms = allocation.nodeSelector?.nodeSelectorTerms;
  if (terms && !terms.some((term) => termMatcher(term)(labelledNode(node)))) return false;
  const ready = readiness(claim);
  return typeof ready === "boolean" && (ready || !claimsInFlight(lister).overdue.has(claim.metadata.uid));
}

/** The allocations of the unallocated claims on a node, or why there are none. Throws what no node can help. */
function allocate(state: DeviceState, info: NodeInfo, memory: SliceMemory): readonly AllocationResult[] | Rejection {
  const pools = memory.pools(info, state.slices);
  const choices = chooseDevices(state.unallocated, pools, info.node, state.inUse);
  if (!choices) return pools.some(({ problem }) => problem !== undefined) ? invalidPools : notAllocatable;
  return choices.map((chosen, i) => allocationOf(state.unallocated[i]!.claim, chosen, info.node));
}

function filter(state: DeviceState, info: NodeInfo, memory: SliceMemory): Rejection | undefined {
  const unavailable = state.claims.filter((claim) => !isUsable(claim, info, state));
  if (state.unallocated.length > 0 && !state.allocations.has(info.name)) {
    try {
      const result = allocate(state, info, memory);
      if ("code" in result) return result;
      if (unavailable.length === 0) state.allocations.set(info.name, result);
    } catch (e) {
      const why =
        e instanceof SearchTimeout ? `node ${info.name}: timed out trying to allocate devices` : (e as Error).message;
      throw new Error(`running "DynamicResources" filter plugin: ${why}`, { cause: e });
    }
  }
  for (const claim of unavailable) state.unavailable.add(claim);
  return unavailable.length > 0 ? notOnNode : undefined;
}

/** Earlier alternatives are worth more. */
function scoreOf({ claims, unallocated, allocations }: DeviceState, nodeName: string): number {
  const decided = allocations.get(nodeName) ?? [];
  let score = 0;
  for (const claim of claims) {
    const i = unallocated.findIndex((other) => other.claim === claim);
    const { devices } = (i < 0 ? claim.status?.allocation : decided[i]) ?? {};
    const allocated = new Set((devices?.results ?? []).map(({ request }) => request));
    for (const { name, firstAvailable = [] } of claim.spec.devices?.requests ?? [])
      for (const [rank, alternative] of firstAvailable.entries())
        if (allocated.has(`${name}/${alternative.name}`)) score += mostAlternatives - rank;
  }
  return score;
}

const hasAlternatives = ({ claims }: DeviceState): boolean =>
  claims.some(({ spec }) => spec.devices?.requests?.some(({ firstAvailable }) => firstAvailable?.length));

/** The first claim whose allocation keeps the pod from every node and that no other pod uses. */
const toDeallocate = ({ unavailable }: DeviceState, { pod }: PodInfo): ResourceClaim | undefined =>
  [...unavailable].find(({ status }) => (status?.reservedFor ?? []).every(({ uid }) => uid === pod.metadata.uid));

/** Gives the devices of a claim back, so that it can get others. */
const deallocation =
  (claim: ResourceClaim, { lister }: DeviceState) =>
  async (client: Client) => {
    await client.update(resourceClaims, deallocated(claim), "status");
    claimsInFlight(lister).overdue.delete(claim.metadata.uid);
  };

/** Nothing of a pod that is bound is taken back: the outcome of its binding was only unknown. */
const isBound = ({ pod }: PodInfo, { lister }: BindingContext): boolean => {
  const now = lister(pods).get(keyOf(pod));
  return now?.metadata.uid === pod.metadata.uid && now.spec.nodeName !== undefined;
};

/** Allocates and reserves; what is written is assumed until the view shows it. */
async function bindAll(state: DeviceState, { pod }: PodInfo, nodeName: string, context: BindingContext) {
  const { written, decided } = claimsInFlight(state.lister);
  const bound: ResourceClaim[] = [];
  for (const claim of state.claims) {
    const { uid } = claim.metadata;
    const i = state.unallocated.findIndex((other) => other.claim === claim);
    const allocation = i < 0 ? undefined : state.allocations.get(nodeName)?.[i];
    if (isReservedFor(pod, claim)) {
      bound.push(claim);
      continue;
    }
    const now = await bindClaim(pod, claim, allocation, context);
    written.assume(now);
    decided.delete(uid);
    bound.push(now);
  }
  return bound;
}

/** Nothing is allocated yet. The devices of a pod must be prepared within the time. */
export function dynamicResources(bindingTimeoutMs = 600_000): SchedulerPlugin<DeviceState | undefined, DeviceState> {
  const memory = sliceMemory();
  const states = new WeakMap<PodInfo, DeviceState>();
  return {
    name: "DynamicResources",
    weight: 2,
    reads: [resourceClaims, deviceClasses, resourceSlices],
    events,
    preEnqueue(pod, { lister }) {
      const claims = pod.spec.resourceClaims ? claimsOf(pod, lister) : [];
      return typeof claims === "string" ? unresolvable(claims) : undefined;
    },
    preFilter(info, snapshot) {
      if (!info.pod.spec.resourceClaims) return skip;
      const result = preFilter(info, snapshot, memory);
      if (result !== skip && "state" in result) states.set(info, result.state);
      return result;
    },
    filter: (state, node) => filter(state!, node, memory),
    postFilter(info, { rejectedBy }) {
      if (rejectedBy && rejectedBy.plugin !== "DynamicResources") return { message: "not found", isLast: true };
      const state = states.get(info);
      if (!state) return { message: "no new claims to deallocate" };
      const claim = toDeallocate(state, info);
      if (!claim) return { message: "still not schedulable" };
      return { message: "deallocation of ResourceClaim completed", effect: deallocation(claim, state) };
    },
    preScore(info) {
      const state = states.get(info);
      return state && hasAlternatives(state) ? state : skip;
    },
    score: (state, { name }) => scoreOf(state, name),
    normalizeScore: normalized,
    reserve(state, _, nodeName) {
      if (!state || state.unallocated.length === 0) return undefined;
      const allocations = state.allocations.get(nodeName);
      if (!allocations) return failed("claim allocation not found for node");
      const { decided } = claimsInFlight(state.lister);
      for (const [i, { claim }] of state.unallocated.entries()) decided.set(claim.metadata.uid, allocations[i]!);
      return undefined;
    },
    unreserve(state, info, _, context) {
      if (!state || isBound(info, context)) return;
      const { decided, written } = claimsInFlight(state.lister);
      for (const { claim } of state.unallocated) decided.delete(claim.metadata.uid);
      for (const claim of state.claims) {
        const now = written.of(claim);
        // A reservation that is not taken back stays until the pod is deleted, and is used when it is placed again.
        if (isReservedFor(info.pod, now)) void unreserveClaim(info.pod, now, context).catch(() => {});
      }
    },
    async preBind(state, info, nodeName, context) {
      if (!state) return undefined;
      let bound: readonly ResourceClaim[];
      try {
        bound = await bindAll(state, info, nodeName, context);
      } catch (e) {
        context.signal.throwIfAborted();
        return failed((e as Error).message);
      }
      return awaitReadiness(bound, context, bindingTimeoutMs);
    },
  };
}
