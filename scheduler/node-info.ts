// A node with what runs on it, summed up, and a pod with what scheduling needs of it, computed once.
import { claimNamesOf } from "../api/core/pod/claims.ts";
import { type HostPort, hostPortsOf } from "../api/core/pod/host-ports.ts";
import { amountsOf, effectiveRequests, type Requests } from "../api/core/pod/status.ts";
import type { Node, Pod, Taint } from "../api/generated/types.ts";
import { sameJson } from "../api/hash.ts";
import { keyOf, type Key } from "../api/meta.ts";
import { type AffinityTerm, affinityTermsOf } from "./pod-terms.ts";

/** CPU in thousandths of a core and memory in bytes, as scores compare them. */
interface Load {
  readonly cpu: number;
  readonly memory: number;
}

/** A pod and what is derived from its spec. */
export interface PodInfo {
  readonly pod: Pod;
  readonly key: Key;
  readonly priority: number;
  readonly requests: Requests;
  /** The same for scores, where a container that requests nothing still counts. */
  readonly nonZeroRequests: Load;
  readonly hostPorts: readonly HostPort[];
  /** The names of the claims it uses. */
  readonly claimNames: readonly string[];
  /** Its affinity to other pods. */
  readonly terms: readonly AffinityTerm[];
}

/** A node and its pods. Only the cache changes it, and never during a decision. */
export interface NodeInfo {
  readonly node: Node;
  readonly name: string;
  /** A small number of its own while the cluster has the node: tables of nodes are arrays. */
  readonly slot: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Cordoned. */
  readonly unschedulable: boolean;
  readonly pods: ReadonlyMap<Key, PodInfo>;
  /** Those of its pods that use ports of the node. */
  readonly podsWithHostPorts: ReadonlyMap<Key, PodInfo>;
  /** Those of its pods that use claims. */
  readonly podsWithClaims: ReadonlyMap<Key, PodInfo>;
  readonly requested: Requests;
  readonly nonZeroRequested: Load;
  readonly allocatable: Requests;
  /** The same list for all nodes with the same taints, so that results can be cached by identity. */
  readonly taints: readonly Taint[];
  /** Bytes by image name. */
  readonly images: ReadonlyMap<string, number>;
}

/** What a container that requests nothing is taken to use. Source: kube-scheduler's resource scoring. */
const assumedRequests: Requests = { cpu: 100, memory: 200 * 1024 * 1024 };

/** Everything the scheduler derives from a pod. */
export function podInfoOf(pod: Pod): PodInfo {
  const { cpu = 0, memory = 0 } = effectiveRequests(pod, assumedRequests);
  return {
    pod,
    key: keyOf(pod),
    priority: pod.spec.priority ?? 0,
    requests: effectiveRequests(pod),
    nonZeroRequests: { cpu, memory },
    hostPorts: hostPortsOf(pod),
    claimNames: claimNamesOf(pod),
    terms: affinityTermsOf(pod),
  };
}

type Counted = "pods" | "podsWithHostPorts" | "podsWithClaims" | "requested" | "nonZeroRequested";
type Writable<T> = { -readonly [K in keyof T]: T[K] };
/** The writable side of a {@link NodeInfo}. */
export interface NodeAccount extends Writable<Omit<NodeInfo, Counted>> {
  readonly pods: Map<Key, PodInfo>;
  readonly podsWithHostPorts: Map<Key, PodInfo>;
  readonly podsWithClaims: Map<Key, PodInfo>;
  readonly requested: Record<string, number>;
  readonly nonZeroRequested: Writable<Load>;
}

function sum(account: NodeAccount, info: PodInfo, sign: 1 | -1): void {
  const { requested, nonZeroRequested } = account;
  for (const name in info.requests) requested[name] = (requested[name] ?? 0) + sign * info.requests[name]!;
  nonZeroRequested.cpu += sign * info.nonZeroRequests.cpu;
  nonZeroRequested.memory += sign * info.nonZeroRequests.memory;
}
export function removePod(account: NodeAccount, key: Key): void {
  const info = account.pods.get(key);
  if (!info) return;
  account.pods.delete(key);
  account.podsWithHostPorts.delete(key);
  account.podsWithClaims.delete(key);
  sum(account, info, -1);
}
/** Adds a pod, or replaces it. */
export function addPod(account: NodeAccount, info: PodInfo): void {
  removePod(account, info.key);
  account.pods.set(info.key, info);
  if (info.hostPorts.length > 0) account.podsWithHostPorts.set(info.key, info);
  if (info.claimNames.length > 0) account.podsWithClaims.set(info.key, info);
  sum(account, info, 1);
}

const imagesOf = (node: Node): ReadonlyMap<string, number> =>
  new Map((node.status?.images ?? []).flatMap((i) => (i.names ?? []).map((name) => [name, i.sizeBytes ?? 0])));

/** Updates the node object; its pods are kept. */
export function setNode(account: NodeAccount, node: Node, taints: readonly Taint[] = node.spec.taints ?? []): void {
  if (!sameJson(account.node.status?.images, node.status?.images)) account.images = imagesOf(node);
  account.node = node;
  account.labels = node.metadata.labels ?? {};
  account.unschedulable = node.spec.unschedulable === true;
  account.allocatable = amountsOf(node.status?.allocatable);
  account.taints = taints;
}

/** A node without pods. */
export function nodeAccount(node: Node, slot: number, taints?: readonly Taint[]): NodeAccount {
  const account: NodeAccount = {
    node,
    name: node.metadata.name,
    slot,
    labels: {},
    unschedulable: false,
    pods: new Map(),
    podsWithHostPorts: new Map(),
    podsWithClaims: new Map(),
    requested: {},
    nonZeroRequested: { cpu: 0, memory: 0 },
    allocatable: {},
    taints: [],
    images: imagesOf(node),
  };
  setNode(account, node, taints);
  return account;
}

/** The node as it would be without the first pods and with the others. The node itself stays as it is. */
export function hypothetical(node: NodeInfo, without: Iterable<PodInfo>, more: Iterable<PodInfo> = []): NodeAccount {
  const copy: NodeAccount = {
    ...node,
    pods: new Map(node.pods),
    podsWithHostPorts: new Map(node.podsWithHostPorts),
    podsWithClaims: new Map(node.podsWithClaims),
    requested: { ...node.requested },
    nonZeroRequested: { ...node.nonZeroRequested },
  };
  for (const { key } of without) removePod(copy, key);
  for (const pod of more) addPod(copy, pod);
  return copy;
}
