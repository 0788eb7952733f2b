// Writes what was decided about the claims of a pod, and takes it back when the pod does not get to its node.
import { hasReason, isAmbiguous } from "../../../api/errors.ts";
import type { AllocationResult, Pod, ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import { keyOf, timestamp } from "../../../api/meta.ts";
import { consumerOf, deleteProtection, isReservedFor } from "../../../api/resource/pod-claims.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import { backoff } from "../../../machinery/workqueue.ts";
import type { BindingContext } from "../../framework.ts";

/** So often is a write repeated that another one has overtaken. */
const mostConflicts = 5;

/** Repeats a write of unknown outcome: a lost one may still arrive, and then this one conflicts. */
async function written(write: () => Promise<ResourceClaim>, { clock, signal }: BindingContext): Promise<ResourceClaim> {
  for (let failures = 1; ; failures++) {
    try {
      return await write();
    } catch (e) {
      if (!isAmbiguous(e)) throw e;
      await clock.sleep(backoff(failures), signal);
    }
  }
}

const withFinalizer = (claim: ResourceClaim): ResourceClaim => ({
  ...claim,
  metadata: { ...claim.metadata, finalizers: [...(claim.metadata.finalizers ?? []), deleteProtection] },
});

/** One attempt: the finalizer first, so that an allocated claim is never without it. */
async function attempt(
  pod: Pod,
  current: ResourceClaim,
  allocation: AllocationResult | undefined,
  context: BindingContext,
): Promise<ResourceClaim> {
  const { client, clock } = context;
  const { metadata, status } = current;
  if (isReservedFor(pod, current)) return current;
  if (metadata.deletionTimestamp !== undefined) throw new Error(`claim ${keyOf(current)} got deleted in the meantime`);
  if (allocation && status?.allocation)
    throw new Error(`claim ${keyOf(current)} got allocated elsewhere in the meantime`);
  if (!allocation && !status?.allocation)
    throw new Error(`claim ${keyOf(current)} got deallocated elsewhere in the meantime`);
  const isProtected = metadata.finalizers?.includes(deleteProtection) === true;
  const claim =
    allocation && !isProtected
      ? await written(() => client.update(resourceClaims, withFinalizer(current)), context)
      : current;
  const known = allocation ?? status!.allocation!;
  const next = {
    ...claim.status,
    allocation: { ...known, allocationTimestamp: known.allocationTimestamp ?? timestamp(clock.now()) },
    reservedFor: [...(claim.status?.reservedFor ?? []), consumerOf(pod)],
  };
  return written(() => client.update(resourceClaims, { ...claim, status: next }, "status"), context);
}

/** Allocates and reserves a claim for a pod. Throws when it cannot be any more. */
export async function bindClaim(
  pod: Pod,
  claim: ResourceClaim,
  allocation: AllocationResult | undefined,
  context: BindingContext,
): Promise<ResourceClaim> {
  let current = claim;
  for (let conflicts = 0; ; conflicts++) {
    try {
      return await attempt(pod, current, allocation, context);
    } catch (e) {
      if (!hasReason(e, "Conflict") || conflicts === mostConflicts) throw e;
      current = await context.client.get(resourceClaims, keyOf(claim));
    }
  }
}

/** Removes the reservation of a pod. It is removed with the pod at the latest. */
export async function unreserveClaim(pod: Pod, claim: ResourceClaim, { client }: BindingContext): Promise<void> {
  const { uid } = claim.metadata;
  const patch = { metadata: { uid }, status: { reservedFor: [{ $patch: "delete", uid: pod.metadata.uid }] } };
  await client.patch(resourceClaims, keyOf(claim), { type: "strategic", patch }, "status");
}

/** The claim without its devices, so that it can get others. */
export const deallocated = ({ status, ...claim }: ResourceClaim): ResourceClaim => {
  const { allocation: _a, reservedFor: _r, devices: _d, ...rest } = status ?? {};
  return { ...claim, status: rest };
};
