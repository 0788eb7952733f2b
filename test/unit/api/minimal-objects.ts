// A minimal valid object of each kind, for tests over the whole table.
import { apiVersionOf, qualified, type ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject, Draft } from "../../../api/meta.ts";

const podSpec = { containers: [{ name: "main", image: "app:1" }] };
const template = { metadata: { labels: { app: "a" } }, spec: podSpec };
const ending = { spec: { ...podSpec, restartPolicy: "Never" } };
const certificateRequest = btoa("-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n");
const everyPod = {
  resourceRules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
};
/** The required fields beside the name. */
const least: Readonly<Record<string, object>> = {
  Pod: { spec: podSpec },
  ReplicaSet: { spec: { selector: { matchLabels: { app: "a" } }, template } },
  Deployment: { spec: { selector: { matchLabels: { app: "a" } }, template } },
  Service: { spec: { ports: [{ port: 80 }] } },
  EndpointSlice: { addressType: "IPv4", endpoints: [] },
  HorizontalPodAutoscaler: { spec: { maxReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "web" } } },
  ControllerRevision: { revision: 1 },
  Event: { involvedObject: { namespace: "default" } },
  "events.events.k8s.io": {
    eventTime: "2026-01-01T00:00:00.000000Z",
    reportingController: "a.com/b",
    reportingInstance: "b",
    action: "Do",
    reason: "Done",
    type: "Normal",
    regarding: { namespace: "default" },
  },
  ReplicationController: { spec: { template } },
  StatefulSet: { spec: { selector: { matchLabels: { app: "a" } }, template } },
  DaemonSet: { spec: { selector: { matchLabels: { app: "a" } }, template } },
  Job: { spec: { template: ending } },
  CronJob: { spec: { schedule: "*/5 * * * *", jobTemplate: { spec: { template: ending } } } },
  PodTemplate: { template },
  PodGroup: { spec: { schedulingPolicy: { basic: {} } } },
  Workload: { spec: { podGroupTemplates: [{ name: "all", schedulingPolicy: { basic: {} } }] } },
  PersistentVolumeClaim: {
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  },
  PersistentVolume: {
    spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/data" } },
  },
  LimitRange: { spec: { limits: [{ type: "Container", max: { cpu: "2" }, default: { cpu: "1" } }] } },
  Ingress: { spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } } },
  IngressClass: { spec: { controller: "example.com/ingress" } },
  IPAddress: { metadata: { name: "10.0.0.1" }, spec: { parentRef: { resource: "services", name: "a" } } },
  ServiceCIDR: { spec: { cidrs: ["10.0.0.0/16"] } },
  StorageClass: { provisioner: "example.com/disks" },
  VolumeAttributesClass: { driverName: "example.com/disks", parameters: { speed: "high" } },
  VolumeAttachment: { spec: { attacher: "disks", nodeName: "a", source: { persistentVolumeName: "a" } } },
  CSIStorageCapacity: { storageClassName: "a" },
  VolumeSnapshot: { spec: { source: { persistentVolumeClaimName: "a" } } },
  VolumeSnapshotContent: {
    spec: {
      ...{ deletionPolicy: "Delete", driver: "example.com/disks", source: { volumeHandle: "a" } },
      volumeSnapshotRef: { name: "a", namespace: "b" },
    },
  },
  VolumeSnapshotClass: { driver: "example.com/disks", deletionPolicy: "Retain" },
  RuntimeClass: { handler: "runc" },
  RoleBinding: { roleRef: { kind: "Role", name: "a" } },
  ClusterRoleBinding: { roleRef: { kind: "ClusterRole", name: "a" } },
  CertificateSigningRequest: {
    spec: { request: certificateRequest, signerName: "example.com/a", usages: ["client auth"] },
  },
  APIService: {
    metadata: { name: "v1.a.com" },
    spec: { group: "a.com", version: "v1", groupPriorityMinimum: 1, versionPriority: 1 },
  },
  PriorityLevelConfiguration: { spec: { type: "Limited", limited: { limitResponse: { type: "Reject" } } } },
  FlowSchema: { spec: { priorityLevelConfiguration: { name: "a" } } },
  CustomResourceDefinition: {
    metadata: { name: "toys.example.com" },
    spec: {
      group: "example.com",
      names: { plural: "toys", kind: "Toy" },
      scope: "Cluster",
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
    },
  },
  ValidatingAdmissionPolicy: { spec: { matchConstraints: everyPod, validations: [{ expression: "true" }] } },
  ValidatingAdmissionPolicyBinding: { spec: { policyName: "a", validationActions: ["Deny"] } },
  MutatingAdmissionPolicy: {
    spec: {
      matchConstraints: everyPod,
      mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: "[]" } }],
      reinvocationPolicy: "Never",
    },
  },
  MutatingAdmissionPolicyBinding: { spec: { policyName: "a" } },
  ResourceSlice: { spec: { driver: "a", nodeName: "a", pool: { name: "a", generation: 1, resourceSliceCount: 1 } } },
};
/** A minimal valid draft of a kind. */
export const draftOf = (r: ResourceDefinition): Draft<ApiObject> =>
  ({
    apiVersion: apiVersionOf(r),
    kind: r.kind,
    metadata: { name: "a", ...(r.scope === "Namespaced" ? { namespace: "default" } : {}) },
    ...(least[qualified(r)] ?? least[r.kind]),
  }) as Draft<ApiObject>;
