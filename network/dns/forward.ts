// Names of the outside world: asked of the name servers the node itself was given, as they stand in its resolv.conf.
import { createSocket } from "node:dgram";
import type { Clock } from "../../machinery/world.ts";
import type { Forward } from "./server.ts";

/** So long one name server may take before the next is asked. */
const patienceMs = 2_000;

/** The name servers of a resolv.conf, without the cluster's own: asking ourselves would never end. Pure. */
export const upstreamsOf = (resolvConf: string, self: string): readonly string[] =>
  resolvConf
    .split("\n")
    .flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])
    .filter((address) => address !== self && /^\d+(\.\d+){3}$/.test(address));

async function ask(server: string, query: Buffer, clock: Clock, signal: AbortSignal): Promise<Buffer | undefined> {
  const socket = createSocket("udp4");
  const done = new AbortController();
  try {
    return await new Promise<Buffer | undefined>((resolve) => {
      socket.on("error", () => resolve(undefined));
      // Only the answer to this very question counts: the id stands in the first two bytes.
      socket.on("message", (reply) => {
        if (reply.length > 2 && reply.readUInt16BE(0) === query.readUInt16BE(0)) resolve(reply);
      });
      socket.send(query, 53, server, (e) => e && resolve(undefined));
      clock.sleep(patienceMs, AbortSignal.any([signal, done.signal])).then(
        () => resolve(undefined),
        () => resolve(undefined),
      );
    });
  } finally {
    done.abort();
    socket.close();
  }
}

/** Tries the name servers in turn. */
export const forwarder =
  (servers: readonly string[], clock: Clock): Forward =>
  async (query, signal) => {
    for (const server of servers) {
      const reply = await ask(server, query, clock, signal);
      if (reply) return reply;
    }
    return undefined;
  };
