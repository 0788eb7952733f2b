// Lists the overlays of the API groups, with the package their types are published in.
import { admissionregistrationOverlay } from "../../api/admissionregistration/overlay.ts";
import { apiextensionsOverlay } from "../../api/apiextensions/overlay.ts";
import { apiregistrationOverlay } from "../../api/apiregistration/overlay.ts";
import { appsOverlay } from "../../api/apps/overlay.ts";
import { authenticationOverlay } from "../../api/authentication/overlay.ts";
import { autoscalingV1Overlay, autoscalingV2Overlay } from "../../api/autoscaling/overlay.ts";
import { batchOverlay } from "../../api/batch/overlay.ts";
import { certificatesOverlay } from "../../api/certificates/overlay.ts";
import { coordinationOverlay } from "../../api/coordination/overlay.ts";
import { coreOverlay } from "../../api/core/overlay.ts";
import { podOverlay } from "../../api/core/pod/overlay.ts";
import { discoveryOverlay } from "../../api/discovery/overlay.ts";
import { flowcontrolOverlay } from "../../api/flowcontrol/overlay.ts";
import { metaOverlay } from "../../api/meta-overlay.ts";
import { networkingOverlay } from "../../api/networking/overlay.ts";
import { nodeOverlay } from "../../api/node/overlay.ts";
import type { Overlay } from "../../api/overlay.ts";
import { policyOverlay } from "../../api/policy/overlay.ts";
import { rbacOverlay } from "../../api/rbac/overlay.ts";
import { resourceOverlay } from "../../api/resource/overlay.ts";
import { podGroupOverlay, schedulingOverlay } from "../../api/scheduling/overlay.ts";
import { storageOverlay } from "../../api/storage/overlay.ts";

export const overlays: readonly (readonly [published: string, overlay: Overlay])[] = [
  ["io.k8s.api.admissionregistration.v1", admissionregistrationOverlay],
  ["io.k8s.api.apps.v1", appsOverlay],
  ["io.k8s.api.authentication.v1", authenticationOverlay],
  ["io.k8s.api.autoscaling.v1", autoscalingV1Overlay],
  ["io.k8s.api.autoscaling.v2", autoscalingV2Overlay],
  ["io.k8s.api.batch.v1", batchOverlay],
  ["io.k8s.api.certificates.v1", certificatesOverlay],
  ["io.k8s.api.coordination.v1", coordinationOverlay],
  ["io.k8s.api.core.v1", { ...coreOverlay, ...podOverlay }],
  ["io.k8s.api.discovery.v1", discoveryOverlay],
  ["io.k8s.api.flowcontrol.v1", flowcontrolOverlay],
  ["io.k8s.api.networking.v1", networkingOverlay],
  ["io.k8s.api.node.v1", nodeOverlay],
  ["io.k8s.api.policy.v1", policyOverlay],
  ["io.k8s.api.rbac.v1", rbacOverlay],
  ["io.k8s.api.resource.v1", resourceOverlay],
  ["io.k8s.api.scheduling.v1", schedulingOverlay],
  ["io.k8s.api.scheduling.v1alpha2", podGroupOverlay],
  ["io.k8s.api.storage.v1", storageOverlay],
  ["io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1", apiextensionsOverlay],
  ["io.k8s.apimachinery.pkg.apis.meta.v1", metaOverlay],
  ["io.k8s.kube-aggregator.pkg.apis.apiregistration.v1", apiregistrationOverlay],
];
