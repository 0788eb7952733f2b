// Upgraded requests: exec, attach and port forwarding, over WebSocket or SPDY.
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { KubeletView } from "../kubelet.ts";
import type { CheckAccess } from "./access.ts";
import { overChannels } from "./channels.ts";
import { Refused } from "./find-container.ts";
import {
  forwardChannels,
  portsIn,
  type Dialer,
  dialer,
  forwardPorts,
  forwardProtocol,
  tunnelProtocol,
} from "./port-forward.ts";
import {
  channelProtocols,
  negotiate,
  namesIn,
  portChannelProtocols,
  type SessionProtocol,
  spdyProtocols,
  runSession,
  type Prepared,
  prepareSession,
} from "./remote-command.ts";
import { spdyConnection } from "./spdy.ts";
import { expected, collectStreams, overStreams } from "./spdy-session.ts";
import { overSocket, overWebSocket } from "./transports.ts";

/** A connection to be upgraded; `head` holds the bytes after the request. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}
/** Upgrades the connection and serves it. */
type Upgrader = (u: Upgrade) => void;
interface UpgradeContext {
  readonly view: KubeletView;
  readonly request: IncomingMessage;
  readonly signal: AbortSignal;
}

/** The HTTP status of an error. */
export const statusOf = (e: unknown): number => (e instanceof Refused ? e.status : 500);

const isWebSocket = (request: IncomingMessage): boolean => request.headers.upgrade?.toLowerCase() === "websocket";
const offeredTo = (request: IncomingMessage): readonly string[] => namesIn(request.headers["sec-websocket-protocol"]);

// The protocol is negotiated here, because the library rejects names with a slash.
const handshakes = new WebSocketServer({ noServer: true });
const negotiated = new WeakMap<IncomingMessage, string>();
handshakes.on("headers", (headers, request) => {
  const protocol = negotiated.get(request);
  if (protocol) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
});

function overWebSockets(protocol: string, work: (socket: WebSocket) => Promise<void>): Upgrader {
  return ({ request, socket, head }) => {
    request.headers["sec-websocket-protocol"] = undefined;
    negotiated.set(request, protocol);
    handshakes.handleUpgrade(request, socket, head, (ws) => {
      ws.on("error", () => {});
      work(ws).then(
        () => ws.close(1000),
        () => ws.terminate(),
      );
    });
  };
}

function overSpdy(protocol: string, work: (socket: Duplex, head: Buffer) => Promise<void>): Upgrader {
  const lines = ["Connection: Upgrade", "Upgrade: SPDY/3.1", `X-Stream-Protocol-Version: ${protocol}`];
  return ({ socket, head }) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
    work(socket, head).then(
      () => socket.end(),
      () => socket.destroy(),
    );
  };
}

function negotiateSpdy<P extends { readonly name: string }>(request: IncomingMessage, known: readonly P[]): P {
  const header = request.headers["x-stream-protocol-version"];
  if (header === undefined)
    throw new Refused(400, "unable to upgrade: header X-Stream-Protocol-Version does not exist in request");
  const offered = namesIn(header);
  const protocol = negotiate(offered, known);
  const names = known.map((p) => p.name);
  if (protocol === undefined)
    throw new Refused(
      403,
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${names.join(" ")}]`,
      { "X-Accepted-Stream-Protocol-Versions": names },
    );
  return protocol;
}

function negotiateChannels(request: IncomingMessage, known: readonly SessionProtocol[]): SessionProtocol {
  const protocol = negotiate(offeredTo(request), known);
  if (protocol === undefined) throw new Refused(400, "unable to upgrade: none of the WebSocket protocols is known");
  return protocol;
}

async function overConnection(
  { view, signal }: UpgradeContext,
  prepared: Prepared,
  what: string,
  protocol: SessionProtocol,
  { socket, head }: Pick<Upgrade, "socket" | "head">,
): Promise<void> {
  const streams = collectStreams(expected(prepared.streams, protocol), view.world.clock, signal);
  const connection = spdyConnection(overSocket(socket, head), streams.add);
  await runSession(prepared, what, overStreams(await streams.opened, protocol, connection.left));
  await connection.goAway();
}

async function session(
  context: UpgradeContext,
  what: "exec" | "attach",
  a: { namespace: string; pod: string; container: string },
  query: URLSearchParams,
): Promise<Upgrader> {
  const { view, request, signal } = context;
  const prepared = await prepareSession(view, what, a, query, signal);
  if (isWebSocket(request)) {
    const protocol = negotiateChannels(request, channelProtocols);
    return overWebSockets(protocol.name, (socket) =>
      runSession(prepared, what, overChannels(socket, protocol, prepared.streams)),
    );
  }
  const protocol = negotiateSpdy(request, spdyProtocols);
  return overSpdy(protocol.name, (socket, head) => overConnection(context, prepared, what, protocol, { socket, head }));
}

function ports(request: IncomingMessage, query: URLSearchParams, dialing: Dialer): Upgrader {
  if (!isWebSocket(request)) {
    const { name } = negotiateSpdy(request, [{ name: forwardProtocol }]);
    return overSpdy(name, (socket, head) => forwardPorts(dialing, overSocket(socket, head)));
  }
  if (offeredTo(request).includes(tunnelProtocol))
    return overWebSockets(tunnelProtocol, (socket) => forwardPorts(dialing, overWebSocket(socket)));
  const requested = portsIn(query);
  const protocol = negotiateChannels(request, portChannelProtocols);
  return overWebSockets(protocol.name, (socket) => forwardChannels(dialing, requested, socket, protocol));
}

/** Checks the request, so that it can be refused before the upgrade. */
async function prepare(context: UpgradeContext): Promise<Upgrader> {
  const { pathname, searchParams } = new URL(context.request.url ?? "/", "https://kubelet");
  const [what, namespace = "", pod = "", container = ""] = pathname.slice(1).split("/").map(decodeURIComponent);
  if (what === "exec" || what === "attach") return session(context, what, { namespace, pod, container }, searchParams);
  if (what === "portForward")
    return ports(context.request, searchParams, await dialer(context.view, { namespace, pod }, context.signal));
  throw new Refused(404, "404 page not found");
}

function refuse(socket: Duplex, e: unknown): void {
  const body = (e as Error).message;
  const more = e instanceof Refused ? Object.entries(e.headers) : [];
  const head = [
    `HTTP/1.1 ${statusOf(e)} ${STATUS_CODES[statusOf(e)]}`,
    "content-type: text/plain; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
    ...more.flatMap(([name, values]) => values.map((value) => `${name}: ${value}`)),
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** Serves an upgraded request until its connection closes. */
export async function upgrade(view: KubeletView, u: Upgrade, check: CheckAccess, signal: AbortSignal): Promise<void> {
  const left = new AbortController();
  u.socket.once("close", () => left.abort());
  u.socket.on("error", () => {});
  try {
    await check(u.request);
    const upgrader = await prepare({ view, request: u.request, signal: AbortSignal.any([signal, left.signal]) });
    upgrader(u);
  } catch (e) {
    refuse(u.socket, e);
  }
}
