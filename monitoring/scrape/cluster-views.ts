// The objects that state metrics are computed from, reduced to the fields that are read.
import { daemonSets } from "../../api/apps/daemonsets.ts";
import { deployments } from "../../api/apps/deployments.ts";
import { statefulSets } from "../../api/apps/statefulsets.ts";
import { nodes } from "../../api/core/nodes.ts";
import { type Pod, pods } from "../../api/core/pods.ts";
import { services } from "../../api/core/services.ts";
import { endpointSlices } from "../../api/discovery/endpointslices.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import { informer } from "../../machinery/informer.ts";
import { bySelector } from "../../machinery/selector-index.ts";
import type { World } from "../../machinery/world.ts";
import type { Service } from "../../api/generated/types.ts";

/** What a service selects by, if it selects. */
export const selectorOf = ({ spec: { selector } }: Service) => selector && { matchLabels: selector };

const reducedMeta = ({ namespace, name, uid, labels, ownerReferences, resourceVersion }: ApiObject["metadata"]) =>
  ({ namespace, name, uid, labels, ownerReferences, resourceVersion }) as ApiObject["metadata"];

const reducedPod = ({ apiVersion, kind, metadata, spec, status }: Pod): Pod =>
  ({
    ...{ apiVersion, kind, metadata: reducedMeta(metadata) },
    spec: {
      nodeName: spec.nodeName,
      containers: spec.containers.map(({ name, image, resources }) => ({ name, image, resources })),
    },
    status: status && {
      phase: status.phase,
      podIP: status.podIP,
      reason: status.reason,
      conditions: status.conditions?.filter(({ type }) => type === "Ready"),
      containerStatuses: status.containerStatuses?.map(({ name, restartCount, state, lastState, ready }) => ({
        ...{ name, restartCount, state, lastState, ready },
      })),
    },
  }) as Pod;

/** Views of all objects that are measured. */
export function clusterViews(client: Client, world: World) {
  return {
    pods: informer(client, pods, world, { keep: reducedPod }),
    services: informer(client, services, world, { indexes: bySelector<Service>(selectorOf) }),
    slices: informer(client, endpointSlices, world),
    nodes: informer(client, nodes, world),
    deployments: informer(client, deployments, world),
    statefulSets: informer(client, statefulSets, world),
    daemonSets: informer(client, daemonSets, world),
  };
}
export type ClusterViews = ReturnType<typeof clusterViews>;
