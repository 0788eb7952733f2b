// Facts the published schemas of pods and the types inside them lack.
import {
  count,
  type Facts,
  label,
  labelKey,
  needed,
  neededLabel,
  neededSubdomain,
  numericId,
  open,
  otherwise,
  type Overlay,
  port,
  present,
  subdomain,
  unchecked,
  values,
} from "../../overlay.ts";

const mode: Facts = { bounds: [0, 0o777, "must be a number between 0 and 0777 (octal), both inclusive"] };
const publicMode: Facts = { default: 0o644, ...mode };
const weight: Facts = { bounds: [1, 100, "must be in the range 1-100"] };
const generation: Facts = { bounds: [0, null, "must be a non-negative integer"] };
const duration = "may not specify a duration";
const byte: Facts = { bounds: [0, 255] };
const aboveZero: Facts = { bounds: [1, null, "must be greater than zero"] };
const profile = (field: string): Facts => ({ nonEmpty: `type is required when ${field} is set` });

const handlers = {
  members: ["exec", "httpGet", "tcpSocket", "grpc", "sleep"],
  none: "must specify a handler type",
  more: "may not specify more than 1 handler type",
};
const container: Overlay[string] = {
  name: neededLabel,
  image: needed,
  terminationMessagePath: otherwise("/dev/termination-log"),
  terminationMessagePolicy: { ...otherwise("File"), enum: ["File", "FallbackToLogsOnError"] },
  resources: present,
  ports: { unique: ["name"] },
  restartPolicy: values("Always", "Never", "OnFailure"),
};
const iscsi: Overlay[string] = { iscsiInterface: { default: "default" }, lun: byte };
const rbd: Overlay[string] = {
  keyring: { default: "/etc/ceph/keyring" },
  pool: { default: "rbd" },
  user: { default: "admin" },
};
const scaleIo: Overlay[string] = { fsType: { default: "xfs" }, storageMode: { default: "ThinProvisioned" } };
const dataKey: Overlay[string] = { key: { ...needed, format: "data-key" }, name: subdomain };

