// Enumerations and defaults of API fields, which the client's models leave out. Source: the API reference. Fields are
// named `Type.field`, without the type's package.
import { words } from "./words.ts";

const counted = (from: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${from}${i + 1}`);
const signals = [
  ...words(`
    SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT SIGKILL SIGPIPE SIGPOLL
    SIGPROF SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1
    SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIGRTMAX SIGRTMIN
  `),
  ...counted("SIGRTMAX-", 14),
  ...counted("SIGRTMIN+", 15),
].toSorted();

/** Enumerations, and the fields that have each of them. */
const enumerations: readonly (readonly [values: string, fields: string])[] = [
  ["Localhost|RuntimeDefault|Unconfined", "AppArmorProfile.type SeccompProfile.type"],
  ["None|ReadOnly|ReadWrite", "AzureDiskVolumeSource.cachingMode"],
  ["Dedicated|Managed|Shared", "AzureDiskVolumeSource.kind"],
  [
    "any|cert sign|client auth|code signing|content commitment|crl sign|data encipherment|decipher only|" +
      "digital signature|email protection|encipher only|ipsec end system|ipsec tunnel|ipsec user|key agreement|" +
      "key encipherment|microsoft sgc|netscape sgc|ocsp signing|s/mime|server auth|signing|timestamping",
    "CertificateSigningRequestSpec.usages",
  ],
  [
    "Always|IfNotPresent|Never",
    "Container.imagePullPolicy EphemeralContainer.imagePullPolicy ImageVolumeSource.pullPolicy",
  ],
  ["FallbackToLogsOnError|File", "Container.terminationMessagePolicy EphemeralContainer.terminationMessagePolicy"],
  [
    "SCTP|TCP|UDP",
    `
      ContainerPort.protocol EndpointPort.protocol IngressPortStatus.protocol NetworkPolicyPort.protocol
      PortStatus.protocol ServicePort.protocol
    `,
  ],
  ["Allow|Forbid|Replace", "CronJobSpec.concurrencyPolicy"],
  ["OnDelete|RollingUpdate", "DaemonSetUpdateStrategy.type StatefulSetUpdateStrategy.type"],
  ["Recreate|RollingUpdate", "DeploymentStrategy.type"],
  ["FromClaim|FromClass", "DeviceAllocationConfiguration.source"],
  ["All|ExactCount", "DeviceSubRequest.allocationMode ExactDeviceRequest.allocationMode"],
  ["NoExecute|NoSchedule|None", "DeviceTaint.effect DeviceToleration.effect"],
  ["Equal|Exists", "DeviceToleration.operator"],
  ["FQDN|IPv4|IPv6", "EndpointSlice.addressType"],
  ["HTTP|HTTPS", "HTTPGetAction.scheme"],
  ["Exact|ImplementationSpecific|Prefix", "HTTPIngressPath.pathType"],
  ["|BlockDevice|CharDevice|Directory|DirectoryOrCreate|File|FileOrCreate|Socket", "HostPathVolumeSource.type"],
  ["Indexed|NonIndexed", "JobSpec.completionMode"],
  ["Failed|TerminatingOrFailed", "JobSpec.podReplacementPolicy"],
  ["Equivalent|Exact", "MatchResources.matchPolicy MutatingWebhook.matchPolicy ValidatingWebhook.matchPolicy"],
  ["ContainerResource|External|Object|Pods|Resource", "MetricSpec.type MetricStatus.type"],
  ["InProgress|Infeasible|Pending", "ModifyVolumeStatus.status"],
  [
    "Fail|Ignore",
    `
      MutatingAdmissionPolicySpec.failurePolicy MutatingWebhook.failurePolicy
      ValidatingAdmissionPolicySpec.failurePolicy ValidatingWebhook.failurePolicy
    `,
  ],
  ["IfNeeded|Never", "MutatingAdmissionPolicySpec.reinvocationPolicy MutatingWebhook.reinvocationPolicy"],
  ["None|NoneOnDryRun|Some|Unknown", "MutatingWebhook.sideEffects ValidatingWebhook.sideEffects"],
  ["ApplyConfiguration|JSONPatch", "Mutation.patchType"],
  ["Active|Terminating", "NamespaceStatus.phase"],
  ["Egress|Ingress", "NetworkPolicySpec.policyTypes"],
  ["DoesNotExist|Exists|Gt|In|Lt|NotIn", "NodeSelectorRequirement.operator"],
  ["Pending|Running|Terminated", "NodeStatus.phase"],
  [
    "ReadOnlyMany|ReadWriteMany|ReadWriteOnce|ReadWriteOncePod",
    "PersistentVolumeClaimSpec.accessModes PersistentVolumeClaimStatus.accessModes PersistentVolumeSpec.accessModes",
  ],
  ["Block|Filesystem", "PersistentVolumeClaimSpec.volumeMode PersistentVolumeSpec.volumeMode"],
  ["Bound|Lost|Pending", "PersistentVolumeClaimStatus.phase"],
  ["Delete|Recycle|Retain", "PersistentVolumeSpec.persistentVolumeReclaimPolicy StorageClass.reclaimPolicy"],
  ["Available|Bound|Failed|Pending|Released", "PersistentVolumeStatus.phase"],
  ["AlwaysAllow|IfHealthyBudget", "PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy"],
  ["In|NotIn", "PodFailurePolicyOnExitCodesRequirement.operator"],
  ["Count|FailIndex|FailJob|Ignore", "PodFailurePolicyRule.action"],
  ["Pod|PodGroup", "PodGroupSpec.disruptionMode PodGroupTemplate.disruptionMode"],
  ["Always|OnRootMismatch", "PodSecurityContext.fsGroupChangePolicy"],
  ["Merge|Strict", "PodSecurityContext.supplementalGroupsPolicy"],
  ["ClusterFirst|ClusterFirstWithHostNet|Default|None", "PodSpec.dnsPolicy"],
  ["Never|PreemptLowerPriority", "PodSpec.preemptionPolicy"],
  ["Always|Never|OnFailure", "PodSpec.restartPolicy"],
  ["Failed|Pending|Running|Succeeded|Unknown", "PodStatus.phase"],
  ["BestEffort|Burstable|Guaranteed", "PodStatus.qosClass"],
  [
    "BestEffort|CrossNamespacePodAffinity|NotBestEffort|NotTerminating|PriorityClass|Terminating|" +
      "VolumeAttributesClass",
    "ResourceQuotaSpec.scopes ScopedResourceSelectorRequirement.scopeName",
  ],
  ["*|CONNECT|CREATE|DELETE|UPDATE", "RuleWithOperations.operations"],
  ["DoesNotExist|Exists|In|NotIn", "ScopedResourceSelectorRequirement.operator"],
  ["Default|Unmasked", "SecurityContext.procMount"],
  ["Cluster|Local", "ServiceSpec.externalTrafficPolicy ServiceSpec.internalTrafficPolicy"],
  ["|IPv4|IPv6", "ServiceSpec.ipFamilies"],
  ["PreferDualStack|RequireDualStack|SingleStack", "ServiceSpec.ipFamilyPolicy"],
  ["ClientIP|None", "ServiceSpec.sessionAffinity"],
  ["ClusterIP|ExternalName|LoadBalancer|NodePort", "ServiceSpec.type"],
  ["OrderedReady|Parallel", "StatefulSetSpec.podManagementPolicy"],
  ["Immediate|WaitForFirstConsumer", "StorageClass.volumeBindingMode"],
  ["NoExecute|NoSchedule|PreferNoSchedule", "Taint.effect Toleration.effect"],
  ["Equal|Exists|Gt|Lt", "Toleration.operator"],
  ["Honor|Ignore", "TopologySpreadConstraint.nodeAffinityPolicy TopologySpreadConstraint.nodeTaintsPolicy"],
  ["DoNotSchedule|ScheduleAnyway", "TopologySpreadConstraint.whenUnsatisfiable"],
  ["Audit|Deny|Warn", "ValidatingAdmissionPolicyBindingSpec.validationActions"],
  ["Bidirectional|HostToContainer|None", "VolumeMount.mountPropagation"],
];
const byField = new Map<string, readonly string[]>([
  ...enumerations.flatMap(([values, fields]) => words(fields).map((field) => [field, values.split("|")] as const)),
  ["ContainerStatus.stopSignal", signals],
  ["Lifecycle.stopSignal", signals],
]);

/** The values of an enumerated field. */
export const enumeration = (field: string): readonly string[] | undefined => byField.get(field);

/** Default values, as JSON. */
export const defaultValues: Readonly<Record<string, unknown>> = {
  "AzureDiskVolumeSource.cachingMode": "ReadWrite",
  "AzureDiskVolumeSource.fsType": "ext4",
  "AzureDiskVolumeSource.kind": "Shared",
  "AzureDiskVolumeSource.readOnly": false,
  "ContainerPort.protocol": "TCP",
  "DeviceToleration.operator": "Equal",
  "FileKeySelector.optional": false,
  "GRPCAction.service": "",
  "ISCSIPersistentVolumeSource.iscsiInterface": "default",
  "ISCSIVolumeSource.iscsiInterface": "default",
  "LocalObjectReference.name": "",
  "PodGroupSpec.disruptionMode": "Pod",
  "RBDPersistentVolumeSource.keyring": "/etc/ceph/keyring",
  "RBDPersistentVolumeSource.pool": "rbd",
  "RBDPersistentVolumeSource.user": "admin",
  "RBDVolumeSource.keyring": "/etc/ceph/keyring",
  "RBDVolumeSource.pool": "rbd",
  "RBDVolumeSource.user": "admin",
  "ReplicationControllerSpec.minReadySeconds": 0,
  "ReplicationControllerSpec.replicas": 1,
  "ScaleIOPersistentVolumeSource.fsType": "xfs",
  "ScaleIOPersistentVolumeSource.storageMode": "ThinProvisioned",
  "ScaleIOVolumeSource.fsType": "xfs",
  "ScaleIOVolumeSource.storageMode": "ThinProvisioned",
  "ScaleSpec.replicas": 0,
  "ServicePort.protocol": "TCP",
};
