// What follows for a claim when pods end that it was reserved for: reservations are removed, with the last of them the
// allocation, and a claim that was made for a pod is deleted with it. Pure. Source: KEP-4381.
import type {
  Pod,
  ResourceClaimConsumerReference,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../api/generated/types.ts";
import { controllerOf } from "../../api/meta.ts";
import { deleteProtection, needsNoClaims } from "../../api/resource/pod-claims.ts";
import { resourceClaims } from "../../api/resource/resourceclaims.ts";
import type { Action } from "../../machinery/action.ts";
import { type Decision, settled } from "../../machinery/controller.ts";

export interface ObservedClaim {
  readonly claim: ResourceClaim;
  /** Pods of its namespace by name: those it is reserved for, and its owner. */
  readonly pods: ReadonlyMap<string, Pod>;
  /** The view of pods has all that the claim can be reserved for, so that a pod which is not there is gone. */
  readonly isCurrent: boolean;
  /** Its allocation was taken away, and it still has the finalizer of it. */
  readonly isDeallocated: boolean;
}

/** How long until a view is looked at again that is behind the claim. */
const staleMs = 1000;

/** Whether a consumer uses the claim, as far as the views show. */
type Use = "ended" | "unknown" | "possible";

function useOf({ apiGroup = "", resource, name, uid }: ResourceClaimConsumerReference, observed: ObservedClaim): Use {
  // Other consumers are removed by who added them.
  if (apiGroup !== "" || resource !== "pods") return "possible";
  const pod = observed.pods.get(name);
  if (pod?.metadata.uid === uid) return needsNoClaims(pod) ? "ended" : "possible";
  return observed.isCurrent ? "ended" : "unknown";
}

const isProtected = ({ metadata }: ResourceClaim): boolean => metadata.finalizers?.includes(deleteProtection) === true;

/** The claim without its finalizer. Fails when the claim has changed, as by a new allocation. */
function unprotect(claim: ResourceClaim): Action {
  const finalizers = (claim.metadata.finalizers ?? []).filter((f) => f !== deleteProtection);
  const object = { ...claim, metadata: { ...claim.metadata, finalizers } };
  return { do: "update", resource: resourceClaims, object };
}

function statusOf(claim: ResourceClaim, remaining: readonly ResourceClaimConsumerReference[]): Action {
  const { allocation, reservedFor: _, ...rest } = claim.status ?? {};
  const isKept = allocation && (remaining.length > 0 || !isProtected(claim));
  const status = {
    ...rest,
    ...(isKept && { allocation }),
    ...(remaining.length > 0 && { reservedFor: remaining }),
  };
  return { do: "status", resource: resourceClaims, object: claim, status };
}

/** The pod that the claim was made for will not use it. Its absence is the garbage collector's matter. */
function isOwnerDone({ claim, pods }: ObservedClaim): boolean {
  const owner = controllerOf(claim);
  if (owner?.kind !== "Pod") return false;
  const pod = pods.get(owner.name);
  return pod !== undefined && (pod.metadata.uid !== owner.uid || needsNoClaims(pod));
}

export function decideClaim(observed: ObservedClaim): Decision {
  const { claim, isDeallocated } = observed;
  const reservedFor = claim.status?.reservedFor ?? [];
  const remaining = reservedFor.filter((consumer) => useOf(consumer, observed) !== "ended");
  const isUnknown = remaining.some((consumer) => useOf(consumer, observed) === "unknown");
  const later = isUnknown ? { requeueAfter: staleMs } : {};
  if (remaining.length < reservedFor.length)
    return { actions: [statusOf(claim, remaining)], because: ["pods that used the claim have ended"], ...later };
  if (remaining.length > 0) return { ...settled, ...later };
  const isDeleted = claim.metadata.deletionTimestamp !== undefined;
  if (isProtected(claim) && isDeleted && claim.status?.allocation)
    return { actions: [statusOf(claim, remaining)], because: ["the claim is deleted and not used"] };
  const actions: Action[] = [];
  if (isProtected(claim) && !claim.status?.allocation && (isDeleted || isDeallocated)) actions.push(unprotect(claim));
  if (!isDeleted && isOwnerDone(observed)) actions.push({ do: "delete", resource: resourceClaims, object: claim });
  return { actions };
}
