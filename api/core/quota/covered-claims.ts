// Claims that the scheduler makes for the extended resources of pods: the pod counts for these already, so its claim
// does not count a second time. Pure. Source: KEP-5004.
import type { Pod, ResourceV1ResourceClaim as ResourceClaim } from "../../generated/types.ts";
import { controllerOf, instantOf } from "../../meta.ts";
import { extendedClaimAnnotation, isExtendedClaimOf } from "../../extended-resources.ts";
import type { Amounts } from "../pod/pod-resources.ts";
import { podUsage } from "./usage.ts";

/** The pods and claims of the namespace. */
interface Objects {
  readonly pod: (name: string) => Pod | undefined;
  readonly claims: () => readonly ResourceClaim[];
}

/** Whether it says that it was made for a pod. */
export const isMadeForPod = (claim: ResourceClaim): boolean =>
  claim.metadata.annotations?.[extendedClaimAnnotation] === "true" && controllerOf(claim)?.kind === "Pod";

const createdAt = ({ metadata }: ResourceClaim): number => instantOf(metadata.creationTimestamp);
const precedes = (a: ResourceClaim, b: ResourceClaim): boolean =>
  createdAt(a) < createdAt(b) || (createdAt(a) === createdAt(b) && a.metadata.name < b.metadata.name);

/** What the pod of a claim counts. Nothing where the pod has another claim: users may write what the scheduler does. */
export function usageOfPod(claim: ResourceClaim, { pod, claims }: Objects): Amounts {
  if (!isMadeForPod(claim)) return {};
  const owner = pod(controllerOf(claim)!.name);
  if (!owner || !isExtendedClaimOf(owner, claim)) return {};
  const named = owner.status?.extendedResourceClaimStatus;
  const isOther = named
    ? named.resourceClaimName !== claim.metadata.name
    : claims().some((other) => isExtendedClaimOf(owner, other) && precedes(other, claim));
  return isOther ? {} : podUsage(owner);
}
