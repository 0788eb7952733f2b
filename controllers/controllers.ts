// All controllers of the cluster. To add one, write its folder and add one line here; to remove one, delete both.
import { builtinKinds } from "../api/builtin/kinds.ts";
import type { Client } from "../machinery/client.ts";
import type { ComponentMetrics } from "../machinery/component-metrics.ts";
import type { Controller, Reconciler } from "../machinery/controller.ts";
import type { DecisionLog } from "../machinery/decisions.ts";
import { type KindRegistry, kindRegistry } from "../machinery/kind-registry.ts";
import { type Runtime, runController, runReconciler } from "../machinery/reconcile.ts";
import { sharedViews, type SharedViews } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import { autoscaler, type AutoscalerOptions } from "./autoscaler/controller.ts";
import { tokenCleaner } from "./bootstraptokens/cleaner.ts";
import { clusterInfoController } from "./bootstraptokens/cluster-info.ts";
import { certificateApprover } from "./certificates/approver.ts";
import { certificateCleaner } from "./certificates/cleaner.ts";
import { certificateSigner, type SigningAuthority } from "./certificates/signer.ts";
import { clusterRoleAggregationController } from "./clusterroleaggregation/controller.ts";
import { cronJobController } from "./cronjob/controller.ts";
import { daemonSetController } from "./daemonset/controller.ts";
import { descheduler, type DeschedulerOptions } from "./descheduler/controller.ts";
import { deploymentController } from "./deployment/controller.ts";
import { deviceTaintController } from "./devicetaints/controller.ts";
import { disruptionController } from "./disruption/controller.ts";
import { endpointSliceController } from "./endpointslice/controller.ts";
import { endpointSliceMirroringController } from "./endpointslice/mirroring.ts";
import { flowSchemaController } from "./flowschema/controller.ts";
import { garbageCollector } from "./garbage/controller.ts";
import { namespaceController } from "./namespace/controller.ts";
import { jobController, orphanedPodController } from "./job/controller.ts";
import { rootCaController, serviceAccountController } from "./namespaceobjects/controller.ts";
import { nodeIpamController } from "./nodeipam/controller.ts";
import { nodeLifecycleController } from "./nodelifecycle/controller.ts";
import { podGcController } from "./podgc/controller.ts";
import { podGroupProtectionController } from "./podgroupprotection/controller.ts";
import { replicaSetController, replicationController } from "./replicaset/controller.ts";
import { claimUsageController, podClaimController } from "./resourceclaim/controller.ts";
import { resourceQuotaController } from "./resourcequota/controller.ts";
import { serviceAddressController } from "./serviceaddresses/controller.ts";
import { snapshotContentController, snapshotController } from "./snapshots/controller.ts";
import { serviceAccountTokenController } from "./serviceaccounttokens/controller.ts";
import { statefulSetController } from "./statefulset/controller.ts";
import { claimProtectionController, volumeProtectionController } from "./storageprotection/controller.ts";
import { attachDetachController } from "./volumes/attach-detach.ts";
import { ephemeralVolumeController } from "./volumes/ephemeral.ts";
import { claimBinder, volumeBinder } from "./volumes/controller.ts";
import { ttlAfterFinishedController } from "./ttlafterfinished/controller.ts";

/** What controllers need to know of the cluster. */
export interface ControllerOptions {
  readonly clusterCidr: string;
  /** The certificate of the authority that signs the API server's, as PEM. */
  readonly rootCa: string;
  /** Issues certificates; without it, approved requests wait for a signer from outside. */
  readonly signing?: SigningAuthority;
  /** Where machines that join reach the API server; without it, kube-public/cluster-info is not kept. */
  readonly joinServer?: string;
  /** Signs the claims of service account tokens; without it, secrets are not filled with them. */
  readonly signToken?: (claims: object) => string;
  /** The names in the API server's certificate, which no node gets one for. */
  readonly apiServerNames?: readonly string[];
  /** A node whose lease is not renewed for this long is unreachable. Kubernetes: 50 s. */
  readonly nodeGraceMs: number;
  readonly autoscaler: AutoscalerOptions;
  /** Pods are moved only with these. */
  readonly descheduler?: DeschedulerOptions;
  /** Keys of one controller worked on at the same time. */
  readonly workers?: number;
  /** The kinds that are served; the built-in ones unless given. */
  readonly kinds?: KindRegistry;
  readonly metrics?: ComponentMetrics;
  readonly decisions?: DecisionLog;
}

/** The pure controllers. */
export const controllers = (options: ControllerOptions): readonly Controller[] => [
  certificateCleaner,
  tokenCleaner,
  ...(options.joinServer ? [clusterInfoController({ server: options.joinServer, rootCa: options.rootCa })] : []),
  ...(options.signing ? [certificateSigner(options.signing)] : []),
  deploymentController,
  replicaSetController,
  replicationController,
  jobController(),
  orphanedPodController(),
  cronJobController(),
  ttlAfterFinishedController,
  statefulSetController,
  daemonSetController(),
  endpointSliceController,
  endpointSliceMirroringController,
  nodeLifecycleController(options.nodeGraceMs),
  nodeIpamController(options.clusterCidr),
  podGcController(),
  disruptionController,
  flowSchemaController,
  clusterRoleAggregationController,
  rootCaController(options.rootCa),
  serviceAccountController,
  serviceAddressController,
  claimProtectionController,
  volumeProtectionController,
  podGroupProtectionController,
  claimBinder,
  volumeBinder,
  ephemeralVolumeController,
  attachDetachController(),
  podClaimController,
  claimUsageController(),
  deviceTaintController,
  snapshotController,
  snapshotContentController,
];

/** Controllers whose effects are requests to the API server. */
const requesting = (
  client: Client,
  { apiServerNames = [], rootCa, signToken: sign }: ControllerOptions,
): readonly Controller[] => [
  certificateApprover(client.asController("certificate-controller"), apiServerNames),
  ...(sign ? [serviceAccountTokenController(client.asController("tokens-controller"), { rootCa, sign })] : []),
];

/** The controllers that are no pure decision. */
const reconcilers = (
  { client, world }: Runtime,
  views: SharedViews,
  kinds: KindRegistry,
  options: ControllerOptions,
): readonly Reconciler[] => [
  autoscaler(client.asController("horizontal-pod-autoscaler"), world, kinds, options.autoscaler),
  garbageCollector(kinds, views, client.asController("generic-garbage-collector")),
  namespaceController(kinds, client.asController("namespace-controller"), world),
  resourceQuotaController(kinds, client.asController("resourcequota-controller")),
  ...(options.descheduler ? [descheduler(client.asController("descheduler"), world, options.descheduler)] : []),
];

/**
 * Runs every controller until the signal aborts. The views belong to the identity of `client`, writes and further reads
 * of a controller to its own.
 */
export async function runControllers(
  client: Client,
  world: World,
  options: ControllerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { workers = 4, kinds = kindRegistry(builtinKinds), metrics, decisions } = options;
  const views = sharedViews(client, world);
  const runtime = { client, world, views, ...(metrics && { metrics }), ...(decisions && { decisions }) };
  // Views start to fill only afterwards, so that no controller misses the first list.
  const running = [
    ...[...controllers(options), ...requesting(client, options)].map((c) =>
      runController(c, runtime, signal, { workers }),
    ),
    ...reconcilers(runtime, views, kinds, options).map((r) => runReconciler(r, runtime, signal, workers)),
  ];
  await Promise.all([...running, views.run(signal)]);
}
