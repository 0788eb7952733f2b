// Facts about the API that the client's models leave out: which lists are keyed, which maps are one value, which
// strings are quantities. Source: the API reference's `x-kubernetes-*` extensions. Names are `package-less
// type.field`.

/**
 * Lists merged by key. First the keys of server-side apply, then (where they differ) the one of strategic merge
 * patch.
 */
export const keyedLists: Readonly<
  Record<string, { readonly keys: readonly string[]; readonly patchKey?: string; readonly retainKeys?: true }>
> = {
  "PodSpec.containers": { keys: ["name"], patchKey: "name" },
  "PodSpec.initContainers": { keys: ["name"], patchKey: "name" },
  "PodSpec.ephemeralContainers": { keys: ["name"], patchKey: "name" },
  "PodSpec.volumes": { keys: ["name"], patchKey: "name", retainKeys: true },
  "PodSpec.imagePullSecrets": { keys: ["name"], patchKey: "name" },
  "PodSpec.hostAliases": { keys: ["ip"], patchKey: "ip" },
  "PodSpec.topologySpreadConstraints": { keys: ["topologyKey", "whenUnsatisfiable"], patchKey: "topologyKey" },
  "PodSpec.schedulingGates": { keys: ["name"], patchKey: "name" },
  "PodSpec.resourceClaims": { keys: ["name"], patchKey: "name", retainKeys: true },
  "Container.ports": { keys: ["containerPort", "protocol"], patchKey: "containerPort" },
  "Container.env": { keys: ["name"], patchKey: "name" },
  "Container.volumeMounts": { keys: ["mountPath"], patchKey: "mountPath" },
  "Container.volumeDevices": { keys: ["devicePath"], patchKey: "devicePath" },
  "EphemeralContainer.ports": { keys: ["containerPort", "protocol"], patchKey: "containerPort" },
  "EphemeralContainer.env": { keys: ["name"], patchKey: "name" },
  "EphemeralContainer.volumeMounts": { keys: ["mountPath"], patchKey: "mountPath" },
  "EphemeralContainer.volumeDevices": { keys: ["devicePath"], patchKey: "devicePath" },
  "ResourceRequirements.claims": { keys: ["name"] },
  "VolumeResourceRequirements.claims": { keys: ["name"] },
  "PodStatus.conditions": { keys: ["type"], patchKey: "type" },
  "PodStatus.podIPs": { keys: ["ip"], patchKey: "ip" },
  "PodStatus.resourceClaimStatuses": { keys: ["name"], patchKey: "name", retainKeys: true },
  "PodStatus.nodeAllocatableResourceClaimStatuses": { keys: ["resourceClaimName"], patchKey: "resourceClaimName" },
  "ContainerStatus.volumeMounts": { keys: ["mountPath"], patchKey: "mountPath" },
  "ContainerStatus.allocatedResourcesStatus": { keys: ["name"], patchKey: "name" },
  "ResourceStatus.resources": { keys: ["resourceID"] },
  "ComponentStatus.conditions": { keys: ["type"], patchKey: "type" },
  "ServiceSpec.ports": { keys: ["port", "protocol"], patchKey: "port" },
  "ServiceStatus.conditions": { keys: ["type"], patchKey: "type" },
  "ServiceAccount.secrets": { keys: ["name"], patchKey: "name" },
  "NodeStatus.conditions": { keys: ["type"], patchKey: "type" },
  "NodeStatus.addresses": { keys: ["type"], patchKey: "type" },
  "NamespaceStatus.conditions": { keys: ["type"], patchKey: "type" },
  "PersistentVolumeClaimStatus.conditions": { keys: ["type"], patchKey: "type" },
  "ReplicationControllerStatus.conditions": { keys: ["type"], patchKey: "type" },
  "DeploymentStatus.conditions": { keys: ["type"], patchKey: "type" },
  "ReplicaSetStatus.conditions": { keys: ["type"], patchKey: "type" },
  "StatefulSetStatus.conditions": { keys: ["type"], patchKey: "type" },
  "DaemonSetStatus.conditions": { keys: ["type"], patchKey: "type" },
  "PodDisruptionBudgetStatus.conditions": { keys: ["type"], patchKey: "type" },
  "HorizontalPodAutoscalerStatus.conditions": { keys: ["type"], patchKey: "type" },
  "ServiceCIDRStatus.conditions": { keys: ["type"], patchKey: "type" },
  "CSINodeSpec.drivers": { keys: ["name"], patchKey: "name" },
  "CertificateSigningRequestStatus.conditions": { keys: ["type"] },
  "MutatingWebhookConfiguration.webhooks": { keys: ["name"], patchKey: "name" },
  "MutatingWebhook.matchConditions": { keys: ["name"], patchKey: "name" },
  "ValidatingWebhookConfiguration.webhooks": { keys: ["name"], patchKey: "name" },
  "ValidatingWebhook.matchConditions": { keys: ["name"], patchKey: "name" },
  "ValidatingAdmissionPolicySpec.matchConditions": { keys: ["name"], patchKey: "name" },
  "ValidatingAdmissionPolicySpec.variables": { keys: ["name"], patchKey: "name" },
  "ValidatingAdmissionPolicyStatus.conditions": { keys: ["type"] },
  "MutatingAdmissionPolicySpec.matchConditions": { keys: ["name"], patchKey: "name" },
  "FlowSchemaStatus.conditions": { keys: ["type"], patchKey: "type" },
  "PriorityLevelConfigurationStatus.conditions": { keys: ["type"], patchKey: "type" },
  "ResourceClaimStatus.devices": { keys: ["driver", "device", "pool", "shareID"] },
  "ResourceClaimStatus.reservedFor": { keys: ["uid"], patchKey: "uid" },
  "AllocatedDeviceStatus.conditions": { keys: ["type"] },
  "CustomResourceDefinitionStatus.conditions": { keys: ["type"] },
  "JSONSchemaProps.x-kubernetes-validations": { keys: ["rule"], patchKey: "rule" },
  "APIServiceStatus.conditions": { keys: ["type"], patchKey: "type" },
  "ObjectMeta.ownerReferences": { keys: ["uid"], patchKey: "uid" },
};

