// The table of built-in kinds, which routes, storage keys, discovery, OpenAPI, columns and short names derive from.
import type { ResourceDefinition } from "../kinds.ts";
import { mutatingAdmissionPolicies, validatingAdmissionPolicies } from "../admissionregistration/admissionpolicies.ts";
import {
  mutatingAdmissionPolicyBindings,
  validatingAdmissionPolicyBindings,
} from "../admissionregistration/admissionpolicybindings.ts";
import {
  mutatingWebhookConfigurations,
  validatingWebhookConfigurations,
} from "../admissionregistration/webhookconfigurations.ts";
import { apiServices } from "../apiregistration/apiservices.ts";
import {
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
} from "../authorization/accessreviews.ts";
import { bindings } from "../core/bindings.ts";
import { certificateSigningRequests } from "../certificates/certificatesigningrequests.ts";
import { componentStatuses } from "../core/componentstatuses.ts";
import { configMaps } from "../core/configmaps.ts";
import { controllerRevisions } from "../apps/controllerrevisions.ts";
import { cronJobs } from "../batch/cronjobs.ts";
import { customResourceDefinitions } from "../apiextensions/customresourcedefinitions.ts";
import { daemonSets } from "../apps/daemonsets.ts";
import { deployments } from "../apps/deployments.ts";
import { deviceClasses } from "../resource/deviceclasses.ts";
import { endpoints } from "../core/endpoints.ts";
import { endpointSlices } from "../discovery/endpointslices.ts";
import { events } from "../core/events.ts";
import { eventsV1 } from "../events/events.ts";
import { flowSchemas, priorityLevelConfigurations } from "../flowcontrol/flowschemas.ts";
import { horizontalPodAutoscalers } from "../autoscaling/horizontalpodautoscalers.ts";
import { horizontalPodAutoscalersV1 } from "../autoscaling/horizontalpodautoscalers-v1.ts";
import { ingressClasses, ingresses } from "../networking/ingresses.ts";
import { ipAddresses, serviceCidrs } from "../networking/servicecidrs.ts";
import { jobs } from "../batch/jobs.ts";
import { leases } from "../coordination/leases.ts";
import { limitRanges } from "../core/limitranges.ts";
import { nodeMetrics, podMetrics } from "../metrics/metrics.ts";
import { namespaces } from "../core/namespaces.ts";
import { networkPolicies } from "../networking/networkpolicies.ts";
import { nodes } from "../core/nodes.ts";
import { persistentVolumeClaims } from "../core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../core/persistentvolumes.ts";
import { podDisruptionBudgets } from "../policy/poddisruptionbudgets.ts";
import { pods } from "../core/pods.ts";
import { podTemplates } from "../core/podtemplates.ts";
import { podGroups } from "../scheduling/podgroups.ts";
import { priorityClasses } from "../scheduling/priorityclasses.ts";
import { workloads } from "../scheduling/workloads.ts";
import { replicaSets } from "../apps/replicasets.ts";
import { replicationControllers } from "../core/replicationcontrollers.ts";
import { resourceClaims, resourceClaimTemplates } from "../resource/resourceclaims.ts";
import { resourceQuotas } from "../core/resourcequotas.ts";
import { resourceSlices } from "../resource/resourceslices.ts";
import { clusterRoleBindings, roleBindings } from "../rbac/rolebindings.ts";
import { clusterRoles, roles } from "../rbac/roles.ts";
import { runtimeClasses } from "../node/runtimeclasses.ts";
import { secrets } from "../core/secrets.ts";
import { selfSubjectReviews } from "../authentication/selfsubjectreviews.ts";
import { serviceAccounts } from "../core/serviceaccounts.ts";
import { services } from "../core/services.ts";
import { statefulSets } from "../apps/statefulsets.ts";
import { csiDrivers, csiNodes, csiStorageCapacities, volumeAttachments } from "../storage/csi.ts";
import { storageClasses, volumeAttributesClasses } from "../storage/storageclasses.ts";
import { tokenReviews } from "../authentication/tokenreviews.ts";
import { volumeSnapshotClasses, volumeSnapshotContents, volumeSnapshots } from "../snapshot/volumesnapshots.ts";

export const builtinKinds: readonly ResourceDefinition[] = [
  apiServices,
  bindings,
  certificateSigningRequests,
  clusterRoleBindings,
  clusterRoles,
  componentStatuses,
  configMaps,
  controllerRevisions,
  cronJobs,
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  customResourceDefinitions,
  daemonSets,
  deployments,
  deviceClasses,
  endpoints,
  endpointSlices,
  events,
  eventsV1,
  flowSchemas,
  horizontalPodAutoscalers,
  horizontalPodAutoscalersV1,
  ingressClasses,
  ingresses,
  ipAddresses,
  jobs,
  leases,
  limitRanges,
  localSubjectAccessReviews,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  mutatingWebhookConfigurations,
  namespaces,
  networkPolicies,
  nodeMetrics,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  podGroups,
  podMetrics,
  pods,
  podTemplates,
  priorityClasses,
  priorityLevelConfigurations,
  replicaSets,
  replicationControllers,
  resourceClaims,
  resourceClaimTemplates,
  resourceQuotas,
  resourceSlices,
  roleBindings,
  roles,
  runtimeClasses,
  secrets,
  selfSubjectAccessReviews,
  selfSubjectReviews,
  selfSubjectRulesReviews,
  serviceAccounts,
  serviceCidrs,
  services,
  statefulSets,
  storageClasses,
  subjectAccessReviews,
  tokenReviews,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  validatingWebhookConfigurations,
  volumeAttachments,
  volumeAttributesClasses,
  volumeSnapshotClasses,
  volumeSnapshotContents,
  volumeSnapshots,
  workloads,
];
