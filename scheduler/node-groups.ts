// Nodes grouped by their topology domains: a rule that looks at domains only has one result for all nodes of a group.
import type { TopologyKey } from "./topology/domains.ts";

export interface NodeGroups {
  readonly count: number;
  /** The group of a node, by slot. */
  readonly groupOf: readonly number[];
  /** The slot of one node of each group. */
  readonly examples: readonly number[];
  /** Whether a node is still in the domains of its group. */
  isCurrent(slot: number): boolean;
}

/** With more groups than this, evaluating groups gains little over evaluating nodes. */
const maxGroups = 64;

/** The nodes with these slots; undefined when they would form too many groups. */
export function nodeGroups(topologies: readonly TopologyKey[], slots: readonly number[]): NodeGroups | undefined {
  const groupOf: number[] = [];
  const ids: string[] = [];
  const examples: number[] = [];
  const numbers = new Map<string, number>();
  const idOf = (slot: number): string => {
    let id = "";
    for (const { domainOf } of topologies) id += `${domainOf[slot] ?? -1} `;
    return id;
  };
  for (const slot of slots) {
    const id = idOf(slot);
    const group = numbers.get(id) ?? examples.length;
    if (group === maxGroups) return undefined;
    if (group === examples.length) {
      numbers.set(id, group);
      ids.push(id);
      examples.push(slot);
    }
    groupOf[slot] = group;
  }
  return {
    count: examples.length,
    groupOf,
    examples,
    isCurrent: (slot) => groupOf[slot] !== undefined && ids[groupOf[slot]] === idOf(slot),
  };
}
