// Counts of pods by topology domain, kept as pods and nodes come and go: of every group of pods that some
// pod's rules select, and of every affinity term that some pod on a node has. See
// docs/decisions/032-keep-what-decisions-read.md.
import type { NodeInfo, PodInfo } from "../node-info.ts";
import { type DomainAccount, domainAccount, type DomainCounts, topologyAccount } from "./domains.ts";
import { labelIndex } from "./label-index.ts";
import { type AffinityTerm, isInGroup, type LabelsOfNamespace, type PodGroup, selectsPod } from "../pod-terms.ts";

/** The nodes that count, by a text that is equal for equal sets. */
export interface NodeSet {
  readonly id: string;
  readonly includes: (node: NodeInfo) => boolean;
}
/** A term of pods that are on nodes, and how many have it in each domain. */
export interface CarriedTerm extends AffinityTerm {
  readonly counts: DomainCounts;
}

export interface TopologyCounts {
  /** The pods of a group by the values of a node label. They are kept from then on. */
  of(group: PodGroup, topologyKey: string, nodes?: NodeSet): DomainCounts;
  /** The terms of pods on nodes that select this pod. */
  termsSelecting(pod: PodInfo, labelsOf: LabelsOfNamespace): readonly CarriedTerm[];
}
export interface TopologyAccounts extends TopologyCounts {
  nodeAdded(node: NodeInfo): void;
  /** Labels or taints of a node change when `change` is called. */
  nodeChanged(node: NodeInfo, change: () => void): void;
  /** Its pods have been removed before. */
  nodeRemoved(node: NodeInfo): void;
  podAdded(node: NodeInfo, pod: PodInfo): void;
  podRemoved(node: NodeInfo, pod: PodInfo): void;
}

/** So many groups are kept; the least recently used is dropped first. */
const maxGroups = 2_000;

/** Pods by slot, and their counts by domain. */
interface Tally {
  readonly onNode: Map<number, number>;
  readonly accounts: Map<string, DomainAccount>;
}
function add({ onNode, accounts }: Tally, slot: number, pods: number): void {
  const sum = (onNode.get(slot) ?? 0) + pods;
  if (sum === 0) onNode.delete(slot);
  else onNode.set(slot, sum);
  for (const account of accounts.values()) account.add(slot, pods);
}
interface Group extends Tally {
  readonly group: PodGroup;
}
interface Carried extends Tally, CarriedTerm {
  carriers: number;
}

/** All nodes with their slots, and every account that follows them. */
interface Nodes {
  account(topologyKey: string, onNode: ReadonlyMap<number, number>, nodes?: NodeSet): DomainAccount;
  drop(account: DomainAccount): void;
  readonly all: Iterable<NodeInfo>;
  enter(node: NodeInfo): void;
  leave(node: NodeInfo): void;
  remove(node: NodeInfo): void;
}
function nodesBySlot(): Nodes {
  const bySlot = new Map<number, NodeInfo>();
  const keys = new Map<string, ReturnType<typeof topologyAccount>>();
  const accounts = new Set<DomainAccount>();
  const topologyOf = (key: string): ReturnType<typeof topologyAccount> => {
    const known = keys.get(key);
    if (known) return known;
    const topology = topologyAccount(key);
    keys.set(key, topology);
    for (const node of bySlot.values()) topology.set(node.slot, node.labels[key]);
    return topology;
  };
  return {
    account(topologyKey, onNode, nodes) {
      const included = nodes && ((slot: number): boolean => nodes.includes(bySlot.get(slot)!));
      const account = domainAccount(topologyOf(topologyKey), onNode, included);
      accounts.add(account);
      for (const slot of bySlot.keys()) account.enter(slot);
      return account;
    },
    drop: (account) => void accounts.delete(account),
    get all() {
      return bySlot.values();
    },
    enter(node) {
      bySlot.set(node.slot, node);
      for (const topology of keys.values()) topology.set(node.slot, node.labels[topology.key]);
      for (const account of accounts) account.enter(node.slot);
    },
    leave({ slot }) {
      for (const account of accounts) account.leave(slot);
    },
    remove({ slot }) {
      bySlot.delete(slot);
      for (const topology of keys.values()) topology.set(slot, undefined);
    },
  };
}

