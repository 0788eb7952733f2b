// Removes the protection finalizers of deleted claims and volumes once nothing uses them: of a claim, when no pod does;
// of a volume, when its status is not Bound.
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, controllerOf, type Key, key } from "../../api/meta.ts";
import { type Decision, settled, controller, watch } from "../../machinery/controller.ts";
import { claimNamesOf } from "../../api/core/pod/claims.ts";
import { pods } from "../../api/core/pods.ts";

const claimFinalizer = "kubernetes.io/pvc-protection";
const volumeFinalizer = "kubernetes.io/pv-protection";

interface ObservedClaim {
  readonly claim: PersistentVolumeClaim;
  /** Pods of its namespace that use it, generic ephemeral volumes included. */
  readonly pods: readonly Pod[];
}

const isDeleted = ({ metadata }: ApiObject): boolean => metadata.deletionTimestamp !== undefined;
const isShutDown = (pod: Pod): boolean => isDeleted(pod) && pod.metadata.deletionGracePeriodSeconds === 0;

/** Nodes start no pod with a deleted claim, so only scheduled pods count, for as long as they exist. */
function uses(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (pod.spec.nodeName === undefined) return false;
  const names = (pod.spec.volumes ?? []).some((v) => v.persistentVolumeClaim?.claimName === claim.metadata.name);
  return names || (!isShutDown(pod) && controllerOf(claim)?.uid === pod.metadata.uid);
}

/** Removes a finalizer, if it is still there. */
export function withoutFinalizer(resource: ResourceDefinition, object: ApiObject, finalizer: string): Decision {
  const { finalizers = [], ...metadata } = object.metadata;
  if (!finalizers.includes(finalizer)) return settled;
  const rest = finalizers.filter((f) => f !== finalizer);
  return { actions: [{ do: "update", resource, object: { ...object, metadata: { ...metadata, finalizers: rest } } }] };
}

/** A claim is released when no pod uses it. */
export const decideClaim = ({ claim, pods }: ObservedClaim): Decision =>
  isDeleted(claim) && !pods.some((pod) => uses(pod, claim))
    ? withoutFinalizer(persistentVolumeClaims, claim, claimFinalizer)
    : settled;

/** A volume is released when it is not bound to a claim. */
export const decideVolume = (volume: PersistentVolume): Decision =>
  isDeleted(volume) && volume.status?.phase !== "Bound"
    ? withoutFinalizer(persistentVolumes, volume, volumeFinalizer)
    : settled;

const claimKeysOf = (pod: Pod): readonly Key[] => claimNamesOf(pod).map((name) => key(pod.metadata.namespace, name));

export const claimProtectionController = controller({
  ...{ name: "claimprotection", account: "pvc-protection-controller" },
  reconciles: persistentVolumeClaims,
  watches: [watch(pods, claimKeysOf, { claim: claimKeysOf })],
  writes: [{ kind: persistentVolumeClaims, verbs: ["update"] }],
  observe(views, k) {
    const claim = views.of(persistentVolumeClaims).get(k);
    return claim && { claim, pods: views.of(pods).byIndex("claim", k) };
  },
  decide: decideClaim,
});

export const volumeProtectionController = controller({
  ...{ name: "volumeprotection", account: "pv-protection-controller" },
  reconciles: persistentVolumes,
  writes: [{ kind: persistentVolumes, verbs: ["update"] }],
  observe: (views, k) => views.of(persistentVolumes).get(k),
  decide: decideVolume,
});
