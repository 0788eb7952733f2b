// DynamicResources: a pod goes where devices for its claims and its extended resources are, and is bound once they are
// allocated and reserved for it. Source: the Kubernetes concepts page, "Dynamic Resource Allocation"; KEP-4381,
// KEP-5004.
import { pods } from "../../../api/core/pods.ts";
import type { ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import { deviceClasses } from "../../../api/resource/deviceclasses.ts";
import { isReservedFor } from "../../../api/resource/pod-claims.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import { resourceSlices } from "../../../api/resource/resourceslices.ts";
import type { Client } from "../../../machinery/client.ts";
import { type BindingContext, failed, normalized, type SchedulerPlugin, skip, unresolvable } from "../../framework.ts";
import type { PodInfo } from "../../node-info.ts";
import { bindClaim, deallocated, unreserveClaim } from "./binding.ts";
import { claimsOf } from "./claims.ts";
import { events } from "./events.ts";
import { bindExtendedClaim, removeClaim, removed } from "./extended-binding.ts";
import { filterNode, hasAlternatives, scoreOf } from "./filter.ts";
import { claimsInFlight } from "./in-flight.ts";
import { awaitReadiness } from "./readiness.ts";
import { type DeviceState, deviceStateOf, sliceMemory } from "./state.ts";

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

/** What PostFilter does so that the pod can be placed another time. */
function remedy(state: DeviceState, info: PodInfo) {
  const claim = toDeallocate(state, info);
  if (claim) return { message: "deallocation of ResourceClaim completed", effect: deallocation(claim, state) };
  const leftover = state.extended?.existing;
  if (!leftover) return { message: "still not schedulable" };
  const effect = (client: Client): Promise<void> => removeClaim(leftover, client);
  return { message: "deletion of ResourceClaim completed", effect };
}

/** Nothing of a pod that is bound is taken back: the outcome of its binding was only unknown. */
const isBound = ({ pod }: PodInfo, { lister }: BindingContext): boolean => {
  const now = lister(pods).get(keyOf(pod));
  return now?.metadata.uid === pod.metadata.uid && now.spec.nodeName !== undefined;
};

/** By the state of a decision: the claim that was made for its extended resources. */
type CreatedClaims = WeakMap<DeviceState, ResourceClaim>;

/** Allocates and reserves; what is written is assumed until the view shows it. */
async function bindAll(
  state: DeviceState,
  { pod }: PodInfo,
  nodeName: string,
  [context, created]: readonly [BindingContext, CreatedClaims],
) {
  const { written, decided } = claimsInFlight(state.lister);
  const allocations = state.allocations.get(nodeName);
  const bound: ResourceClaim[] = [];
  for (const claim of state.claims) {
    const { uid } = claim.metadata;
    const i = state.unallocated.findIndex((other) => other.claim === claim);
    const allocation = i < 0 ? undefined : allocations?.results[i];
    if (isReservedFor(pod, claim)) {
      bound.push(claim);
      continue;
    }
    const now = await bindClaim(pod, claim, allocation, context);
    written.assume(now);
    decided.delete(uid);
    bound.push(now);
  }
  if (allocations?.extended) {
    const made = (claim: ResourceClaim): void => void created.set(state, claim);
    const now = await bindExtendedClaim(pod, allocations.extended, context, made);
    written.assume(now);
    decided.delete(allocations.extended[0].claim.metadata.uid);
    bound.push(now);
  }
  return bound;
}

/** What is decided for a node is in flight until it is written. */
function reserve({ unallocated, extended, allocations, lister }: DeviceState, nodeName: string) {
  if (unallocated.length === 0 && !extended) return undefined;
  const decision = allocations.get(nodeName);
  // The node may have all extended resources itself.
  if (!decision) return unallocated.length > 0 ? failed("claim allocation not found for node") : undefined;
  const { decided } = claimsInFlight(lister);
  for (const [i, { claim }] of unallocated.entries()) decided.set(claim.metadata.uid, decision.results[i]!);
  if (decision.extended) decided.set(decision.extended[0].claim.metadata.uid, decision.extended[1]);
  return undefined;
}

function unreserve(state: DeviceState, { pod }: PodInfo, nodeName: string, context: BindingContext): void {
  const { decided, written } = claimsInFlight(state.lister);
  for (const { claim } of state.unallocated) decided.delete(claim.metadata.uid);
  for (const claim of state.claims) {
    const now = written.of(claim);
    // A reservation that is not taken back stays until the pod is deleted, and is used when it is placed again.
    if (isReservedFor(pod, now)) void unreserveClaim(pod, now, context).catch(() => {});
  }
  const extended = state.allocations.get(nodeName)?.extended;
  if (extended) decided.delete(extended[0].claim.metadata.uid);
}

/** Nothing is allocated yet. The devices of a pod must be prepared within the time. */
export function dynamicResources(bindingTimeoutMs = 600_000): SchedulerPlugin<DeviceState | undefined, DeviceState> {
  const memory = sliceMemory();
  const states = new WeakMap<PodInfo, DeviceState>();
  const created: CreatedClaims = new WeakMap();
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
      const result = deviceStateOf(info, snapshot, memory);
      if (result !== skip && "state" in result) states.set(info, result.state);
      return result;
    },
    filter: (state, node, info) => filterNode(state!, node, info, memory),
    postFilter(info, { rejectedBy }) {
      if (rejectedBy && rejectedBy.plugin !== "DynamicResources") return { message: "not found", isLast: true };
      const state = states.get(info);
      return state ? remedy(state, info) : { message: "no new claims to deallocate" };
    },
    preScore(info) {
      const state = states.get(info);
      return state && hasAlternatives(state) ? state : skip;
    },
    score: (state, { name }) => scoreOf(state, name),
    normalizeScore: normalized,
    reserve: (state, _, nodeName) => state && reserve(state, nodeName),
    unreserve(state, info, nodeName, context) {
      if (!state || isBound(info, context)) return;
      unreserve(state, info, nodeName, context);
      const made = created.get(state);
      // A claim that stays is deleted before the pod is placed again.
      if (made) void removed(made, context).catch(() => {});
      created.delete(state);
    },
    async preBind(state, info, nodeName, context) {
      if (!state) return undefined;
      let bound: readonly ResourceClaim[];
      try {
        bound = await bindAll(state, info, nodeName, [context, created]);
      } catch (e) {
        context.signal.throwIfAborted();
        return failed((e as Error).message);
      }
      return awaitReadiness(bound, info.pod, nodeName, [context, bindingTimeoutMs]);
    },
  };
}
