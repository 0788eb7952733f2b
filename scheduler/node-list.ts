// All nodes with what runs on them, in the order in which they are looked at. One change costs what it changes.
import type { Node, Taint } from "../api/generated/types.ts";
import type { Key } from "../api/meta.ts";
import { addPod, nodeAccount, removePod, setNode, type NodeAccount, type NodeInfo, type PodInfo } from "./node-info.ts";

export interface NodeList {
  set(name: string, node: Node | undefined): void;
  /** Counts a pod on a node, also on one that is not known (yet, or any more). */
  addPod(nodeName: string, pod: PodInfo): void;
  removePod(nodeName: string, key: Key): void;
  /** One node of each zone in turn; within a zone, by name. */
  ordered(): readonly NodeInfo[];
  readonly byName: ReadonlyMap<string, NodeInfo>;
  /** By image name: how many nodes hold it. */
  readonly imageNodes: ReadonlyMap<string, number>;
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

/** No nodes yet. */
export function nodeList(): NodeList {
  const accounts = new Map<string, NodeAccount>();
  const occupants = new Map<string, Map<Key, PodInfo>>();
  const imageNodes = new Map<string, number>();
  const intern = taintSets();
  let order: readonly NodeInfo[] | undefined;

  const countImages = ({ images }: NodeAccount, sign: 1 | -1): void => {
    for (const image of images.keys()) {
      const count = (imageNodes.get(image) ?? 0) + sign;
      if (count > 0) imageNodes.set(image, count);
      else imageNodes.delete(image);
    }
  };
  const update = (account: NodeAccount, node: Node): void => {
    if (zoneOf(account.node) !== zoneOf(node)) order = undefined;
    setNode(account, node, intern(node.spec.taints));
  };
  const insert = (name: string, node: Node): NodeAccount => {
    const account = nodeAccount(node, occupants.get(name)?.values(), intern(node.spec.taints));
    accounts.set(name, account);
    order = undefined;
    return account;
  };
  return {
    set(name, node) {
      const account = accounts.get(name);
      if (account) countImages(account, -1);
      if (node === undefined) {
        if (accounts.delete(name)) order = undefined;
      } else if (account) {
        update(account, node);
        countImages(account, 1);
      } else countImages(insert(name, node), 1);
    },
    addPod(nodeName, pod) {
      const pods = occupants.get(nodeName);
      if (pods) pods.set(pod.key, pod);
      else occupants.set(nodeName, new Map([[pod.key, pod]]));
      const account = accounts.get(nodeName);
      if (account) addPod(account, pod);
    },
    removePod(nodeName, key) {
      const pods = occupants.get(nodeName);
      if (pods?.delete(key) && pods.size === 0) occupants.delete(nodeName);
      const account = accounts.get(nodeName);
      if (account) removePod(account, key);
    },
    ordered: () => (order ??= interleaved(accounts.values())),
    byName: accounts,
    imageNodes,
  };
}
