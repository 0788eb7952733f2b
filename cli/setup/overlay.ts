// Merge semantics and quantities of API fields, which the client's models leave out. Source: the `x-kubernetes-*`
// extensions of the API reference. Fields are named `Type.field`, without the type's package.
import { words } from "./words.ts";

interface MergeKeys {
  /** The keys of server-side apply; the first is also the key of strategic merge patch. */
  readonly keys: readonly string[];
  /** A strategic merge patch replaces the lists. */
  readonly applyOnly?: true;
  readonly retainKeys?: true;
  readonly lists: string;
}

const mergeKeys: readonly MergeKeys[] = [
  {
    keys: ["name"],
    lists: `
      PodSpec.containers PodSpec.initContainers PodSpec.ephemeralContainers PodSpec.imagePullSecrets
      PodSpec.schedulingGates Container.env EphemeralContainer.env ContainerStatus.allocatedResourcesStatus
      ServiceAccount.secrets CSINodeSpec.drivers MutatingWebhookConfiguration.webhooks
      MutatingWebhook.matchConditions ValidatingWebhookConfiguration.webhooks ValidatingWebhook.matchConditions
      ValidatingAdmissionPolicySpec.matchConditions ValidatingAdmissionPolicySpec.variables
      MutatingAdmissionPolicySpec.matchConditions
    `,
  },
  {
    keys: ["name"],
    retainKeys: true,
    lists: `
      PodSpec.volumes PodSpec.resourceClaims PodStatus.resourceClaimStatuses PodGroupSpec.resourceClaims
      PodGroupTemplate.resourceClaims PodGroupStatus.resourceClaimStatuses
    `,
  },
  { keys: ["ip"], lists: "PodSpec.hostAliases PodStatus.podIPs" },
  { keys: ["topologyKey", "whenUnsatisfiable"], lists: "PodSpec.topologySpreadConstraints" },
  { keys: ["containerPort", "protocol"], lists: "Container.ports EphemeralContainer.ports" },
  {
    keys: ["mountPath"],
    lists: "Container.volumeMounts EphemeralContainer.volumeMounts ContainerStatus.volumeMounts",
  },
  { keys: ["devicePath"], lists: "Container.volumeDevices EphemeralContainer.volumeDevices" },
  {
    keys: ["name"],
    applyOnly: true,
    lists: "ResourceRequirements.claims VolumeResourceRequirements.claims WorkloadSpec.podGroupTemplates",
  },
  {
    keys: ["type"],
    lists: `
      PodStatus.conditions ComponentStatus.conditions ServiceStatus.conditions NodeStatus.conditions
      NodeStatus.addresses NamespaceStatus.conditions PersistentVolumeClaimStatus.conditions
      ReplicationControllerStatus.conditions DeploymentStatus.conditions ReplicaSetStatus.conditions
      StatefulSetStatus.conditions DaemonSetStatus.conditions PodDisruptionBudgetStatus.conditions
      HorizontalPodAutoscalerStatus.conditions ServiceCIDRStatus.conditions FlowSchemaStatus.conditions
      PriorityLevelConfigurationStatus.conditions APIServiceStatus.conditions PodGroupStatus.conditions
    `,
  },
  {
    keys: ["resourceClaimName"],
    lists: "PodStatus.nodeAllocatableResourceClaimStatuses",
  },
  { keys: ["resourceID"], applyOnly: true, lists: "ResourceStatus.resources" },
  { keys: ["port", "protocol"], lists: "ServiceSpec.ports" },
  {
    keys: ["type"],
    applyOnly: true,
    lists: `
      CertificateSigningRequestStatus.conditions ValidatingAdmissionPolicyStatus.conditions
      AllocatedDeviceStatus.conditions CustomResourceDefinitionStatus.conditions
    `,
  },
  { keys: ["driver", "device", "pool", "shareID"], applyOnly: true, lists: "ResourceClaimStatus.devices" },
  { keys: ["uid"], lists: "ResourceClaimStatus.reservedFor ObjectMeta.ownerReferences" },
  { keys: ["rule"], lists: "JSONSchemaProps.x-kubernetes-validations" },
];

/** Lists merged by key, by field. */
export const keyedLists: ReadonlyMap<string, MergeKeys> = new Map(
  mergeKeys.flatMap((row) => words(row.lists).map((field) => [field, row] as const)),
);

