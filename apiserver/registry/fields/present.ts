// Fields that are always there, though nobody sets them: in the original they are structs inside structs, and an empty
// one counts as present. Whoever fills such a field owns what is in it, but not the field itself. Facts of the API's
// published types.
const table = `
Container resources|EphemeralContainer resources|ContainerStatus state lastState
CronJobSpec jobTemplate|DaemonSetSpec template updateStrategy|DeploymentSpec template strategy
Endpoint conditions|Event involvedObject source regarding deprecatedSource
FlowSchemaSpec priorityLevelConfiguration|LimitedPriorityLevelConfiguration limitResponse
HorizontalPodAutoscalerSpec scaleTargetRef|ContainerResourceMetricSource target|ContainerResourceMetricStatus current
ExternalMetricSource metric target|ExternalMetricStatus metric current|ResourceMetricSource target
ObjectMetricSource describedObject target metric|ObjectMetricStatus metric current describedObject
PodsMetricSource metric target|PodsMetricStatus metric current|ResourceMetricStatus current
HTTPIngressPath backend|IngressServiceBackend port|IngressStatus loadBalancer|NetworkPolicySpec podSelector
JobSpec template|MutatingWebhook clientConfig|ValidatingWebhook clientConfig
NodeDaemonEndpoints kubeletEndpoint|NodeStatus daemonEndpoints nodeInfo
PersistentVolumeClaimSpec resources|PodSpec containers|PodTemplate template
PreferredSchedulingTerm preference|WeightedPodAffinityTerm podAffinityTerm
ReplicaSetSpec template|StatefulSetSpec template updateStrategy|ServiceStatus loadBalancer
AllocationResult devices|ResourceClaimSpec devices|ResourceSliceSpec pool|VolumeAttachmentSpec source
ClusterRoleBinding roleRef|RoleBinding roleRef
`;
const fields = new Map(
  table
    .trim()
    .split(/[|\n]/)
    .map((line) => line.split(" "))
    .map(([type = "", ...names]): [string, readonly string[]] => [type, names]),
);
/** Wherever there are these, they are structs. */
const everywhere = new Set(["metadata", "spec", "status"]);
const none: readonly string[] = [];

/** The always present fields of a type; its own kind's name is given for a schema without a reference. */
export const presentIn = (type: string): readonly string[] => fields.get(type) ?? none;
/** Whether a field is there although nobody has set it. */
export const isPresent = (type: string, name: string): boolean =>
  everywhere.has(name) || (fields.get(type)?.includes(name) ?? false);