/** Lists that server-side apply takes as one value, and that a strategic merge patch merges by a key all the same. */
export const patchKeys: Readonly<Record<string, string>> = {
  "JobStatus.conditions": "type",
  "PodStatus.hostIPs": "ip",
};

/** Objects a strategic merge patch replaces as a whole. */
export const replacedObjects: ReadonlySet<string> = new Set(["PodDisruptionBudgetSpec.selector"]);

/** Lists of scalars in which a value occurs once and merging means union. */
export const setLists: ReadonlySet<string> = new Set(["ObjectMeta.finalizers", "NodeSpec.podCIDRs"]);
/** Lists of scalars in which a value occurs once, and that a strategic merge patch replaces. */
export const replacedSets: ReadonlySet<string> = new Set([
  "PodFailurePolicyOnExitCodesRequirement.values",
  "ContainerRestartRuleOnExitCodes.values",
  "UncountedTerminatedPods.failed",
  "UncountedTerminatedPods.succeeded",
  "NodeAllocatableResourceClaimStatus.containers",
  "CSIDriverSpec.volumeLifecycleModes",
  "Endpoint.addresses",
  "NonResourcePolicyRule.nonResourceURLs",
  "NonResourcePolicyRule.verbs",
  "ResourcePolicyRule.apiGroups",
  "ResourcePolicyRule.namespaces",
  "ResourcePolicyRule.resources",
  "ResourcePolicyRule.verbs",
  "ValidatingAdmissionPolicyBindingSpec.validationActions",
]);

/** Types that change as one value: applying one field of them means owning all of them. */
export const atomicTypes: ReadonlySet<string> = new Set([
  "EndpointAddress",
  "EndpointPort",
  "LabelSelector",
  "NodeSelector",
  "NodeSelectorTerm",
  "ObjectReference",
  "OwnerReference",
  "LocalObjectReference",
  "TypedLocalObjectReference",
  "SecretReference",
  "ConfigMapKeySelector",
  "SecretKeySelector",
  "ObjectFieldSelector",
  "ResourceFieldSelector",
  "TopologySelectorTerm",
  "CrossVersionObjectReference",
  "FileKeySelector",
  "ScopeSelector",
  "MatchResources",
  "NamedRuleWithOperations",
  "ParamKind",
  "ParamRef",
  "RoleRef",
  "ServiceBackendPort",
  "Subject",
  "Variable",
]);
/** Types that bear the name of an atomic one, and are not. */
export const granularTypes: ReadonlySet<string> = new Set(["io.k8s.api.autoscaling.v2.CrossVersionObjectReference"]);
export const atomicMaps: ReadonlySet<string> = new Set([
  "ServiceSpec.selector",
  "ReplicationControllerSpec.selector",
  "PodSpec.nodeSelector",
  "Scheduling.nodeSelector",
]);

/** Objects replaced field by field, but whose fields left out of a patch are dropped (a union in all but name). */
export const retainKeysObjects: ReadonlySet<string> = new Set(["DeploymentSpec.strategy"]);

/** Fields written as a quantity: a JSON number is as good as a string. */
export const quantities: ReadonlySet<string> = new Set([
  "ResourceRequirements.limits",
  "ResourceRequirements.requests",
  "VolumeResourceRequirements.limits",
  "VolumeResourceRequirements.requests",
  "NodeStatus.capacity",
  "NodeStatus.allocatable",
  "PodSpec.overhead",
  "ContainerStatus.allocatedResources",
  "PodStatus.allocatedResources",
  "PersistentVolumeSpec.capacity",
  "PersistentVolumeClaimStatus.capacity",
  "PersistentVolumeClaimStatus.allocatedResources",
  "ResourceQuotaSpec.hard",
  "ResourceQuotaStatus.hard",
  "ResourceQuotaStatus.used",
  "LimitRangeItem.default",
  "LimitRangeItem.defaultRequest",
  "LimitRangeItem.max",
  "LimitRangeItem.min",
  "LimitRangeItem.maxLimitRequestRatio",
  "Overhead.podFixed",
  "EmptyDirVolumeSource.sizeLimit",
  "ResourceFieldSelector.divisor",
  "HPAScalingRules.tolerance",
  "MetricTarget.value",
  "MetricTarget.averageValue",
  "MetricValueStatus.value",
  "MetricValueStatus.averageValue",
  "CSIStorageCapacity.capacity",
  "CSIStorageCapacity.maximumVolumeSize",
  "CapacityRequestPolicy.default",
  "CapacityRequestPolicy.validValues",
  "CapacityRequestPolicyRange.max",
  "CapacityRequestPolicyRange.min",
  "CapacityRequestPolicyRange.step",
  "CapacityRequirements.requests",
  "Counter.value",
  "DeviceCapacity.value",
  "DeviceRequestAllocationResult.consumedCapacity",
  "NodeAllocatableResourceMapping.allocationMultiplier",
]);