/** Lists that are atomic for server-side apply but merged by this key in a strategic merge patch. */
export const patchKeys: Readonly<Record<string, string>> = {
  "JobStatus.conditions": "type",
  "PodStatus.hostIPs": "ip",
};

/** Objects that a strategic merge patch replaces (patch strategy `replace`). */
export const replacedObjects: ReadonlySet<string> = new Set(["PodDisruptionBudgetSpec.selector"]);

/** Sets of scalars; a strategic merge patch adds to them. */
export const setLists: ReadonlySet<string> = new Set(["ObjectMeta.finalizers", "NodeSpec.podCIDRs"]);
/** Sets of scalars that a strategic merge patch replaces. */
export const replacedSets: ReadonlySet<string> = new Set(
  words(`
    PodFailurePolicyOnExitCodesRequirement.values ContainerRestartRuleOnExitCodes.values
    UncountedTerminatedPods.failed UncountedTerminatedPods.succeeded NodeAllocatableResourceClaimStatus.containers
    CSIDriverSpec.volumeLifecycleModes Endpoint.addresses NonResourcePolicyRule.nonResourceURLs
    NonResourcePolicyRule.verbs ResourcePolicyRule.apiGroups ResourcePolicyRule.namespaces
    ResourcePolicyRule.resources ResourcePolicyRule.verbs ValidatingAdmissionPolicyBindingSpec.validationActions
  `),
);

/** Atomic types: a manager that applies one field owns all of them. */
export const atomicTypes: ReadonlySet<string> = new Set(
  words(`
    EndpointAddress EndpointPort LabelSelector NodeSelector NodeSelectorTerm ObjectReference OwnerReference
    LocalObjectReference TypedLocalObjectReference SecretReference ConfigMapKeySelector SecretKeySelector
    ObjectFieldSelector ResourceFieldSelector TopologySelectorTerm CrossVersionObjectReference FileKeySelector
    ScopeSelector MatchResources NamedRuleWithOperations ParamKind ParamRef RoleRef ServiceBackendPort Subject
    Variable
  `),
);
/** Types that share the name of an atomic type but are granular; by published name. */
export const granularTypes: ReadonlySet<string> = new Set([
  "io.k8s.api.autoscaling.v2.CrossVersionObjectReference",
  "io.k8s.api.scheduling.v1alpha2.TypedLocalObjectReference",
]);
/** Maps that are atomic. */
export const atomicMaps: ReadonlySet<string> = new Set(
  words(`
    ServiceSpec.selector ReplicationControllerSpec.selector PodSpec.nodeSelector Scheduling.nodeSelector
  `),
);

/** Objects of a type that has no fields yet, which the client has no model of. */
export const fieldlessObjects: ReadonlySet<string> = new Set(["PodGroupSchedulingPolicy.basic"]);

/** Objects with patch strategy `retainKeys`, which removes the fields that a patch leaves out. */
export const retainKeysObjects: ReadonlySet<string> = new Set(["DeploymentSpec.strategy"]);

/** Quantity fields, given as a string or a JSON number. */
export const quantities: ReadonlySet<string> = new Set(
  words(`
    ResourceRequirements.limits ResourceRequirements.requests VolumeResourceRequirements.limits
    VolumeResourceRequirements.requests NodeStatus.capacity NodeStatus.allocatable PodSpec.overhead
    ContainerStatus.allocatedResources PodStatus.allocatedResources PersistentVolumeSpec.capacity
    PersistentVolumeClaimStatus.capacity PersistentVolumeClaimStatus.allocatedResources ResourceQuotaSpec.hard
    ResourceQuotaStatus.hard ResourceQuotaStatus.used LimitRangeItem.default LimitRangeItem.defaultRequest
    LimitRangeItem.max LimitRangeItem.min LimitRangeItem.maxLimitRequestRatio Overhead.podFixed
    EmptyDirVolumeSource.sizeLimit ResourceFieldSelector.divisor HPAScalingRules.tolerance MetricTarget.value
    MetricTarget.averageValue MetricValueStatus.value MetricValueStatus.averageValue CSIStorageCapacity.capacity
    CSIStorageCapacity.maximumVolumeSize CapacityRequestPolicy.default CapacityRequestPolicy.validValues
    CapacityRequestPolicyRange.max CapacityRequestPolicyRange.min CapacityRequestPolicyRange.step
    CapacityRequirements.requests Counter.value DeviceCapacity.value DeviceRequestAllocationResult.consumedCapacity
    NodeAllocatableResourceMapping.allocationMultiplier
  `),
);
