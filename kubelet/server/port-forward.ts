// Port forwarding. Over SPDY the client opens a data and an error stream for each connection, both with the port; over
// WebSocket channels the ports are in the query, and each has a data and an error channel.
import type { KubeletView } from "../kubelet.ts";
import { drained } from "../back-pressure.ts";
import { liveSandbox } from "../pod/runs.ts";
import type { ByteStream } from "../runtime.ts";
import { findPod, Refused } from "./find-container.ts";
import { type SpdyStream, spdyConnection, type Transport } from "./spdy.ts";
import type { WebSocket } from "ws";
import { PassThrough } from "node:stream";
import { encodeMessage, decodeMessage } from "./channels.ts";
import { messagesIn, send } from "./transports.ts";
import type { SessionProtocol } from "./remote-command.ts";

/** The protocols: SPDY, and SPDY tunnelled through a WebSocket (KEP-4006). */
export const forwardProtocol = "portforward.k8s.io";
export const tunnelProtocol = `SPDY/3.1+${forwardProtocol}`;

/** Opens connections to the ports of one pod. */
export interface Dialer {
  /** The pod's name and uid in error messages. */
  readonly pod: string;
  dial(port: number): Promise<ByteStream>;
}

/** A dialer for the pod; refuses before the upgrade when the pod has no running sandbox. */
export async function dialer(
  view: KubeletView,
  a: { readonly namespace: string; readonly pod: string },
  signal: AbortSignal,
): Promise<Dialer> {
  const pod = findPod(view, a);
  const { name, uid } = pod.metadata;
  const { sandboxes } = await view.runtime.list(uid, signal);
  const sandbox = liveSandbox(sandboxes);
  if (sandbox === undefined) throw new Refused(500, `pod not found ("${name}_${a.namespace}")`);
  return { pod: `${name}, uid ${uid}`, dial: (port) => view.runtime.connect(sandbox.id, port, signal) };
}

async function forwardInput(from: AsyncIterable<Uint8Array>, to: ByteStream): Promise<void> {
  for await (const chunk of from) if (!to.input.write(chunk) && !to.input.destroyed) await drained(to.input);
  to.input.end();
}

/** Forwards one connection until the pod closes it; resolves with the error if it failed. */
async function forwardConnection(
  { pod, dial }: Dialer,
  port: number,
  from: AsyncIterable<Uint8Array>,
  to: (data: Uint8Array) => Promise<void>,
): Promise<string | undefined> {
  try {
    const connection = await dial(port);
    // The side that closes first breaks the other's writing; that is no error.
    connection.input.on("error", () => {});
    forwardInput(from, connection).catch(() => {});
    for await (const chunk of connection.output) await to(chunk as Buffer);
    return undefined;
  } catch (e) {
    return `error forwarding port ${port} to pod ${pod}: ${(e as Error).message}`;
  }
}

async function forwardPair(dialing: Dialer, data: SpdyStream, errors: SpdyStream): Promise<void> {
  const wrong = await forwardConnection(dialing, Number(data.headers["port"]), data.incoming, data.write);
  if (wrong !== undefined) await errors.write(Buffer.from(wrong));
  await errors.end();
  await data.end();
}

/** The error of a stream with invalid headers. Pure. */
export function flawOf({ port, streamtype }: Readonly<Record<string, string>>): string | undefined {
  if (!port) return '"port" header is required';
  const number = /^\d+$/.test(port) ? Number(port) : -1;
  if (number < 0 || number > 65_535) return `unable to parse ${JSON.stringify(port)} as a port`;
  if (number < 1) return `port ${JSON.stringify(port)} must be > 0`;
  if (!streamtype) return '"streamType" header is required';
  return streamtype === "error" || streamtype === "data"
    ? undefined
    : `invalid stream type ${JSON.stringify(streamtype)}`;
}

/** The connection of a stream. Clients that send no request id open the error stream just before the data stream. */
const pairOf = ({ id, headers }: SpdyStream): string =>
  headers["requestid"] ?? String(headers["streamtype"] === "data" ? id - 2 : id);

/** Serves one client until it disconnects. */
export async function forwardPorts(dialing: Dialer, transport: Transport): Promise<void> {
  const waiting = new Map<string, SpdyStream>();
  const opened = (stream: SpdyStream): void => {
    const id = pairOf(stream);
    const other = waiting.get(id);
    if (flawOf(stream.headers) !== undefined || other?.headers["streamtype"] === stream.headers["streamtype"])
      return void stream.reset();
    if (other === undefined) return void waiting.set(id, stream);
    waiting.delete(id);
    const [data, errors] = stream.headers["streamtype"] === "data" ? [stream, other] : [other, stream];
    // The client has disconnected.
    forwardPair(dialing, data, errors).catch(() => {});
  };
  await spdyConnection(transport, opened).left;
}

function portIn(text: string, all: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(port))
    throw new Refused(400, `unable to parse "${all}" as a port: strconv.ParseUint: parsing "${text}": invalid syntax`);
  if (port > 65_535)
    throw new Refused(
      400,
      `unable to parse "${all}" as a port: strconv.ParseUint: parsing "${text}": value out of range`,
    );
  if (port < 1) throw new Refused(400, `port "${all}" must be > 0`);
  return port;
}

/** The ports of the query. Pure. */
export function portsIn(query: URLSearchParams): readonly number[] {
  const values = query.getAll("port");
  if (values.length === 0) throw new Refused(400, 'query parameter "port" is required');
  return values.flatMap((all) => {
    if (all === "") throw new Refused(400, 'query parameter "port" cannot be empty');
    return all.split(",").map((text) => portIn(text, all));
  });
}

/** Serves one client until all its connections have ended, or it disconnects. */
export async function forwardChannels(
  dialing: Dialer,
  ports: readonly number[],
  socket: WebSocket,
  protocol: SessionProtocol,
): Promise<void> {
  const write = async (to: number, data: Uint8Array): Promise<void> => {
    if (socket.readyState !== socket.OPEN) throw new Error("the client has left");
    await send(socket, encodeMessage(to, data, protocol));
  };
  const inputs = ports.map(() => new PassThrough());
  const readInput = async (): Promise<void> => {
    for await (const raw of messagesIn(socket)) {
      const message = decodeMessage(raw, protocol);
      const input = message && message.channel % 2 === 0 ? inputs[message.channel / 2] : undefined;
      if (message && input && !input.write(message.data)) await drained(input);
    }
    for (const input of inputs) input.end();
  };
  const forward = async (port: number, i: number): Promise<void> => {
    const header = Buffer.alloc(2);
    header.writeUInt16LE(port);
    await write(2 * i, header);
    await write(2 * i + 1, header);
    const wrong = await forwardConnection(dialing, port, inputs[i]!, (data) => write(2 * i, data));
    inputs[i]!.resume();
    if (wrong !== undefined) await write(2 * i + 1, Buffer.from(wrong));
  };
  readInput().catch(() => {});
  await Promise.all(ports.map(forward));
}
