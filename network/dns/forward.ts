// Forwards queries outside the cluster's zone to the name servers of the node's resolv.conf.
import { createSocket } from "node:dgram";
import type { Clock } from "../../machinery/world.ts";
import type { Forward } from "./server.ts";

/** Time for one name server before the next is tried. */
const timeoutMs = 2_000;

/** The name servers of a resolv.conf without `self`, which would forward to itself. Pure. */
export const upstreamsOf = (resolvConf: string, self: string): readonly string[] =>
  resolvConf
    .split("\n")
    .flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
    .filter((address) => address !== self && /^\d+(\.\d+){3}$/.test(address));

async function queryServer(
  server: string,
  query: Buffer,
  clock: Clock,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const socket = createSocket("udp4");
  const done = new AbortController();
  try {
    return await new Promise<Buffer | undefined>((resolve) => {
      socket.on("error", () => resolve(undefined));
      // The first two bytes hold the id, which the reply repeats.
      socket.on("message", (reply) => {
        if (reply.length > 2 && reply.readUInt16BE(0) === query.readUInt16BE(0)) resolve(reply);
      });
      socket.send(query, 53, server, (e) => e && resolve(undefined));
      clock.sleep(timeoutMs, AbortSignal.any([signal, done.signal])).then(
        () => resolve(undefined),
        () => resolve(undefined),
      );
    });
  } finally {
    done.abort();
    socket.close();
  }
}

/** Tries the name servers in order. */
export const forwarder =
  (servers: readonly string[], clock: Clock): Forward =>
  async (query, signal) => {
    for (const server of servers) {
      const reply = await queryServer(server, query, clock, signal);
      if (reply) return reply;
    }
    return undefined;
  };