/** Groups of pods, found by the labels of a pod. */
function podGroups(nodes: Nodes) {
  const groups = new Map<string, Group>();
  const byLabels = labelIndex<Group>();
  const labelsOf = ({ terms }: PodGroup) => terms.flatMap(({ labels }) => labels);
  const evict = (): void => {
    for (const [id, oldest] of groups) {
      if (groups.size <= maxGroups) return;
      groups.delete(id);
      byLabels.delete(oldest, labelsOf(oldest.group));
      for (const account of oldest.accounts.values()) nodes.drop(account);
    }
  };
  const counted = (group: PodGroup): Group => {
    const onNode = new Map<number, number>();
    for (const { slot, pods } of nodes.all) {
      let count = 0;
      for (const { pod } of pods.values()) if (isInGroup(group, pod)) count++;
      if (count > 0) onNode.set(slot, count);
    }
    const entry = { group, onNode, accounts: new Map() };
    byLabels.add(entry, labelsOf(group));
    return entry;
  };
  return {
    of(group: PodGroup, topologyKey: string, set?: NodeSet): DomainCounts {
      const entry = groups.get(group.id) ?? counted(group);
      groups.delete(group.id);
      groups.set(group.id, entry);
      evict();
      const id = set ? `${topologyKey} ${set.id}` : topologyKey;
      const account = entry.accounts.get(id) ?? nodes.account(topologyKey, entry.onNode, set);
      entry.accounts.set(id, account);
      return account;
    },
    change({ slot }: NodeInfo, { pod }: PodInfo, by: 1 | -1): void {
      byLabels.candidates(pod.metadata.labels, (entry) => {
        if (isInGroup(entry.group, pod)) add(entry, slot, by);
      });
    },
  };
}

/** Terms of pods on nodes, found by the labels of a pod that they may select. */
function carriedTerms(nodes: Nodes) {
  const terms = new Map<string, Carried>();
  const byLabels = labelIndex<Carried>();
  const carried = (term: AffinityTerm): Carried => {
    const onNode = new Map<number, number>();
    const counts = nodes.account(term.topologyKey, onNode);
    const entry: Carried = { ...term, onNode, accounts: new Map([["", counts]]), counts, carriers: 0 };
    terms.set(term.id, entry);
    byLabels.add(entry, term.term.labels);
    return entry;
  };
  return {
    change({ slot }: NodeInfo, pod: PodInfo, by: 1 | -1): void {
      for (const term of pod.terms) {
        const entry = terms.get(term.id) ?? carried(term);
        add(entry, slot, by);
        entry.carriers += by;
        if (entry.carriers > 0) continue;
        terms.delete(term.id);
        byLabels.delete(entry, term.term.labels);
        for (const account of entry.accounts.values()) nodes.drop(account);
      }
    },
    selecting({ pod }: PodInfo, labelsOf: LabelsOfNamespace): readonly CarriedTerm[] {
      const found: CarriedTerm[] = [];
      if (terms.size > 0)
        byLabels.candidates(pod.metadata.labels, (entry) => {
          if (selectsPod(entry.term, pod, labelsOf)) found.push(entry);
        });
      return found;
    },
  };
}

/** No nodes and no pods yet. */
export function topologyAccounts(): TopologyAccounts {
  const nodes = nodesBySlot();
  const groups = podGroups(nodes);
  const carried = carriedTerms(nodes);
  const change = (node: NodeInfo, pod: PodInfo, by: 1 | -1): void => {
    groups.change(node, pod, by);
    carried.change(node, pod, by);
  };
  return {
    of: groups.of,
    termsSelecting: carried.selecting,
    nodeAdded: nodes.enter,
    nodeChanged(node, apply) {
      nodes.leave(node);
      apply();
      nodes.enter(node);
    },
    nodeRemoved(node) {
      nodes.leave(node);
      nodes.remove(node);
    },
    podAdded: (node, pod) => change(node, pod, 1),
    podRemoved: (node, pod) => change(node, pod, -1),
  };
}
