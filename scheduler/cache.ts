// The scheduler's picture of the cluster: what the views show, and the bindings that they do not show yet. One change
// costs what it changes.
import type { Node, Taint, Pod } from "../api/generated/types.ts";
import { type Key, keyOf } from "../api/meta.ts";
import {
  addPod,
  nodeAccount,
  removePod,
  setNode,
  type NodeAccount,
  type NodeInfo,
  type PodInfo,
  podInfoOf,
} from "./node-info.ts";
import { occupies } from "../api/core/pods.ts";
import type { Snapshot } from "./framework.ts";
import { sameJson } from "../api/hash.ts";
import { type TopologyAccounts, topologyAccounts, type TopologyCounts } from "./topology/counts.ts";

interface NodeList {
  set(name: string, node: Node | undefined): void;
  /** Counts a pod on a node, also on one that is not known (yet, or any more). */
  addPod(nodeName: string, pod: PodInfo): void;
  removePod(nodeName: string, key: Key): void;
  /** One node of each zone in turn; within a zone, by name. */
  ordered(): readonly NodeInfo[];
  readonly byName: ReadonlyMap<string, NodeInfo>;
  /** By image name: how many nodes hold it. */
  readonly imageNodes: ReadonlyMap<string, number>;
  readonly topology: TopologyCounts;
}

const zoneOf = ({ metadata: { labels } }: Node): string =>
  `${labels?.["topology.kubernetes.io/region"] ?? ""}/${labels?.["topology.kubernetes.io/zone"] ?? ""}`;

/** Sorts all nodes, so it runs only when one was added, removed or moved to another zone. */
function interleaved(nodes: Iterable<NodeInfo>): readonly NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>();
  for (const node of nodes) {
    const members = zones.get(zoneOf(node.node));
    if (members) members.push(node);
    else zones.set(zoneOf(node.node), [node]);
  }
  const columns = [...zones].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, members]) => members);
  for (const members of columns) members.sort((a, b) => (a.name < b.name ? -1 : 1));
  const longest = columns.reduce((most, members) => Math.max(most, members.length), 0);
  return Array.from({ length: longest }, (_, i) => columns.flatMap((members) => members[i] ?? [])).flat();
}

/** Equal lists of taints become one list. When a taint was added is no part of it. */
function taintSets(): (taints: readonly Taint[] | undefined) => readonly Taint[] {
  const none: readonly Taint[] = [];
  const known = new Map<string, readonly Taint[]>();
  return (taints) => {
    if (!taints?.length) return none;
    const id = JSON.stringify(taints.map(({ key, value, effect }) => [key, value, effect]));
    const found = known.get(id);
    if (found) return found;
    // Two lists for the same taints cost time, not correctness.
    if (known.size >= 1_000) known.clear();
    known.set(id, taints);
    return taints;
  };
}

/** The smallest number that no node has. */
function slots(): { take(): number; giveBack(slot: number): void } {
  const free: number[] = [];
  let next = 0;
  return { take: () => free.pop() ?? next++, giveBack: (slot) => void free.push(slot) };
}

/** By image name: how many nodes hold it. */
function imageCounts() {
  const nodes = new Map<string, number>();
  return {
    nodes,
    count({ images }: NodeAccount, by: 1 | -1): void {
      for (const image of images.keys()) {
        const count = (nodes.get(image) ?? 0) + by;
        if (count > 0) nodes.set(image, count);
        else nodes.delete(image);
      }
    },
  };
}

/** Changes the node object; counts by topology follow when its labels or taints are others. */
function updateNode(account: NodeAccount, node: Node, taints: readonly Taint[], topology: TopologyAccounts): void {
  const apply = (): void => setNode(account, node, taints);
  if (account.taints === taints && sameJson(account.labels, node.metadata.labels ?? {})) apply();
  else topology.nodeChanged(account, apply);
}

