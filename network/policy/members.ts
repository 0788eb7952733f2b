// Keeps the sets of peers in a table up to date: one pod's change touches the sets that this pod is or was in.
import type { Labels } from "../../api/selector.ts";
import type { AddressBook } from "./addresses.ts";
import { elementsOf, keyOfSet, keysOfPod, type PeerSet, setName, setType } from "./peers.ts";
import type { PolicyTable } from "./table.ts";

/** The sets in use. */
export interface Members {
  /** Takes a set into use; it is filled when nothing else uses it yet. */
  acquire(set: PeerSet): void;
  release(set: PeerSet): void;
  /** The owner of an address has changed, or the labels of its namespace. */
  refresh(address: string): void;
}

const none: ReadonlyMap<string, readonly string[]> = new Map();

export function members(
  table: PolicyTable,
  peers: Pick<AddressBook, "ownerOf" | "addresses">,
  labelsOf: (namespace: string | undefined) => Labels | undefined,
): Members {
  const uses = new Map<string, { readonly set: PeerSet; count: number }>();
  const namesByKey = new Map<string, Set<string>>();
  /** Address to the sets that it is in, and its elements there. */
  const memberships = new Map<string, Map<string, readonly string[]>>();
  const join = (address: string, name: string, elements: readonly string[]): void => {
    for (const element of elements) table.elements(name).set(element, "");
    memberships.set(address, (memberships.get(address) ?? new Map()).set(name, elements));
  };
  const leave = (address: string, name: string): void => {
    const own = memberships.get(address);
    for (const element of own?.get(name) ?? []) table.elements(name).delete(element);
    if (own?.delete(name) && own.size === 0) memberships.delete(address);
  };
  return {
    acquire(set) {
      const name = setName(set);
      const use = uses.get(name) ?? { set, count: 0 };
      uses.set(name, use);
      if (++use.count > 1) return;
      table.sets.set(name, setType(set));
      const key = keyOfSet(set);
      namesByKey.set(key, (namesByKey.get(key) ?? new Set()).add(name));
      for (const address of peers.addresses(set.of === "pods" ? set.namespace : undefined)) {
        const pod = peers.ownerOf(address)!;
        const elements = elementsOf(set, address, pod, labelsOf(pod.metadata.namespace));
        if (elements.length > 0) join(address, name, elements);
      }
    },
    release(set) {
      const name = setName(set);
      const use = uses.get(name);
      if (use === undefined || --use.count > 0) return;
      uses.delete(name);
      const key = keyOfSet(set);
      const names = namesByKey.get(key);
      if (names?.delete(name) && names.size === 0) namesByKey.delete(key);
      for (const element of [...table.elements(name).entries.keys()]) leave(element.split(" ")[0]!, name);
      table.removeSet(name);
    },
    refresh(address) {
      const pod = peers.ownerOf(address);
      const labels = pod && labelsOf(pod.metadata.namespace);
      const candidates = pod ? keysOfPod(pod, labels).flatMap((key) => [...(namesByKey.get(key) ?? [])]) : [];
      const next = new Map(
        candidates.map((name) => [name, elementsOf(uses.get(name)!.set, address, pod!, labels)] as const),
      );
      for (const name of [...(memberships.get(address) ?? none).keys()]) leave(address, name);
      for (const [name, elements] of next) if (elements.length > 0) join(address, name, elements);
    },
  };
}
