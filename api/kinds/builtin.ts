// The table of kinds. Routes, storage keys, discovery, OpenAPI, columns and short names all derive from it:
// to add a kind, write its file and add one line here.
import type { ResourceDefinition } from "../kinds.ts";
import { apiServices } from "./apiservices.ts";
import { bindings } from "./bindings.ts";
import { certificateSigningRequests } from "./certificatesigningrequests.ts";
import { clusterRoleBindings } from "./clusterrolebindings.ts";
import { clusterRoles } from "./clusterroles.ts";
import { componentStatuses } from "./componentstatuses.ts";
import { configMaps } from "./configmaps.ts";
import { controllerRevisions } from "./controllerrevisions.ts";
import { cronJobs } from "./cronjobs.ts";
import { csiDrivers } from "./csidrivers.ts";
import { csiNodes } from "./csinodes.ts";
import { csiStorageCapacities } from "./csistoragecapacities.ts";
import { customResourceDefinitions } from "./customresourcedefinitions.ts";
import { daemonSets } from "./daemonsets.ts";
import { deployments } from "./deployments.ts";
import { deviceClasses } from "./deviceclasses.ts";
import { endpoints } from "./endpoints.ts";
import { endpointSlices } from "./endpointslices.ts";
import { events } from "./events.ts";
import { eventsV1 } from "./events-v1.ts";
import { flowSchemas } from "./flowschemas.ts";
import { horizontalPodAutoscalers } from "./horizontalpodautoscalers.ts";
import { horizontalPodAutoscalersV1 } from "./horizontalpodautoscalers-v1.ts";
import { ingressClasses } from "./ingressclasses.ts";
import { ingresses } from "./ingresses.ts";
import { ipAddresses } from "./ipaddresses.ts";
import { jobs } from "./jobs.ts";
import { leases } from "./leases.ts";
import { limitRanges } from "./limitranges.ts";
import { localSubjectAccessReviews } from "./localsubjectaccessreviews.ts";
import { nodeMetrics, podMetrics } from "./metrics.ts";
import { mutatingAdmissionPolicies } from "./mutatingadmissionpolicies.ts";
import { mutatingAdmissionPolicyBindings } from "./mutatingadmissionpolicybindings.ts";
import { mutatingWebhookConfigurations } from "./mutatingwebhookconfigurations.ts";
import { namespaces } from "./namespaces.ts";
import { networkPolicies } from "./networkpolicies.ts";
import { nodes } from "./nodes.ts";
import { persistentVolumeClaims } from "./persistentvolumeclaims.ts";
import { persistentVolumes } from "./persistentvolumes.ts";
import { podDisruptionBudgets } from "./poddisruptionbudgets.ts";
import { pods } from "./pods.ts";
import { podTemplates } from "./podtemplates.ts";
import { priorityClasses } from "./priorityclasses.ts";
import { priorityLevelConfigurations } from "./prioritylevelconfigurations.ts";
import { replicaSets } from "./replicasets.ts";
import { replicationControllers } from "./replicationcontrollers.ts";
import { resourceClaims } from "./resourceclaims.ts";
import { resourceClaimTemplates } from "./resourceclaimtemplates.ts";
import { resourceQuotas } from "./resourcequotas.ts";
import { resourceSlices } from "./resourceslices.ts";
import { roleBindings } from "./rolebindings.ts";
import { roles } from "./roles.ts";
import { runtimeClasses } from "./runtimeclasses.ts";
import { secrets } from "./secrets.ts";
import { selfSubjectAccessReviews } from "./selfsubjectaccessreviews.ts";
import { selfSubjectReviews } from "./selfsubjectreviews.ts";
import { selfSubjectRulesReviews } from "./selfsubjectrulesreviews.ts";
import { serviceAccounts } from "./serviceaccounts.ts";
import { serviceCidrs } from "./servicecidrs.ts";
import { services } from "./services.ts";
import { statefulSets } from "./statefulsets.ts";
import { storageClasses } from "./storageclasses.ts";
import { subjectAccessReviews } from "./subjectaccessreviews.ts";
import { tokenReviews } from "./tokenreviews.ts";
import { validatingAdmissionPolicies } from "./validatingadmissionpolicies.ts";
import { validatingAdmissionPolicyBindings } from "./validatingadmissionpolicybindings.ts";
import { validatingWebhookConfigurations } from "./validatingwebhookconfigurations.ts";
import { volumeAttachments } from "./volumeattachments.ts";
import { volumeAttributesClasses } from "./volumeattributesclasses.ts";

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
];
