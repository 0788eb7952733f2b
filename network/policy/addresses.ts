// The addresses of pods that policies are about, and which pod has each of them. Pure.
import { addressText, parseAddress } from "../../api/addresses.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import type { Pod } from "../../api/generated/types.ts";
import type { Key } from "../../api/meta.ts";

/** An address family, as nftables names it. */
export type Family = "ip" | "ip6";
export const families: readonly Family[] = ["ip", "ip6"];
export const bitsOf = (family: Family): 32 | 128 => (family === "ip" ? 32 : 128);

/** Of a pod on the host's network, whose traffic is the node's, and of a pod that has ended, none. */
export function addressesOf({ spec, status = {}, ...pod }: Pod, family: Family): readonly string[] {
  if (spec.hostNetwork === true || isTerminal({ spec, status, ...pod })) return [];
  const { podIP, podIPs = podIP ? [{ ip: podIP }] : [] } = status;
  return podIPs.flatMap(({ ip }) => {
    const address = parseAddress(ip);
    return address?.bits === bitsOf(family) ? [addressText(address)] : [];
  });
}

/** The pods of addresses. */
export interface AddressBook {
  /** Sets the present state of a pod; undefined when it is gone. */
  set(key: Key, pod: Pod | undefined): void;
  ownerOf(address: string): Pod | undefined;
  /** The addresses of the pods of a namespace, or of all. */
  addresses(namespace?: string): Iterable<string>;
}

const isNewer = (a: Pod, b: Pod): boolean => {
  const [x, y] = [a, b].map(({ metadata: m }) => `${m.creationTimestamp ?? ""}/${m.uid}`);
  return x! > y!;
};

/**
 * A pod that is gone may still be shown with an address that another has by now; the newest pod is its owner.
 * `changed` is called after every change of the owner of an address, or of its state.
 */
export function addressBook(family: Family, changed: (address: string) => void): AddressBook {
  const addressesByPod = new Map<Key, readonly string[]>();
  const claimants = new Map<string, Map<Key, Pod>>();
  const owners = new Map<string, Pod>();
  const byNamespace = new Map<string, Set<string>>();
  const elect = (address: string): void => {
    const [first, ...others] = claimants.get(address)?.values() ?? [];
    const owner = first && others.reduce((newest, pod) => (isNewer(pod, newest) ? pod : newest), first);
    const [before, next] = [owners.get(address), owner].map((pod) => pod?.metadata.namespace);
    if (owner) owners.set(address, owner);
    else owners.delete(address);
    if (before !== next) {
      if (before !== undefined) byNamespace.get(before)?.delete(address);
      if (next !== undefined) byNamespace.set(next, (byNamespace.get(next) ?? new Set()).add(address));
    }
    changed(address);
  };
  return {
    set(key, pod) {
      const [before, next] = [addressesByPod.get(key) ?? [], pod ? addressesOf(pod, family) : []];
      for (const address of before) {
        const pods = claimants.get(address);
        if (pods?.delete(key) && pods.size === 0) claimants.delete(address);
      }
      for (const address of next) claimants.set(address, (claimants.get(address) ?? new Map()).set(key, pod!));
      if (next.length > 0) addressesByPod.set(key, next);
      else addressesByPod.delete(key);
      for (const address of new Set([...before, ...next])) elect(address);
    },
    ownerOf: (address) => owners.get(address),
    addresses: (namespace) => (namespace === undefined ? owners.keys() : (byNamespace.get(namespace) ?? [])),
  };
}
