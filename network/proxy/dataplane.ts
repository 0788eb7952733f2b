// Applies rulesets to the kernel: the complete table first, then only changes, and after a refused change the
// complete table again.
import type { UdpBackends, Ruleset } from "./rules.ts";
import type { Log } from "../../machinery/world.ts";
import type { Run } from "../command.ts";
import { changesBetween, type Ranges, wholeTable } from "./nftables.ts";

/** Arguments for `conntrack` that list all UDP entries. */
const listUdp: readonly string[] = ["-L", "-p", "udp", "-f", "ipv4"];

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

interface Dataplane {
  /** One at a time, in order; resolves when packets follow the new rules. */
  apply(next: Ruleset): Promise<void>;
}

const sameBackends = (a: UdpBackends, b: UdpBackends): boolean =>
  a.size === b.size && [...a].every(([key, set]) => b.get(key)?.symmetricDifference(set).size === 0);

export function nftablesDataplane(ranges: Ranges, run: Run, log: Log): Dataplane {
  let present: Ruleset | undefined;
  const replace = async (next: Ruleset): Promise<void> => {
    await run("nft", ["-f", "-"], wholeTable(next, ranges));
    // Allows packets from 127.0.0.1 to be routed to a pod, for host ports on that address.
    await run("sysctl", ["-qw", "net.ipv4.conf.all.route_localnet=1"]).catch((e: Error) =>
      log("host ports of 127.0.0.1 are not reachable", { error: e.message }),
    );
  };
  const forgetStaleFlows = async (backends: UdpBackends): Promise<void> => {
    if (backends.size === 0) return;
    // An entry may expire before its deletion, which then fails.
    for (const args of deletionsOf(await run("conntrack", listUdp), backends))
      await run("conntrack", args).catch(() => {});
  };
  return {
    async apply(next) {
      const before = present;
      present = undefined;
      const changes = before && changesBetween(before, next);
      if (changes === undefined) await replace(next);
      else if (changes !== "")
        await run("nft", ["-f", "-"], changes).catch((e: Error) => {
          log("changing the rules failed, writing all of them", { error: e.message });
          return replace(next);
        });
      if (before === undefined || !sameBackends(before.udpBackends, next.udpBackends))
        await forgetStaleFlows(next.udpBackends);
      present = next;
    },
  };
}
