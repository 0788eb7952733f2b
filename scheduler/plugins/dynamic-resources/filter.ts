// Whether a node has devices for the claims of a pod, and which of several nodes has better ones.
import { labelledNode, termMatcher } from "../../../api/core/pod/node-affinity.ts";
import type { ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import { allocationOf } from "../../devices/allocation.ts";
import { chooseDevices, SearchTimeout } from "../../devices/search.ts";
import { type Rejection, unresolvable } from "../../framework.ts";
import type { NodeInfo, PodInfo } from "../../node-info.ts";
import { type ExtendedClaim, extendedClaimOn } from "./extended-claim.ts";
import { isOverdue } from "./in-flight.ts";
import { readiness } from "./readiness.ts";
import type { DeviceState, NodeAllocation, SliceMemory } from "./state.ts";

/** Alternatives of a request that a score can tell apart. */
const mostAlternatives = 8;

const notOnNode = unresolvable("resourceclaim not available on the node");
const notAllocatable = unresolvable("cannot allocate all claims");
const invalidPools = unresolvable("invalid resource pools were encountered");

/** Whether an allocated claim can be used on the node, and is or may still be prepared. */
function isUsable(claim: ResourceClaim, { node }: NodeInfo, { lister }: DeviceState): boolean {
  const { allocation } = claim.status ?? {};
  if (!allocation) return true;
  const terms = allocation.nodeSelector?.nodeSelectorTerms;
  if (terms && !terms.some((term) => termMatcher(term)(labelledNode(node)))) return false;
  const ready = readiness(claim);
  return typeof ready === "boolean" && (ready || !isOverdue(claim, lister));
}

/** The allocations on a node, or why there are none. Throws what no node can help. */
function allocate(
  state: DeviceState,
  extended: ExtendedClaim | undefined,
  info: NodeInfo,
  memory: SliceMemory,
): NodeAllocation | Rejection {
  const claims = extended ? [...state.unallocated, extended] : state.unallocated;
  const pools = memory.pools(info, state.slices);
  const choices = chooseDevices(claims, pools, info.node, state.inUse);
  if (!choices) return pools.some(({ problem }) => problem !== undefined) ? invalidPools : notAllocatable;
  const all = choices.map((chosen, i) => allocationOf(claims[i]!.claim, chosen, info.node));
  return { results: all.slice(0, state.unallocated.length), ...(extended && { extended: [extended, all.at(-1)!] }) };
}

/** Filter. What is allocated on a node that passes is kept in the state. */
export function filterNode(
  state: DeviceState,
  info: NodeInfo,
  { pod }: PodInfo,
  memory: SliceMemory,
): Rejection | undefined {
  const extended = state.extended && extendedClaimOn(state.extended, info, pod);
  if (extended && "code" in extended) return extended;
  const unavailable = state.claims.filter((claim) => !isUsable(claim, info, state));
  if ((state.unallocated.length > 0 || extended) && !state.allocations.has(info.name)) {
    try {
      const result = allocate(state, extended, info, memory);
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
export function scoreOf({ claims, unallocated, allocations }: DeviceState, nodeName: string): number {
  const decided = allocations.get(nodeName)?.results ?? [];
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

export const hasAlternatives = ({ claims }: DeviceState): boolean =>
  claims.some(({ spec }) => spec.devices?.requests?.some(({ firstAvailable }) => firstAvailable?.length));
