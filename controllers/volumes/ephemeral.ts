// Claims of generic ephemeral volumes: each belongs to a volume of a pod and is deleted with it. Source: KEP-1698.
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { pods } from "../../api/core/pods.ts";
import { ephemeralClaimName } from "../../api/core/pod/claims.ts";
import type { PersistentVolumeClaim, Pod, Volume } from "../../api/generated/types.ts";
import { controllerOf, key, keyOf, ownedBy } from "../../api/meta.ts";
import { type Action, recordEvent } from "../../machinery/action.ts";
import { controller, type Decision, itself, settled, managedBy, watch } from "../../machinery/controller.ts";

export interface ObservedPod {
  readonly pod: Pod;
  /** Claims with the names of the pod's ephemeral volumes. */
  readonly claims: readonly PersistentVolumeClaim[];
}

const ephemeralVolumes = ({ spec }: Pod): readonly Volume[] => (spec.volumes ?? []).filter((v) => v.ephemeral);

const failed = (pod: Pod, { name }: Volume, reason: string): Action =>
  recordEvent(pod, "Warning", "FailedBinding", `ephemeral volume ${name}: ${reason}`);

function create(pod: Pod, volume: Volume): Action {
  const { metadata = {}, spec } = volume.ephemeral!.volumeClaimTemplate!;
  const { labels, annotations } = metadata;
  const { namespace } = pod.metadata;
  return {
    do: "create",
    resource: persistentVolumeClaims,
    draft: {
      kind: "PersistentVolumeClaim",
      metadata: {
        ...{ name: ephemeralClaimName(pod, volume.name), namespace, ownerReferences: [ownedBy(pod)] },
        ...(labels && { labels }),
        ...(annotations && { annotations }),
      },
      spec,
    },
    refused: (message) => [failed(pod, volume, `create PVC ${ephemeralClaimName(pod, volume.name)}: ${message}`)],
  };
}

/** Creates the claims that are missing. A claim that does not belong to the pod is not used. */
export function decideEphemeral({ pod, claims }: ObservedPod): Decision {
  if (pod.metadata.deletionTimestamp !== undefined) return settled;
  const problems: string[] = [];
  const actions = ephemeralVolumes(pod).flatMap((volume): readonly Action[] => {
    const claim = claims.find(({ metadata }) => metadata.name === ephemeralClaimName(pod, volume.name));
    if (claim === undefined) return [create(pod, volume)];
    if (controllerOf(claim)?.uid === pod.metadata.uid) return [];
    const problem = `PVC ${keyOf(claim)} was not created for pod ${keyOf(pod)} (pod is not owner)`;
    problems.push(problem);
    return [failed(pod, volume, problem)];
  });
  return { actions, ...(problems.length > 0 && { failure: problems.join("; ") }) };
}

export const ephemeralVolumeController = controller({
  name: "ephemeral-volume",
  reconciles: pods,
  // Most pods have no ephemeral volume.
  keysOf: (pod, { type }) => (type !== "deleted" && ephemeralVolumes(pod).length > 0 ? itself(pod) : []),
  watches: [watch(persistentVolumeClaims, managedBy("Pod"))],
  writes: [{ kind: persistentVolumeClaims, verbs: ["create"] }],
  observe(views, k) {
    const pod = views.of(pods).get(k);
    if (pod === undefined) return undefined;
    const claimOf = ({ name }: Volume) =>
      views.of(persistentVolumeClaims).get(key(pod.metadata.namespace, ephemeralClaimName(pod, name)));
    return { pod, claims: ephemeralVolumes(pod).flatMap((volume) => claimOf(volume) ?? []) };
  },
  decide: decideEphemeral,
});
