// Evicts pods from devices that their drivers have tainted with NoExecute.
import { pods } from "../../api/core/pods.ts";
import type { Pod, ResourceSlice, ResourceV1ResourceClaim as ResourceClaim } from "../../api/generated/types.ts";
import { type Key, key } from "../../api/meta.ts";
import { claimReference, foreignClaim, isReservedFor } from "../../api/resource/pod-claims.ts";
import { resourceClaims } from "../../api/resource/resourceclaims.ts";
import { resourceSlices } from "../../api/resource/resourceslices.ts";
import { controller, itself, type Views, watch } from "../../machinery/controller.ts";
import { decide, type Observed } from "./decide.ts";

const none: readonly Key[] = [];
/** Names a pool among all. */
const poolOf = (driver: string, pool: string): string => `${driver}/${pool}`;
const poolsOf = ({ status }: ResourceClaim): readonly string[] =>
  (status?.allocation?.devices?.results ?? []).map(({ driver, pool }) => poolOf(driver, pool));
const poolOfSlice = ({ spec }: ResourceSlice): readonly string[] => [poolOf(spec.driver, spec.pool.name)];

/** The pods that a claim is reserved for. */
const podKeysOf = ({ metadata, status }: ResourceClaim): readonly Key[] =>
  (status?.reservedFor ?? [])
    .filter(({ apiGroup = "", resource }) => apiGroup === "" && resource === "pods")
    .map(({ name }) => key(metadata.namespace, name));

/** The claims that the pod names and that are reserved for it. */
function claimsOf(pod: Pod, views: Views): readonly ResourceClaim[] {
  return (pod.spec.resourceClaims ?? []).flatMap((entry) => {
    const reference = claimReference(pod, entry);
    if (typeof reference === "string") return [];
    const claim = views.of(resourceClaims).get(key(pod.metadata.namespace, reference.name));
    if (!claim || (reference.isGenerated && foreignClaim(pod, claim))) return [];
    return isReservedFor(pod, claim) ? [claim] : [];
  });
}

export const deviceTaintController = controller<Pod, Observed>({
  name: "device-taint-eviction",
  reconciles: pods,
  // Most pods use no devices.
  keysOf: (pod, { type }) => (type !== "deleted" && pod.spec.resourceClaims ? itself(pod) : none),
  watches: [
    watch(resourceClaims, podKeysOf, { pool: poolsOf }),
    watch(
      resourceSlices,
      (slice, { views }) =>
        poolOfSlice(slice).flatMap((pool) => views.of(resourceClaims).byIndex("pool", pool).flatMap(podKeysOf)),
      { pool: poolOfSlice },
    ),
  ],
  writes: [
    { kind: pods, verbs: ["delete"] },
    { kind: pods, subresource: "status", verbs: ["update"] },
  ],
  observe(views, k) {
    const pod = views.of(pods).get(k);
    if (!pod?.spec.nodeName) return undefined;
    const claims = claimsOf(pod, views);
    const pools = new Set(claims.flatMap(poolsOf));
    return { pod, claims, slices: [...pools].flatMap((pool) => views.of(resourceSlices).byIndex("pool", pool)) };
  },
  decide,
});
