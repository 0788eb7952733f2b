// Port forwarding over SPDY: for every connection kubectl opens a stream of data and one of errors, both naming the
// port.
import type { KubeletView } from "../kubelet.ts";
import { room } from "../back-pressure.ts";
import { liveSandbox } from "../pod/runs.ts";
import type { ByteStream } from "../runtime.ts";
import { findPod, Refused } from "./find-container.ts";
import { type SpdyStream, spdyConnection, type Transport } from "./spdy.ts";

/** What carries it: SPDY as it is, or SPDY inside a WebSocket. */
export const forwardProtocol = "portforward.k8s.io";
export const tunnelProtocol = `SPDY/3.1+${forwardProtocol}`;

/** Opens connections to the ports of one pod. */
export interface Dialer {
  /** The pod's name and identity, as errors speak of it. */
  readonly pod: string;
  dial(port: number): Promise<ByteStream>;
}

/** Says no before anything is upgraded when the pod has no network to connect to. */
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

async function carryIn(from: AsyncIterable<Uint8Array>, to: ByteStream): Promise<void> {
  for await (const chunk of from) if (!to.input.write(chunk) && !to.input.destroyed) await room(to.input);
  to.input.end();
}

/** Carries one connection until the pod has said everything; says what went wrong when it could not be made. */
export async function carry(
  { pod, dial }: Dialer,
  port: number,
  from: AsyncIterable<Uint8Array>,
  to: (data: Uint8Array) => Promise<void>,
): Promise<string | undefined> {
  try {
    const connection = await dial(port);
    // Whoever hangs up first ends the other's writing; that is not worth a word.
    connection.input.on("error", () => {});
    carryIn(from, connection).catch(() => {});
    for await (const chunk of connection.output) await to(chunk as Buffer);
    return undefined;
  } catch (e) {
    return `error forwarding port ${port} to pod ${pod}: ${(e as Error).message}`;
  }
}

async function carryPair(dialing: Dialer, data: SpdyStream, errors: SpdyStream): Promise<void> {
  const wrong = await carry(dialing, Number(data.headers["port"]), data.incoming, data.write);
  if (wrong !== undefined) await errors.write(Buffer.from(wrong));
  await errors.end();
  await data.end();
}

/** Why a stream cannot be part of a forwarded connection. Pure. */
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

/** Which connection a stream is half of. Clients that give no number open the stream of errors just before. */
const pairOf = ({ id, headers }: SpdyStream): string =>
  headers["requestid"] ?? String(headers["streamtype"] === "data" ? id - 2 : id);

/** Serves one client until it leaves. */
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
    // The client has left, and with it everybody who would want to know.
    carryPair(dialing, data, errors).catch(() => {});
  };
  await spdyConnection(transport, opened).left;
}
