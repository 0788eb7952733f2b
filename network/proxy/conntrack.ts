// Stale connection tracking entries of UDP flows. The kernel translates an established flow as it did its first
// packet, so a flow to a pod that no longer serves has to be forgotten. Pure.
import type { UdpBackends } from "./rules.ts";

/** Arguments for `conntrack` that list all UDP entries. */
export const listUdp: readonly string[] = ["-L", "-p", "udp", "-f", "ipv4"];

/** Both tuples of an entry: as the client sent it, and as the reply comes back. */
const entry = /src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+).*? src=(\S+) dst=\S+ sport=(\d+) dport=\d+/;

/**
 * From the output of `conntrack -L`: for each entry to an address of a service whose pod is not among those that serve
 * it, the arguments that delete it. A service that no pod serves keeps its entries, as in kube-proxy.
 */
export function deletionsOf(listed: string, backends: UdpBackends): readonly (readonly string[])[] {
  return listed.split("\n").flatMap((line) => {
    const [, client, address, clientPort, port, pod, podPort] = entry.exec(line) ?? [];
    const serving = backends.get(`${address}:${port}`) ?? backends.get(`*:${port}`);
    if (serving === undefined || serving.has(`${pod}:${podPort}`)) return [];
    return [["-D", "-p", "udp", "-s", client!, "-d", address!, "--sport", clientPort!, "--dport", port!]];
  });
}
