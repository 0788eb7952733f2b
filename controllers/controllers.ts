// All controllers of the cluster, side by side. To add one, write its folder and add one line here.
import { builtinKinds } from "../api/builtin/kinds.ts";
import type { ApiObject } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import { runController, runReconciler } from "../machinery/controller.ts";
import type { Informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import { autoscaler, type AutoscalerOptions } from "./autoscaler/controller.ts";
import { deploymentController } from "./deployment/controller.ts";
import { disruptionController } from "./disruption/controller.ts";
import { endpointSliceController } from "./endpointslice/controller.ts";
import { flowSchemaController } from "./flowschema/controller.ts";
import { endpointSliceMirroringController } from "./endpointslicemirroring/controller.ts";
import { garbageCollector } from "./garbage/controller.ts";
import { namespaceController } from "./namespace/controller.ts";
import { nodeIpamController } from "./nodeipam/controller.ts";
import { nodeLifecycleController } from "./nodelifecycle/controller.ts";
import { podGcController } from "./podgc/controller.ts";
import { replicaSetController, replicationController } from "./replicaset/controller.ts";
import { rootCaController } from "./rootca/controller.ts";
import { serviceAccountController } from "./serviceaccount/controller.ts";
import { claimProtectionController, volumeProtectionController } from "./storageprotection/controller.ts";
import { controllerViews, type ControllerViews } from "./views.ts";

export interface ControllerOptions {
  readonly clusterCidr: string;
  /** The certificate by which the API server is known, as PEM. */
  readonly rootCa: string;
  /** A node whose lease is not renewed for this long is unreachable. Kubernetes: 50 s. */
  readonly nodeGraceMs: number;
  readonly autoscaler: AutoscalerOptions;
  /** Keys of one controller worked on at the same time. */
  readonly workers?: number;
}

const run = (
  views: ControllerViews,
  client: Client,
  world: World,
  options: ControllerOptions,
  signal: AbortSignal,
): readonly Promise<void>[] => {
  const { workers = 4 } = options;
  const informers = Object.values(views) as unknown as readonly Informer<ApiObject>[];
  return [
    runController(deploymentController(views), client, world, signal, { workers }),
    runController(replicaSetController(views), client, world, signal, { workers }),
    runController(replicationController(views), client, world, signal),
    runController(endpointSliceController(views), client, world, signal, { workers }),
    runController(endpointSliceMirroringController(views), client, world, signal),
    runController(
      nodeLifecycleController(views, world.clock, { graceMs: options.nodeGraceMs }),
      client,
      world,
      signal,
      { workers },
    ),
    runController(nodeIpamController(views.nodes, options.clusterCidr), client, world, signal),
    runController(podGcController(views), client, world, signal),
    runController(disruptionController(views), client, world, signal),
    runController(flowSchemaController(views.flowSchemas, views.priorityLevelConfigurations), client, world, signal),
    runController(rootCaController(views.namespaces, views.configMaps, options.rootCa), client, world, signal),
    runController(serviceAccountController(views.namespaces, views.serviceAccounts), client, world, signal),
    runController(claimProtectionController(views), client, world, signal),
    runController(volumeProtectionController(views), client, world, signal),
    runReconciler(autoscaler(views, client, world, options.autoscaler), world, signal, workers),
    runReconciler(garbageCollector(informers, client), world, signal, workers),
    runReconciler(namespaceController(views.namespaces, builtinKinds, client, world), world, signal, workers),
  ];
};

/** Run every controller until the signal aborts. */
export async function runControllers(
  client: Client,
  world: World,
  options: ControllerOptions,
  signal: AbortSignal,
): Promise<void> {
  const views = controllerViews(client, world);
  const running = run(views, client, world, options, signal);
  // Views start filling only now, so that no controller misses the first list.
  await Promise.all([...running, ...Object.values(views).map((v) => v.run(signal))]);
}
