// Changes that may help a pod which has no node because of its claims for devices.
import type { Pod, ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import { sameJson } from "../../../api/hash.ts";
import { keyOf } from "../../../api/meta.ts";
import { isExtendedClaimOf, requestsDevices } from "../../../api/extended-resources.ts";
import { deviceClaimKeys } from "../../../api/resource/pod-claims.ts";
import type { Change, QueueingHint } from "../../framework.ts";

/** Devices were given back, or a claim of the pod has changed. */
function isHelped(pod: Pod, { before, after }: Change<ResourceClaim>): boolean {
  if (before?.status?.allocation && !after?.status?.allocation) return true;
  // The claim of an earlier attempt is gone.
  if (before && !after && isExtendedClaimOf(pod, before)) return true;
  if (!after || !deviceClaimKeys(pod).includes(keyOf(after))) return false;
  return before === undefined || !sameJson(before.status, after.status);
}

/** A pod with a claim has left its node, or did not get there: devices that were only decided are free again. */
const hasClaims = (_: Pod, { before }: Change<Pod>): boolean =>
  before !== undefined && (deviceClaimKeys(before).length > 0 || requestsDevices(before));

export const events: readonly QueueingHint[] = [
  { resource: "Node", actions: ["Add", "UpdateNodeLabel", "UpdateNodeAllocatable"] },
  { resource: "ResourceClaim", actions: ["Add", "Update", "Delete"], isSchedulableAfter: isHelped },
  { resource: "AssignedPod", actions: ["Delete"], isSchedulableAfter: hasClaims },
  { resource: "TargetPod", actions: ["UpdatePodGeneratedResourceClaim"] },
  { resource: "DeviceClass", actions: ["Add", "Update"] },
  { resource: "ResourceSlice", actions: ["Add", "Update", "Delete"] },
] as readonly QueueingHint[];
