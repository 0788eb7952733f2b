// The DNS server of a node: UDP and TCP on the cluster's DNS address, which every node has on its loopback device.
// Queries outside the cluster's zone are forwarded to the name servers of the node's resolv.conf.
import {
  encode,
  encodingLength,
  type Packet,
  TRUNCATED_RESPONSE,
  AUTHORITATIVE_ANSWER,
  decode,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  type DecodedPacket,
} from "dns-packet";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { createServer, type Socket as TcpSocket } from "node:net";
import { onAbort } from "../../machinery/abort.ts";
import type { Log, Clock } from "../../machinery/world.ts";
import { answer, authority, type Reply, type Zone } from "./answer.ts";
import type { DnsView } from "./view.ts";

/** Encodes a reply within `limit` bytes; a truncated one carries the TC flag, so that the client retries over TCP. */
export function encodeWithin(packet: Packet, limit: number): Buffer {
  if (encodingLength(packet) <= limit) return encode(packet);
  const bare: Packet = { ...packet, additionals: [] };
  if (encodingLength(bare) <= limit) return encode(bare);
  const shortened: Packet = { ...bare, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE };
  let answers = [...(packet.answers ?? [])];
  while (answers.length > 0 && encodingLength({ ...shortened, answers }) > limit) answers = answers.slice(0, -1);
  return encode({ ...shortened, answers });
}

/** Sends a query to an upstream name server; undefined without a reply. */
type Forward = (query: Buffer, signal: AbortSignal) => Promise<Buffer | undefined>;
interface DnsServerOptions {
  readonly address: string;
  readonly port: number;
  readonly zone: Zone;
  readonly view: () => DnsView;
  readonly forward: Forward;
}

/** Bytes of a reply over UDP without EDNS(0) (RFC 6891). */
const plainLimit = 512;
const codes = { NXDOMAIN: 3, SERVFAIL: 2 } as const;

const limitOf = (query: DecodedPacket): number => {
  const extended = query.additionals?.find((r) => r.type === "OPT") as { readonly udpPayloadSize?: number } | undefined;
  return Math.max(plainLimit, Math.min(extended?.udpPayloadSize ?? plainLimit, 4096));
};

function packetFor(query: DecodedPacket, reply: Exclude<Reply, { kind: "forward" }>, zone: Zone): Packet {
  const flags = AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | ((query.flags ?? 0) & RECURSION_DESIRED);
  const common = { id: query.id, type: "response" as const, questions: query.questions };
  if (reply.kind === "answer")
    return { ...common, flags, answers: [...reply.answers], additionals: [...(reply.additionals ?? [])] };
  return { ...common, flags: flags | (reply.kind === "empty" ? 0 : codes.NXDOMAIN), authorities: [authority(zone)] };
}

const failure = (query: DecodedPacket): Buffer =>
  encode({ id: query.id, type: "response", flags: RECURSION_AVAILABLE | codes.SERVFAIL, questions: query.questions });

async function respond(
  message: Buffer,
  options: DnsServerOptions,
  overUdp: boolean,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  let query: DecodedPacket;
  try {
    query = decode(message);
  } catch {
    // A malformed query has no readable id to reply to.
    return undefined;
  }
  const question = query.questions?.[0];
  if (query.type !== "query" || question === undefined) return undefined;
  const reply = answer(question, options.view(), options.zone);
  if (reply.kind === "forward") return (await options.forward(message, signal)) ?? failure(query);
  const packet = packetFor(query, reply, options.zone);
  return overUdp ? encodeWithin(packet, limitOf(query)) : encode(packet);
}

function listenUdp(options: DnsServerOptions, log: Log, signal: AbortSignal): Promise<Socket> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.on("message", (message: Buffer, from: RemoteInfo) => {
    respond(message, options, true, signal).then(
      (bytes) => bytes && socket.send(bytes, from.port, from.address),
      (e: unknown) => log("DNS query failed", { error: (e as Error).message }),
    );
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(options.port, options.address, () => resolve(socket));
  });
}

/** Over TCP a length of two bytes precedes each message (RFC 1035); chunks may split or join messages. */
function serveTcp(connection: TcpSocket, options: DnsServerOptions, signal: AbortSignal): void {
  let pending = Buffer.alloc(0);
  connection.setTimeout(10_000, () => connection.destroy());
  connection.on("error", () => connection.destroy());
  connection.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      const message = pending.subarray(2, end);
      pending = pending.subarray(end);
      respond(message, options, false, signal).then(
        (bytes) => {
          if (!bytes) return connection.destroy();
          const length = Buffer.alloc(2);
          length.writeUInt16BE(bytes.length);
          connection.write(Buffer.concat([length, bytes]));
        },
        () => connection.destroy(),
      );
    }
  });
}

/** Resolves once the server listens; closes when the signal aborts. */
export async function listenDns(options: DnsServerOptions, log: Log, signal: AbortSignal): Promise<void> {
  const udp = await listenUdp(options, log, signal);
  const tcp = createServer((connection) => serveTcp(connection, options, signal));
  await new Promise<void>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen(options.port, options.address, resolve);
  });
  onAbort(signal, () => {
    udp.close();
    tcp.close();
  });
}

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