/** No nodes yet. */
function nodeList(): NodeList {
  const accounts = new Map<string, NodeAccount>();
  const occupants = new Map<string, Map<Key, PodInfo>>();
  const images = imageCounts();
  const numbers = slots();
  const topology = topologyAccounts();
  const intern = taintSets();
  let order: readonly NodeInfo[] | undefined;

  const put = (account: NodeAccount, pod: PodInfo): void => {
    take(account, pod.key);
    addPod(account, pod);
    topology.podAdded(account, pod);
  };
  const take = (account: NodeAccount, key: Key): void => {
    const pod = account.pods.get(key);
    if (!pod) return;
    removePod(account, key);
    topology.podRemoved(account, pod);
  };
  const insert = (name: string, node: Node): NodeAccount => {
    const account = nodeAccount(node, numbers.take(), intern(node.spec.taints));
    accounts.set(name, account);
    topology.nodeAdded(account);
    for (const pod of occupants.get(name)?.values() ?? []) put(account, pod);
    order = undefined;
    return account;
  };
  const remove = (account: NodeAccount): void => {
    for (const key of [...account.pods.keys()]) take(account, key);
    topology.nodeRemoved(account);
    numbers.giveBack(account.slot);
    accounts.delete(account.name);
    order = undefined;
  };
  return {
    set(name, node) {
      const account = accounts.get(name);
      if (account) images.count(account, -1);
      if (node === undefined) {
        if (account) remove(account);
      } else if (account) {
        if (zoneOf(account.node) !== zoneOf(node)) order = undefined;
        updateNode(account, node, intern(node.spec.taints), topology);
        images.count(account, 1);
      } else images.count(insert(name, node), 1);
    },
    addPod(nodeName, pod) {
      const pods = occupants.get(nodeName);
      if (pods) pods.set(pod.key, pod);
      else occupants.set(nodeName, new Map([[pod.key, pod]]));
      const account = accounts.get(nodeName);
      if (account) put(account, pod);
    },
    removePod(nodeName, key) {
      const pods = occupants.get(nodeName);
      if (pods?.delete(key) && pods.size === 0) occupants.delete(nodeName);
      const account = accounts.get(nodeName);
      if (account) take(account, key);
    },
    ordered: () => (order ??= interleaved(accounts.values())),
    byName: accounts,
    imageNodes: images.nodes,
    topology,
  };
}

export interface SchedulerCache {
  /** Updates the cache from the pod view; `undefined` when the pod was deleted. */
  podSeen(key: Key, pod: Pod | undefined): void;
  nodeSeen(name: string, node: Node | undefined): void;
  /** Counts the pod on the node before the view shows it there: otherwise the next pod would be given the same room. */
  assume(pod: Pod, nodeName: string): void;
  /** The binding failed. */
  forget(key: Key): void;
  /** Whether this pod is, not another one of its name. */
  isAssumed(pod: Pod): boolean;
  snapshot(): Snapshot;
}

interface Nominations {
  readonly byNode: ReadonlyMap<string, readonly PodInfo[]>;
  set(key: Key, pod: Pod | undefined): void;
}
/** Pods that wait for room on a node, by node. */
function nominations(): Nominations {
  const byNode = new Map<string, readonly PodInfo[]>();
  const nodeOf = new Map<Key, string>();
  const remove = (key: Key, nodeName: string): void => {
    const others = (byNode.get(nodeName) ?? []).filter((p) => p.key !== key);
    if (others.length > 0) byNode.set(nodeName, others);
    else byNode.delete(nodeName);
    nodeOf.delete(key);
  };
  return {
    byNode,
    set(key, pod) {
      const before = nodeOf.get(key);
      if (before !== undefined) remove(key, before);
      const now = pod?.status?.nominatedNodeName;
      if (!pod || !now || pod.spec.nodeName !== undefined) return;
      nodeOf.set(key, now);
      byNode.set(now, [...(byNode.get(now) ?? []), podInfoOf(pod)]);
    },
  };
}

const noListers: Snapshot["lister"] = ({ plural }) => {
  throw new Error(`no plugin reads ${plural}`);
};

/** `lister` finds the objects of kinds other than pods and nodes. */
export function schedulerCache(lister: Snapshot["lister"] = noListers): SchedulerCache {
  const nodes = nodeList();
  const seen = new Map<Key, PodInfo>();
  const assumed = new Map<Key, PodInfo>();
  const nominated = nominations();

  const effective = (key: Key): PodInfo | undefined => seen.get(key) ?? assumed.get(key);
  const change = (key: Key, edit: () => void): void => {
    const before = effective(key);
    edit();
    const after = effective(key);
    const [from, to] = [before?.pod.spec.nodeName, after?.pod.spec.nodeName];
    if (from !== undefined && from !== to) nodes.removePod(from, key);
    if (to !== undefined) nodes.addPod(to, after!);
  };
  return {
    podSeen(key, pod) {
      nominated.set(key, pod);
      change(key, () => {
        if (pod && occupies(pod)) seen.set(key, podInfoOf(pod));
        else seen.delete(key);
        // Bound or deleted in the view: the view is current. Unbound: the view is stale.
        if (pod === undefined || pod.spec.nodeName !== undefined) assumed.delete(key);
      });
    },
    nodeSeen: nodes.set,
    assume: (pod, nodeName) => {
      const key = keyOf(pod);
      change(key, () => assumed.set(key, podInfoOf({ ...pod, spec: { ...pod.spec, nodeName } })));
    },
    forget: (key) => change(key, () => assumed.delete(key)),
    isAssumed(pod) {
      const info = assumed.get(keyOf(pod));
      return info !== undefined && info.pod.metadata.uid === pod.metadata.uid;
    },
    snapshot: () => ({
      nodes: nodes.ordered(),
      byName: nodes.byName,
      imageNodes: nodes.imageNodes,
      topology: nodes.topology,
      nominated: nominated.byNode,
      lister,
    }),
  };
}
