// A node's labels, capacity, addresses and conditions. Pure.
import type { ContainerImage, Node, NodeCondition, NodeStatus } from "../../api/generated/types.ts";
import { initContainerResize } from "../../api/core/pod/node-features.ts";
import { type Draft, type Instant, timestamp } from "../../api/meta.ts";
import { cpuQuantity, memoryQuantity } from "../../api/quantity.ts";
import { isExtended } from "../../api/resource-names.ts";
import type { ImageInfo } from "../runtime.ts";

/** The version of Kubernetes that this kubelet implements. */
const kubeletVersion = "v1.36.0+orrery";

/** The node's capacity. It is configured, because several nodes may share one machine. */
export interface Capacity {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly pods: number;
}
/** The settings of a node. */
export interface NodeSettings {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly kubeletPort: number;
  readonly podCidr: string | undefined;
  readonly capacity: Capacity;
  readonly labels: Readonly<Record<string, string>>;
}
/** The machine's identity, which does not change. */
export interface MachineFacts {
  readonly machineId: string;
  readonly bootId: string;
  readonly osImage: string;
  readonly architecture: string;
  readonly kernel: string;
}
/** Properties that do not change while the kubelet runs. */
export type NodeIdentity = NodeSettings & MachineFacts;
/** Properties that change. */
export interface NodeHealth {
  /** Undefined while the engine is down. */
  readonly runtimeVersion: string | undefined;
  /** Undefined while the engine is down. */
  readonly recursiveReadOnlyMounts: boolean | undefined;
  /** Why the engine is down. */
  readonly runtimeError: string | undefined;
  readonly images: readonly ImageInfo[];
  readonly memoryAvailableBytes: number;
  readonly diskAvailableBytes: number;
  readonly diskCapacityBytes: number;
  readonly pidsAvailable: number;
  /** Attached volumes that are mounted. */
  readonly volumesInUse: readonly string[];
}

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const goArchitecture = (id: NodeIdentity): string => architectures[id.architecture] ?? id.architecture;

/** The well-known labels of every node, and the configured ones. */
export function nodeLabels(id: NodeIdentity): Readonly<Record<string, string>> {
  const arch = goArchitecture(id);
  return {
    "beta.kubernetes.io/arch": arch,
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": arch,
    "kubernetes.io/hostname": id.nodeName,
    "kubernetes.io/os": "linux",
    ...id.labels,
  };
}

export function capacityOf(
  { capacity }: NodeIdentity,
  health: Pick<NodeHealth, "diskCapacityBytes">,
): Readonly<Record<string, string>> {
  return {
    cpu: cpuQuantity(capacity.cpuMillis),
    memory: memoryQuantity(capacity.memoryBytes),
    pods: String(capacity.pods),
    "ephemeral-storage": memoryQuantity(health.diskCapacityBytes),
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
  };
}

export const nodeDraft = (id: NodeIdentity, status: NodeStatus): Draft<Node> => ({
  kind: "Node",
  metadata: {
    name: id.nodeName,
    labels: nodeLabels(id),
    annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
  },
  spec: id.podCidr === undefined ? {} : { podCIDR: id.podCidr, podCIDRs: [id.podCidr] },
  status,
});

/** Thresholds of the pressure conditions. */
const leastMemoryBytes = 100 * 1024 * 1024;
const leastDiskShare = 0.02;
const leastPids = 100;

type ConditionValue = readonly [status: "True" | "False", reason: string, message: string];
function pressure(type: string, h: NodeHealth): ConditionValue {
  switch (type) {
    case "MemoryPressure":
      return h.memoryAvailableBytes < leastMemoryBytes
        ? ["True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"]
        : ["False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"];
    case "DiskPressure":
      return h.diskAvailableBytes < h.diskCapacityBytes * leastDiskShare
        ? ["True", "KubeletHasDiskPressure", "kubelet has disk pressure"]
        : ["False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"];
    case "PIDPressure":
      return h.pidsAvailable < leastPids
        ? ["True", "KubeletHasInsufficientPID", "kubelet has insufficient PID available"]
        : ["False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"];
    default:
      return h.runtimeVersion === undefined
        ? ["False", "KubeletNotReady", `container runtime is down: ${h.runtimeError ?? "no answer"}`]
        : ["True", "KubeletReady", "kubelet is posting ready status"];
  }
}

function conditions(h: NodeHealth, before: readonly NodeCondition[], now: Instant): readonly NodeCondition[] {
  const ownTypes = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"];
  const current = ownTypes.map((type): NodeCondition => {
    const [status, reason, message] = pressure(type, h);
    const old = before.find((c) => c.type === type);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timestamp(now);
    return { type, status, lastHeartbeatTime: timestamp(now), lastTransitionTime, reason, message };
  });
  return [...before.filter((c) => !ownTypes.includes(c.type)), ...current];
}

/** The number of images in the status is limited, as by Kubernetes' `nodeStatusMaxImages`. */
const mostImages = 50;
const imagesOf = (h: NodeHealth): readonly ContainerImage[] =>
  h.images
    .filter((i) => i.names.length > 0)
    .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, mostImages)
    .map((i) => ({ names: i.names.slice(0, 5), sizeBytes: i.sizeBytes }));

/** What administrators advertise, and no kubelet measures. Source: "Advertise Extended Resources for a Node". */
const advertised = (capacity: NodeStatus["capacity"] = {}): NonNullable<NodeStatus["capacity"]> =>
  Object.fromEntries(Object.entries(capacity).filter(([name]) => isExtended(name)));

/** `before` is the API's status, whose other conditions, transition times and extended resources are kept. */
export function nodeStatus(id: NodeIdentity, h: NodeHealth, before: NodeStatus | undefined, now: Instant): NodeStatus {
  const capacity = { ...capacityOf(id, h), ...advertised(before?.capacity) };
  return {
    ...before,
    capacity,
    allocatable: capacity,
    addresses: [
      { type: "InternalIP", address: id.nodeIp },
      { type: "Hostname", address: id.nodeName },
    ],
    conditions: conditions(h, before?.conditions ?? [], now),
    volumesInUse: h.volumesInUse.length > 0 ? h.volumesInUse : undefined,
    daemonEndpoints: { kubeletEndpoint: { Port: id.kubeletPort } },
    images: h.runtimeVersion === undefined ? (before?.images ?? []) : imagesOf(h),
    runtimeHandlers:
      h.recursiveReadOnlyMounts === undefined
        ? before?.runtimeHandlers
        : [{ name: "", features: { recursiveReadOnlyMounts: h.recursiveReadOnlyMounts, userNamespaces: false } }],
    declaredFeatures: [initContainerResize],
    nodeInfo: {
      architecture: goArchitecture(id),
      bootID: id.bootId,
      containerRuntimeVersion: h.runtimeVersion
        ? `docker://${h.runtimeVersion}`
        : (before?.nodeInfo?.containerRuntimeVersion ?? ""),
      kernelVersion: id.kernel,
      kubeProxyVersion: "",
      kubeletVersion,
      machineID: id.machineId,
      operatingSystem: "linux",
      osImage: id.osImage,
      systemUUID: id.machineId,
    },
  };
}

/** Whether two statuses are equal except for heartbeat times. */
export function equalExceptHeartbeat(a: NodeStatus | undefined, b: NodeStatus): boolean {
  const comparable = (s: NodeStatus | undefined): string =>
    JSON.stringify({ ...s, conditions: (s?.conditions ?? []).map((c) => ({ ...c, lastHeartbeatTime: undefined })) });
  return comparable(a) === comparable(b);
}
