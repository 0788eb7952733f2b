// Tells the API how a pod is, and keeps the newest version of the object anyone has seen.
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

/** Fields of the status that others write and this node must hand back untouched. */
const others = (status: PodStatus | undefined): PodStatus => {
  const { nominatedNodeName, resourceClaimStatuses, extendedResourceClaimStatus } = status ?? {};
  return JSON.parse(
    JSON.stringify({ nominatedNodeName, resourceClaimStatuses, extendedResourceClaimStatus }),
  ) as PodStatus;
};

/** `status` with what is not ours to say. */
export const completed = (pod: Pod, status: PodStatus): PodStatus => ({ ...status, ...others(pod.status) });

/** Writes the status; resolves with the pod as it is then, or undefined when it is no longer there. */
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
