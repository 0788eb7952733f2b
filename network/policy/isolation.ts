// Keeps the chains of isolated pods in a table up to date. Pods of this node that the same policies isolate share a
// chain, which jumps to a chain for each policy and then drops.
import type { NetworkPolicy } from "../../api/generated/types.ts";
import type { Key } from "../../api/meta.ts";
import type { AddressBook } from "./addresses.ts";
import type { Members } from "./members.ts";
import { uniqueName } from "./peers.ts";
import { type Direction, directions, isolates, type PolicyRules, policyRules } from "./rules.ts";
import type { PolicyTable } from "./table.ts";

export interface Isolation {
  /** Sets the present state of a policy; undefined when it is gone. */
  setPolicy(key: Key, policy: NetworkPolicy | undefined, namespace: string): void;
  /** The owner of an address has changed. */
  refresh(address: string): void;
}

/** The chains of policies in use, each for one direction. */
function policyChains(table: PolicyTable, sets: Members, policyOf: (key: Key) => NetworkPolicy) {
  const uses = new Map<string, { readonly rules: PolicyRules; readonly count: number }>();
  const nameOf = (key: Key, direction: Direction): string => uniqueName(`policy_${direction}`, key);
  const write = (key: Key, direction: Direction, name: string, count: number): void => {
    const before = uses.get(name)?.rules.sets ?? [];
    const rules = policyRules(policyOf(key), direction, table.family);
    for (const set of rules.sets.values()) sets.acquire(set);
    table.chains.set(name, rules.rules.join("\n"));
    uses.set(name, { rules, count });
    for (const [, set] of before) sets.release(set);
  };
  return {
    acquire(key: Key, direction: Direction): string {
      const name = nameOf(key, direction);
      const use = uses.get(name);
      if (use) uses.set(name, { ...use, count: use.count + 1 });
      else write(key, direction, name, 1);
      return name;
    },
    release(key: Key, direction: Direction): void {
      const name = nameOf(key, direction);
      const use = uses.get(name)!;
      if (use.count > 1) return void uses.set(name, { ...use, count: use.count - 1 });
      uses.delete(name);
      table.chains.delete(name);
      for (const set of use.rules.sets.values()) sets.release(set);
    },
    /** The policy has changed. */
    rewrite(key: Key, direction: Direction): void {
      const name = nameOf(key, direction);
      const use = uses.get(name);
      if (use) write(key, direction, name, use.count);
    },
  };
}

/** The chains of groups of pods that the same policies isolate. */
function groupChains(table: PolicyTable, policies: ReturnType<typeof policyChains>) {
  const counts = new Map<string, number>();
  const nameOf = (keys: readonly Key[], direction: Direction): string => uniqueName(`pods_${direction}`, keys);
  return {
    acquire(keys: readonly Key[], direction: Direction): string {
      const name = nameOf(keys, direction);
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      if (count > 0) return name;
      const jumps = keys.map((key) => `jump ${policies.acquire(key, direction)}`);
      table.chains.set(name, [...jumps, "drop"].join("\n"));
      return name;
    },
    release(keys: readonly Key[], direction: Direction): void {
      const name = nameOf(keys, direction);
      const count = counts.get(name)!;
      if (count > 1) return void counts.set(name, count - 1);
      counts.delete(name);
      table.chains.delete(name);
      for (const key of keys) policies.release(key, direction);
    },
  };
}

type Isolating = Readonly<Record<Direction, readonly Key[]>>;
const free: Isolating = { ingress: [], egress: [] };

export function isolation(
  table: PolicyTable,
  subjects: Pick<AddressBook, "ownerOf" | "addresses">,
  sets: Members,
): Isolation {
  const byNamespace = new Map<string, Map<Key, NetworkPolicy>>();
  const all = new Map<Key, NetworkPolicy>();
  const chains = policyChains(table, sets, (key) => all.get(key)!);
  const groups = groupChains(table, chains);
  const isolated = new Map<string, Isolating>();
  const policiesOf = (address: string): Isolating => {
    const pod = subjects.ownerOf(address);
    const candidates = [...(byNamespace.get(pod?.metadata.namespace ?? "") ?? [])];
    const keys = (direction: Direction): readonly Key[] =>
      candidates
        .filter(([, policy]) => isolates(policy, pod!, direction))
        .map(([key]) => key)
        .toSorted();
    return pod ? { ingress: keys("ingress"), egress: keys("egress") } : free;
  };
  const refresh = (address: string): void => {
    const before = isolated.get(address) ?? free;
    const next = policiesOf(address);
    for (const direction of directions) {
      if (next[direction].length > 0)
        table[direction].set(address, `goto ${groups.acquire(next[direction], direction)}`);
      else if (before[direction].length > 0) table[direction].delete(address);
      if (before[direction].length > 0) groups.release(before[direction], direction);
    }
    if (directions.some((direction) => next[direction].length > 0)) {
      isolated.set(address, next);
      table.selves.set(`${address} . ${address}`, "");
    } else if (isolated.delete(address)) table.selves.delete(`${address} . ${address}`);
  };
  return {
    refresh,
    setPolicy(key, policy, namespace) {
      const own = byNamespace.get(namespace) ?? new Map<Key, NetworkPolicy>();
      byNamespace.set(namespace, own);
      if (policy) {
        own.set(key, policy);
        all.set(key, policy);
        for (const direction of directions) chains.rewrite(key, direction);
      } else if (own.delete(key) && own.size === 0) byNamespace.delete(namespace);
      for (const address of [...subjects.addresses(namespace)]) refresh(address);
      if (!policy) all.delete(key);
    },
  };
}
