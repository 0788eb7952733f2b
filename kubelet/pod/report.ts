// Writes a pod's status to the API.
import { isDeepStrictEqual } from "node:util";
import type { Pod, PodStatus } from "../../api/generated/types.ts";
import { hasReason } from "../../api/errors.ts";
import { keyOf, revisionOf } from "../../api/meta.ts";
import { pods } from "../../api/core/pods.ts";
import type { Client } from "../../machinery/client.ts";

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? {}));

/** On the wire an undefined property is an absent one. */
export const sameStatus = (a: PodStatus | undefined, b: PodStatus): boolean => isDeepStrictEqual(plain(a), plain(b));

/** The newer of two versions of one pod. */
export const newer = (a: Pod | undefined, b: Pod): Pod => (a !== undefined && revisionOf(a) > revisionOf(b) ? a : b);

/** Status fields that other components own; a write of this node keeps them. */
const foreignFields = (status: PodStatus | undefined): PodStatus => {
  const { nominatedNodeName, resourceClaimStatuses, extendedResourceClaimStatus } = status ?? {};
  return JSON.parse(
    JSON.stringify({ nominatedNodeName, resourceClaimStatuses, extendedResourceClaimStatus }),
  ) as PodStatus;
};

/** Adds the fields of other components to `status`. */
export const completed = (pod: Pod, status: PodStatus): PodStatus => ({ ...status, ...foreignFields(pod.status) });

/** Writes the status; resolves with the updated pod, or undefined if it was deleted. */
export async function report(client: Client, pod: Pod, status: PodStatus): Promise<Pod | undefined> {
  try {
    return await client.update(pods, { ...pod, status }, "status");
  } catch (e) {
    if (hasReason(e, "NotFound")) return undefined;
    if (!hasReason(e, "Conflict")) throw e;
    const now = await client.get(pods, keyOf(pod));
    return now.metadata.uid === pod.metadata.uid ? now : undefined;
  }
}