export const podOverlay: Overlay = {
  PodSpec: {
    activeDeadlineSeconds: { bounds: [1, 2 ** 31 - 1] },
    containers: needed,
    dnsPolicy: { ...otherwise("ClusterFirst"), enum: ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"] },
    hostname: label,
    hostnameOverride: { ...subdomain, maxLength: 64 },
    nodeName: subdomain,
    nodeSelector: { format: "labels" },
    preemptionPolicy: values("PreemptLowerPriority", "Never"),
    priorityClassName: subdomain,
    resourceClaims: { unique: ["name"] },
    restartPolicy: { ...otherwise("Always"), enum: ["Always", "OnFailure", "Never"] },
    runtimeClassName: subdomain,
    schedulerName: otherwise("default-scheduler"),
    schedulingGates: { unique: "name" },
    securityContext: present,
    serviceAccountName: subdomain,
    subdomain: label,
    terminationGracePeriodSeconds: { default: 30 },
    // Validated with the mounts, which see only volumes that nothing is wrong with.
    volumes: unchecked,
  },
  Container: container,
  EphemeralContainer: container,
  ContainerPort: {
    containerPort: { ...needed, ...port },
    hostPort: { ...port, omitZero: true },
    name: { format: "port-name" },
    protocol: otherwise("TCP"),
  },
  ContainerRestartRule: {
    action: values("Restart", "RestartAllContainers"),
    exitCodes: { nonEmpty: "must be specified" },
  },
  ContainerRestartRuleOnExitCodes: { operator: values("In", "NotIn") },
  LinuxContainerUser: { uid: numericId, gid: numericId, supplementalGroups: { items: numericId } },
  ContainerStatus: { stopSignal: open },
  Probe: {
    "": { union: handlers },
    failureThreshold: { ...otherwise(3), ...count },
    initialDelaySeconds: count,
    periodSeconds: { ...otherwise(10), ...count },
    successThreshold: { ...otherwise(1), ...count },
    terminationGracePeriodSeconds: { bounds: [1, null, "must be greater than 0"] },
    timeoutSeconds: { ...otherwise(1), ...count },
  },
  Lifecycle: { stopSignal: open },
  LifecycleHandler: { "": { union: handlers } },
  ExecAction: { command: needed },
  HTTPGetAction: {
    httpHeaders: { itemsAtList: true },
    path: otherwise("/"),
    port: { format: "port" },
    scheme: otherwise("HTTP"),
  },
  TCPSocketAction: { port: { format: "port" } },
  GRPCAction: { port, service: { default: "" } },
  EnvVar: { name: { ...needed, format: "variable-name" } },
  ObjectFieldSelector: { apiVersion: { default: "v1" } },
  ConfigMapKeySelector: dataKey,
  SecretKeySelector: dataKey,
  FileKeySelector: {
    key: { ...needed, format: "variable-name" },
    path: { ...needed, format: "path-without-backsteps" },
    volumeName: neededLabel,
  },
  EnvFromSource: { prefix: { format: "variable-name" } },
  ConfigMapEnvSource: { name: neededSubdomain },
  SecretEnvSource: { name: neededSubdomain },
  VolumeMount: {
    mountPropagation: open,
    recursiveReadOnly: { ...values("Disabled", "Enabled", "IfPossible"), ...open },
  },
  SecurityContext: { runAsGroup: numericId, runAsUser: numericId },
  PodSecurityContext: {
    fsGroup: numericId,
    runAsGroup: numericId,
    runAsUser: numericId,
    seLinuxChangePolicy: values("MountOption", "Recursive"),
    supplementalGroups: { items: numericId },
  },
  SeccompProfile: { type: profile("seccompProfile") },
  AppArmorProfile: { type: profile("appArmorProfile") },
  Toleration: {
    effect: { ...values("NoSchedule", "PreferNoSchedule", "NoExecute"), omitZero: true },
    key: { ...labelKey, omitZero: true },
    operator: open,
  },
  NodeSelector: { nodeSelectorTerms: { nonEmpty: "must have at least one node selector term" } },
  NodeSelectorRequirement: { operator: open },
  PreferredSchedulingTerm: { weight },
  WeightedPodAffinityTerm: { weight },
  PodAffinityTerm: { topologyKey: { nonEmpty: "can not be empty", ...labelKey } },
  TopologySpreadConstraint: {
    maxSkew: aboveZero,
    minDomains: aboveZero,
    topologyKey: { nonEmpty: "can not be empty" },
  },
  PodReadinessGate: { conditionType: labelKey },
  PodResourceClaim: { name: neededLabel, resourceClaimName: subdomain, resourceClaimTemplateName: subdomain },
  HostAlias: { hostnames: { items: subdomain }, ip: { format: "ip" } },
  PodDNSConfig: { nameservers: { items: { format: "ip" } } },
  PodCondition: { observedGeneration: generation },
  PodStatus: {
    phase: open,
    conditions: {},
    nominatedNodeName: { ...subdomain, ratcheting: true },
    observedGeneration: generation,
    qosClass: { ...open, immutable: true },
  },
  Volume: {
    "": { union: { none: "must specify a volume type", more: "may not specify more than 1 volume type" } },
    name: neededLabel,
  },
  SecretVolumeSource: { defaultMode: publicMode, secretName: needed },
  ConfigMapVolumeSource: { defaultMode: publicMode, name: needed },
  DownwardAPIVolumeSource: { defaultMode: publicMode, items: unchecked },
  ProjectedVolumeSource: { defaultMode: publicMode, sources: { keepEmpty: true } },
  ConfigMapProjection: { name: needed },
  SecretProjection: { name: needed },
  KeyToPath: { key: needed, mode, path: { ...needed, format: "projected-path" } },
  DownwardAPIProjection: { items: unchecked },
  ServiceAccountTokenProjection: {
    expirationSeconds: {
      default: 3600,
      bounds: [600, 2 ** 32, `${duration} less than 10 minutes`, `${duration} larger than 2^32 seconds`],
    },
  },
  ClusterTrustBundleProjection: { path: { ...needed, format: "projected-path" } },
  PodCertificateProjection: {
    certificateChainPath: { format: "projected-path" },
    credentialBundlePath: { format: "projected-path" },
    keyPath: { format: "projected-path" },
    keyType: values("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"),
    maxExpirationSeconds: { bounds: [3600, null, "if provided, maxExpirationSeconds must be >= 3600"] },
  },
  GitRepoVolumeSource: { directory: { format: "relative-path" }, repository: needed },
  HostPathVolumeSource: { path: { ...needed, format: "path-without-backsteps" }, type: { default: "" } },
  PersistentVolumeClaimVolumeSource: { claimName: needed },
  EphemeralVolumeSource: { volumeClaimTemplate: needed },
  AWSElasticBlockStoreVolumeSource: { partition: byte },
  GCEPersistentDiskVolumeSource: { partition: byte },
  FCVolumeSource: { lun: byte },
  ISCSIVolumeSource: iscsi,
  ISCSIPersistentVolumeSource: iscsi,
  RBDVolumeSource: rbd,
  RBDPersistentVolumeSource: rbd,
  AzureDiskVolumeSource: {
    cachingMode: { default: "ReadWrite" },
    fsType: { default: "ext4" },
    kind: { default: "Shared" },
    readOnly: { default: false },
  },
  ScaleIOVolumeSource: scaleIo,
  ScaleIOPersistentVolumeSource: scaleIo,
};
