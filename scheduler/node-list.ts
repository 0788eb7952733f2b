// The nodes of the cluster with their pods, kept as both come and go. What one change costs does not grow with the
// cluster: order, counts by topology and the numbers of images follow it.
import type { Node, Taint } from "../api/generated/types.ts";
import { sameJson } from "../api/hash.ts";
import type { Key } from "../api/meta.ts";
import { changeLog, type NodeChanges } from "./changes.ts";
import { addPod, nodeAccount, type NodeAccount, type NodeInfo, type PodInfo, removePod, setNode } from "./node-info.ts";
import { type TopologyAccounts, topologyAccounts, type TopologyCounts } from "./topology/counts.ts";

export interface NodeList {
  set(name: string, node: Node | undefined): void;
  /** Counts a pod on a node, also on one that is not known (yet, or any more). */
  addPod(nodeName: string, pod: PodInfo): void;
  removePod(nodeName: string, key: Key): void;
  /** What is expected on a node changed. */
  touch(nodeName: string): void;
  /** One node of each zone in turn; within a zone, by name. */
  ordered(): readonly NodeInfo[];
  readonly byName: ReadonlyMap<string, NodeInfo>;
  readonly bySlot: readonly (NodeInfo | undefined)[];
  slotsByName(): readonly number[];
  readonly changes: NodeChanges;
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

/** Pods by the name of their node, also of one that is not known (yet, or any more). */
function occupancy() {
  const byNode = new Map<string, Map<Key, PodInfo>>();
  return {
    on: (nodeName: string): Iterable<PodInfo> => byNode.get(nodeName)?.values() ?? [],
    add(nodeName: string, pod: PodInfo): void {
      const pods = byNode.get(nodeName);
      if (pods) pods.set(pod.key, pod);
      else byNode.set(nodeName, new Map([[pod.key, pod]]));
    },
    remove(nodeName: string, key: Key): void {
      const pods = byNode.get(nodeName);
      if (pods?.delete(key) && pods.size === 0) byNode.delete(nodeName);
    },
  };
}

/** Orders of the nodes, made when they are needed. */
function orders(accounts: ReadonlyMap<string, NodeInfo>) {
  let byZone: readonly NodeInfo[] | undefined;
  let byName: readonly number[] | undefined;
  return {
    byZone: () => (byZone ??= interleaved(accounts.values())),
    byName: () =>
      (byName ??= [...accounts.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ slot }) => slot)),
    zoneChanged(): void {
      byZone = undefined;
    },
    changed(): void {
      byZone = undefined;
      byName = undefined;
    },
  };
}

/** The accounts of nodes, and all that follows them. */
function nodeAccounts() {
  const byName = new Map<string, NodeAccount>();
  const bySlot: (NodeInfo | undefined)[] = [];
  const topology = topologyAccounts();
  const changes = changeLog();
  const take = (account: NodeAccount, key: Key): void => {
    const pod = account.pods.get(key);
    if (!pod) return;
    removePod(account, key);
    topology.podRemoved(account, pod);
    changes.changed(account.slot);
  };
  return {
    byName,
    bySlot,
    topology,
    changes,
    take,
    /** Counts a pod, or replaces it. */
    put(account: NodeAccount, pod: PodInfo): void {
      take(account, pod.key);
      addPod(account, pod);
      topology.podAdded(account, pod);
      changes.changed(account.slot);
    },
    insert(account: NodeAccount): void {
      byName.set(account.name, account);
      bySlot[account.slot] = account;
      topology.nodeAdded(account);
    },
    remove(account: NodeAccount): void {
      for (const key of [...account.pods.keys()]) take(account, key);
      topology.nodeRemoved(account);
      byName.delete(account.name);
      bySlot[account.slot] = undefined;
      changes.changed(account.slot);
    },
  };
}

/** No nodes yet. */
export function nodeList(): NodeList {
  const accounts = nodeAccounts();
  const { byName, bySlot, changes, topology, put, take } = accounts;
  const occupants = occupancy();
  const images = imageCounts();
  const numbers = slots();
  const intern = taintSets();
  const order = orders(byName);

  const insert = (name: string, node: Node): NodeAccount => {
    const account = nodeAccount(node, numbers.take(), intern(node.spec.taints));
    accounts.insert(account);
    for (const pod of occupants.on(name)) put(account, pod);
    order.changed();
    return account;
  };
  const remove = (account: NodeAccount): void => {
    accounts.remove(account);
    numbers.giveBack(account.slot);
    order.changed();
  };
  return {
    set(name, node) {
      const known = byName.get(name);
      if (known) images.count(known, -1);
      if (node === undefined) return known && remove(known);
      if (known && zoneOf(known.node) !== zoneOf(node)) order.zoneChanged();
      if (known) updateNode(known, node, intern(node.spec.taints), topology);
      const account = known ?? insert(name, node);
      images.count(account, 1);
      changes.changed(account.slot);
    },
    addPod(nodeName, pod) {
      occupants.add(nodeName, pod);
      const account = byName.get(nodeName);
      if (account) put(account, pod);
    },
    removePod(nodeName, key) {
      occupants.remove(nodeName, key);
      const account = byName.get(nodeName);
      if (account) take(account, key);
    },
    touch(nodeName) {
      const account = byName.get(nodeName);
      if (account) changes.changed(account.slot);
    },
    ordered: order.byZone,
    slotsByName: order.byName,
    byName,
    bySlot,
    changes,
    imageNodes: images.nodes,
    topology,
  };
}
