// What the services and the owner of a pod select: the pods that default constraints spread it among. Source:
// kube-scheduler's PodTopologySpread arguments, `defaultingType`.
import { replicaSets } from "../../api/apps/replicasets.ts";
import { statefulSets } from "../../api/apps/statefulsets.ts";
import { replicationControllers } from "../../api/core/replicationcontrollers.ts";
import { services } from "../../api/core/services.ts";
import type { Pod } from "../../api/generated/types.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { controllerOf, key } from "../../api/meta.ts";
import { type Labels, matches, type Requirement, requirementsOf } from "../../api/selector.ts";
import type { Snapshot } from "../framework.ts";

export const selectorKinds: readonly ResourceDefinition[] = [
  services,
  replicationControllers,
  replicaSets,
  statefulSets,
];

function ofOwner(pod: Pod, lister: Snapshot["lister"]): readonly Requirement[] {
  const owner = controllerOf(pod);
  const at = key(pod.metadata.namespace, owner?.name ?? "");
  switch (owner?.kind) {
    case "ReplicationController":
      return requirementsOf({ matchLabels: lister(replicationControllers).get(at)?.spec.selector ?? {} });
    case "ReplicaSet":
      return requirementsOf(lister(replicaSets).get(at)?.spec.selector ?? {});
    case "StatefulSet":
      return requirementsOf(lister(statefulSets).get(at)?.spec.selector ?? {});
    default:
      return [];
  }
}

/** Empty when nothing selects the pod. */
export function defaultSelector(pod: Pod, lister: Snapshot["lister"]): readonly Requirement[] {
  const { namespace, labels } = pod.metadata;
  let merged: Labels = {};
  for (const { spec } of lister(services).byIndex("namespace", namespace ?? "")) {
    const selector = spec.selector ?? {};
    if (Object.keys(selector).length > 0 && matches(requirementsOf({ matchLabels: selector }), labels))
      merged = { ...merged, ...selector };
  }
  return [...requirementsOf({ matchLabels: merged }), ...ofOwner(pod, lister)];
}
