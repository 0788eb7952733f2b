// The views all controllers share, and the indexes by which they find things without searching.
import type { ResourceDefinition } from "../api/kinds.ts";
import { configMaps } from "../api/core/configmaps.ts";
import { controllerRevisions } from "../api/apps/controllerrevisions.ts";
import { deployments } from "../api/apps/deployments.ts";
import { endpoints } from "../api/core/endpoints.ts";
import { endpointSlices, serviceOf } from "../api/discovery/endpointslices.ts";
import { flowSchemas } from "../api/flowcontrol/flowschemas.ts";
import { horizontalPodAutoscalers } from "../api/autoscaling/horizontalpodautoscalers.ts";
import { leases } from "../api/coordination/leases.ts";
import { namespaces } from "../api/core/namespaces.ts";
import { nodes } from "../api/core/nodes.ts";
import { persistentVolumeClaims } from "../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../api/core/persistentvolumes.ts";
import { podDisruptionBudgets } from "../api/policy/poddisruptionbudgets.ts";
import { pods } from "../api/core/pods.ts";
import { priorityLevelConfigurations } from "../api/flowcontrol/prioritylevelconfigurations.ts";
import { replicaSets } from "../api/apps/replicasets.ts";
import { replicationControllers } from "../api/core/replicationcontrollers.ts";
import { secrets } from "../api/core/secrets.ts";
import { serviceAccounts } from "../api/core/serviceaccounts.ts";
import { services } from "../api/core/services.ts";
import { statefulSets } from "../api/apps/statefulsets.ts";
import { controllerOf, key, type ApiObject } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import { informer, type Informer } from "../machinery/informer.ts";
import type { Indexes } from "../machinery/view.ts";
import type { World } from "../machinery/world.ts";
import { claimsOf } from "./storageprotection/decide.ts";

/**
 * `namespace`; `owner`, the uid of the controller (objects nobody controls are found under the empty string); and
 * `dependent`, the uids of all owners.
 */
const indexes: Indexes<ApiObject> = {
  namespace: (o) => [o.metadata.namespace ?? ""],
  owner: (o) => [controllerOf(o)?.uid ?? ""],
  dependent: (o) => (o.metadata.ownerReferences ?? []).map((r) => r.uid),
};

/** One informer a kind, made once and passed to whoever needs it. */
export function controllerViews(client: Client, world: World) {
  const follow = <T extends ApiObject>(r: ResourceDefinition<T>, more: Indexes<T> = {}): Informer<T> =>
    informer(client, r, world, { indexes: { ...indexes, ...more } });
  return {
    configMaps: follow(configMaps),
    controllerRevisions: follow(controllerRevisions),
    deployments: follow(deployments),
    endpoints: follow(endpoints),
    endpointSlices: follow(endpointSlices, {
      service: (s) => [serviceOf(s)],
    }),
    flowSchemas: follow(flowSchemas),
    horizontalPodAutoscalers: follow(horizontalPodAutoscalers),
    leases: follow(leases),
    namespaces: follow(namespaces),
    nodes: follow(nodes),
    persistentVolumeClaims: follow(persistentVolumeClaims),
    persistentVolumes: follow(persistentVolumes),
    podDisruptionBudgets: follow(podDisruptionBudgets),
    pods: follow(pods, {
      node: (p) => [p.spec.nodeName ?? ""],
      claim: (p) => claimsOf(p).map((name) => key(p.metadata.namespace, name)),
    }),
    priorityLevelConfigurations: follow(priorityLevelConfigurations),
    replicaSets: follow(replicaSets),
    replicationControllers: follow(replicationControllers),
    secrets: follow(secrets),
    serviceAccounts: follow(serviceAccounts),
    services: follow(services),
    statefulSets: follow(statefulSets),
  };
}
export type ControllerViews = ReturnType<typeof controllerViews>;
