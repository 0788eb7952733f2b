// Writes the claim for the extended resources of a pod: it is created, allocated and reserved, and the status of the
// pod says which containers use its devices. Source: KEP-5004.
import type {
  AllocationResult,
  ContainerExtendedResourceRequest,
  Pod,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../../api/generated/types.ts";
import { pods } from "../../../api/core/pods.ts";
import { hasReason, isAmbiguous } from "../../../api/errors.ts";
import { type Draft, key, keyOf } from "../../../api/meta.ts";
import { deleteProtection } from "../../../api/resource/pod-claims.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import { abortedWith } from "../../../machinery/abort.ts";
import type { Client } from "../../../machinery/client.ts";
import { backoff } from "../../../machinery/workqueue.ts";
import type { BindingContext } from "../../framework.ts";
import { bindClaim } from "./binding.ts";
import { draftOf, type ExtendedClaim } from "./extended-claim.ts";

/** So long is waited for a claim to be seen by the next decisions. */
const mostVisibilityMs = 120_000;

async function create(pod: Pod, extended: ExtendedClaim, { client }: BindingContext): Promise<ResourceClaim> {
  try {
    return await client.create(resourceClaims, draftOf(extended, pod) as Draft<ResourceClaim>);
  } catch (e) {
    const why = (e as Error).message;
    throw new Error(`create claim for extended resources ${pod.metadata.namespace}/: ${why}`, { cause: e });
  }
}

/** Writes which claim the pod has, and which of its containers use the devices. */
async function nameClaim(
  pod: Pod,
  resourceClaimName: string,
  requestMappings: readonly ContainerExtendedResourceRequest[],
  { client }: BindingContext,
): Promise<void> {
  const { uid } = pod.metadata;
  const patch = { metadata: { uid }, status: { extendedResourceClaimStatus: { requestMappings, resourceClaimName } } };
  try {
    await client.patch(pods, keyOf(pod), { type: "strategic", patch }, "status");
  } catch (e) {
    const why = (e as Error).message;
    throw new Error(`update pod ${keyOf(pod)} ExtendedResourceClaimStatus: ${why}`, { cause: e });
  }
}

/** Resolves when the views show the claim, or after the time: its devices are taken for later pods by then. */
async function visible(claim: ResourceClaim, { lister, changed, clock, signal }: BindingContext): Promise<void> {
  const isSeen = (): boolean => lister(resourceClaims).get(keyOf(claim)) !== undefined;
  const waiting = abortedWith(signal);
  const seen = async (): Promise<void> => {
    while (!isSeen() && !waiting.signal.aborted) await changed([[resourceClaims, keyOf(claim)]], waiting.signal);
  };
  try {
    await Promise.race([seen(), clock.sleep(mostVisibilityMs, waiting.signal)]);
  } finally {
    waiting.end();
  }
}

/** Calls `created` before anything else can fail. Throws why the pod cannot be bound. */
export async function bindExtendedClaim(
  pod: Pod,
  [extended, allocation]: readonly [ExtendedClaim, AllocationResult],
  context: BindingContext,
  created: (claim: ResourceClaim) => void,
): Promise<ResourceClaim> {
  const { mappings } = extended;
  if (mappings.length === 0)
    throw new Error(`nil or empty request mappings, no update of pod ${keyOf(pod)} ExtendedResourceClaimStatus`);
  const made = await create(pod, extended, context);
  created(made);
  const bound = await bindClaim(pod, made, allocation, context);
  await nameClaim(pod, bound.metadata.name, mappings, context);
  await visible(bound, context);
  return bound;
}

/** Removes the finalizer of a claim that no pod uses, and the claim. */
export async function removeClaim({ metadata }: ResourceClaim, client: Client): Promise<void> {
  const { uid, namespace, name } = metadata;
  const at = key(namespace, name);
  const patch = { metadata: { uid, "$deleteFromPrimitiveList/finalizers": [deleteProtection] } };
  try {
    await client.patch(resourceClaims, at, { type: "strategic", patch });
    await client.delete(resourceClaims, at, { uid });
  } catch (e) {
    if (!hasReason(e, "NotFound")) throw e;
  }
}

/** The same until it has succeeded: devices of a claim that stays are not free while the pod exists. */
export async function removed(claim: ResourceClaim, { client, clock, signal }: BindingContext): Promise<void> {
  for (let failures = 1; ; failures++) {
    try {
      return await removeClaim(claim, client);
    } catch (e) {
      if (!isAmbiguous(e) || signal.aborted) throw e;
      await clock.sleep(backoff(failures), signal);
    }
  }
}
