// Topology domains: the nodes with equal values of a label, numbered, and counts of pods by domain. Nodes are known by
// their slots (node-info.ts).

/** A node label that parts the nodes into domains. */
export interface TopologyKey {
  readonly key: string;
  /** The domain of a node, by slot; -1 when the node has no such label. */
  readonly domainOf: Int32Array;
}
interface TopologyAccount extends TopologyKey {
  domainOf: Int32Array;
  /** Sets the value of a node's label. The number of a domain without nodes is used again. */
  set(slot: number, value: string | undefined): void;
}

/** At least twice as much as is needed, so that growing by one mostly costs nothing. */
const roomFor = (index: number): number => 2 * Math.max(index, 8);
/** The array, or a larger one with its content. */
function withRoom<T extends Int32Array | Uint8Array>(array: T, index: number, larger: () => T): T {
  if (index < array.length) return array;
  const grown = larger();
  grown.set(array);
  return grown;
}

/** No nodes yet. */
export function topologyAccount(key: string): TopologyAccount {
  const ids = new Map<string, number>();
  const domains: { value: string; nodes: number }[] = [];
  const unused: number[] = [];
  const domainFor = (value: string): number => {
    const known = ids.get(value);
    if (known !== undefined) return known;
    const id = unused.pop() ?? domains.length;
    domains[id] = { value, nodes: 0 };
    ids.set(value, id);
    return id;
  };
  const leave = (id: number): void => {
    const domain = domains[id]!;
    if (--domain.nodes > 0) return;
    ids.delete(domain.value);
    unused.push(id);
  };
  return {
    key,
    domainOf: new Int32Array(0),
    set(slot, value) {
      this.domainOf = withRoom(this.domainOf, slot, () => new Int32Array(roomFor(slot)).fill(-1));
      const before = this.domainOf[slot]!;
      if (before >= 0) leave(before);
      const id = value === undefined ? -1 : domainFor(value);
      this.domainOf[slot] = id;
      if (id >= 0) domains[id]!.nodes++;
    },
  };
}

/** Pods by domain. */
export interface DomainCounts {
  readonly topology: TopologyKey;
  /** By domain; domains beyond its length have none. */
  readonly pods: Int32Array;
  /** In all domains. */
  readonly total: number;
  /** The number of domains with a node that counts. */
  readonly domains: number;
  /** Whether a node counts, by slot. */
  counts(slot: number): boolean;
  /** The pods of a group on one node, in a domain or not. */
  onNode(slot: number): number;
  /** The least number of pods in a domain, as if the domain of one node had `more` pods. */
  minimum(slot?: number, more?: number): number;
}
export interface DomainAccount extends DomainCounts {
  pods: Int32Array;
  total: number;
  domains: number;
  /** Counts pods that came to a node, or left it. Their group has updated its number for the node. */
  add(slot: number, pods: number): void;
  /** A node joins its domain, or leaves it. */
  enter(slot: number): void;
  leave(slot: number): void;
}

/** The number of domains with so many pods: what the least is costs no pass over all domains. */
interface Levels {
  move(from: number | undefined, to: number | undefined): void;
  least(): number;
  /** Without one of the domains that have so many pods. */
  leastWithout(pods: number): number;
}
function levels(): Levels {
  const domainsWith = new Map<number, number>();
  let lowest = 0;
  const change = (pods: number, by: number): void => {
    const domains = (domainsWith.get(pods) ?? 0) + by;
    if (domains > 0) domainsWith.set(pods, domains);
    else domainsWith.delete(pods);
  };
  const least = (): number => {
    if (domainsWith.size === 0) return Number.POSITIVE_INFINITY;
    while (!domainsWith.has(lowest)) lowest++;
    return lowest;
  };
  return {
    move(from, to) {
      if (from !== undefined) change(from, -1);
      if (to === undefined) return;
      change(to, 1);
      if (to < lowest) lowest = to;
    },
    least,
    leastWithout(pods) {
      const level = least();
      if (pods !== level || domainsWith.get(level)! > 1) return level;
      return [...domainsWith.keys()].reduce((a, b) => (b > pods && b < a ? b : a), Number.POSITIVE_INFINITY);
    },
  };
}

/** `onNode` are the pods of the group by slot. Only nodes that are `included` (all by default) count. */
export function domainAccount(
  topology: TopologyKey,
  onNode: ReadonlyMap<number, number>,
  included: (slot: number) => boolean = () => true,
): DomainAccount {
  let nodes = new Int32Array(0);
  let counted = new Uint8Array(0);
  const levelled = levels();
  const bump = (account: DomainAccount, domain: number, by: number): void => {
    const before = account.pods[domain]!;
    account.pods[domain] = before + by;
    account.total += by;
    if (by !== 0) levelled.move(before, before + by);
  };
  return {
    topology,
    pods: new Int32Array(0),
    total: 0,
    domains: 0,
    counts: (slot) => counted[slot] === 1,
    onNode: (slot) => onNode.get(slot) ?? 0,
    minimum(slot, more = 0) {
      if (slot === undefined || more === 0 || counted[slot] !== 1) return levelled.least();
      const pods = this.pods[topology.domainOf[slot]!]!;
      return Math.min(pods + more, levelled.leastWithout(pods));
    },
    add(slot, pods) {
      if (counted[slot] === 1) bump(this, topology.domainOf[slot]!, pods);
    },
    enter(slot) {
      const domain = topology.domainOf[slot]!;
      if (domain < 0 || !included(slot)) return;
      counted = withRoom(counted, slot, () => new Uint8Array(roomFor(slot)));
      counted[slot] = 1;
      this.pods = withRoom(this.pods, domain, () => new Int32Array(roomFor(domain)));
      nodes = withRoom(nodes, domain, () => new Int32Array(roomFor(domain)));
      if (nodes[domain]!++ === 0) {
        this.domains++;
        levelled.move(undefined, 0);
      }
      bump(this, domain, onNode.get(slot) ?? 0);
    },
    leave(slot) {
      if (counted[slot] !== 1) return;
      counted[slot] = 0;
      const domain = topology.domainOf[slot]!;
      bump(this, domain, -(onNode.get(slot) ?? 0));
      if (--nodes[domain]! > 0) return;
      this.domains--;
      levelled.move(0, undefined);
    },
  };
}
