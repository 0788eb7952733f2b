// The claims of a pod, and why it cannot be scheduled with them.
import { referenced } from "../referenced.ts";
import type { Pod, PodResourceClaim, ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import { key, keyOf } from "../../../api/meta.ts";
import { deviceClasses } from "../../../api/resource/deviceclasses.ts";
import { claimReference, foreignClaim } from "../../../api/resource/pod-claims.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import type { PluginViews } from "../../framework.ts";
import { claimsInFlight } from "./in-flight.ts";

type Lister = PluginViews["lister"];

/** The claim of an entry, or why the pod has to wait; nothing when it needs none. */
function claimOf(pod: Pod, entry: PodResourceClaim, lister: Lister): ResourceClaim | string | undefined {
  const reference = claimReference(pod, entry);
  if (reference === "not needed") return undefined;
  const { namespace } = pod.metadata;
  if (reference === "not created") return `pod "${keyOf(pod)}": ResourceClaim not created yet`;
  const found = lister(resourceClaims).get(key(namespace, reference.name));
  if (!found) return `resourceclaim.resource.k8s.io "${reference.name}" not found`;
  const claim = claimsInFlight(lister).written.of(found);
  if (claim.metadata.deletionTimestamp !== undefined) return `resourceclaim "${reference.name}" is being deleted`;
  return (reference.isGenerated && foreignClaim(pod, claim)) || claim;
}

/** The claims of a pod, each once, or why it has to wait. */
export const claimsOf = (pod: Pod, lister: Lister): readonly ResourceClaim[] | string =>
  referenced(pod.spec.resourceClaims, (entry) => claimOf(pod, entry, lister));

/** Why a claim without an allocation cannot get one now. */
export function blocked(claim: ResourceClaim, lister: Lister): string | undefined {
  if (claimsInFlight(lister).decided.has(claim.metadata.uid))
    return `resource claim ${keyOf(claim)} is in the process of being allocated`;
  for (const { name, exactly, firstAvailable = [] } of claim.spec.devices?.requests ?? [])
    for (const [request, className] of [
      ...(exactly ? [[name, exactly.deviceClassName] as const] : []),
      ...firstAvailable.map((alternative) => [`${name}/${alternative.name}`, alternative.deviceClassName] as const),
    ])
      if (!lister(deviceClasses).get(key(undefined, className)))
        return `request ${request}: device class ${className} does not exist`;
  return undefined;
}
