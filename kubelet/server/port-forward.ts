// Port forwarding over SPDY: for each connection the client opens a data and an error stream, both with the port.
import type { KubeletView } from "../kubelet.ts";
import { drained } from "../back-pressure.ts";
import { liveSandbox } from "../pod/runs.ts";
import type { ByteStream } from "../runtime.ts";
import { findPod, Refused } from "./find-container.ts";
import { type SpdyStream, spdyConnection, type Transport } from "./spdy.ts";

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
export async function forwardConnection(
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
