// Requests that become something else than HTTP: sessions with containers and forwarded ports, over WebSocket or SPDY.
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { KubeletView } from "../kubelet.ts";
import { overChannels } from "./channels.ts";
import { Refused } from "./find-container.ts";
import { forwardChannels, portsIn } from "./port-channels.ts";
import { type Dialer, dialer, forwardPorts, forwardProtocol, tunnelProtocol } from "./port-forward.ts";
import {
  channelProtocols,
  chosen,
  namesIn,
  portChannelProtocols,
  type SessionProtocol,
  spdyProtocols,
} from "./protocols.ts";
import { holdSession, type Prepared, prepareSession } from "./remote-command.ts";
import { spdyConnection } from "./spdy.ts";
import { expected, gathering, overStreams } from "./spdy-session.ts";
import { overSocket, overWebSocket } from "./transports.ts";

/** A connection about to change its nature; `head` came with its first packet. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}
/** What is done with the connection once it has changed. */
type Join = (u: Upgrade) => void;
/** What a request needs to be served. */
interface Ask {
  readonly view: KubeletView;
  readonly request: IncomingMessage;
  readonly signal: AbortSignal;
}

/** The HTTP status an error is answered with. */
export const statusOf = (e: unknown): number => (e instanceof Refused ? e.status : 500);

const isWebSocket = (request: IncomingMessage): boolean => request.headers.upgrade?.toLowerCase() === "websocket";
const offeredTo = (request: IncomingMessage): readonly string[] => namesIn(request.headers["sec-websocket-protocol"]);

// Protocols are agreed on here: some of their names hold a slash, which the library takes for a mistake.
const handshakes = new WebSocketServer({ noServer: true });
const agreements = new WeakMap<IncomingMessage, string>();
handshakes.on("headers", (headers, request) => {
  const agreed = agreements.get(request);
  if (agreed) headers.push(`Sec-WebSocket-Protocol: ${agreed}`);
});

function overWebSockets(agreed: string, work: (socket: WebSocket) => Promise<void>): Join {
  return ({ request, socket, head }) => {
    request.headers["sec-websocket-protocol"] = undefined;
    agreements.set(request, agreed);
    handshakes.handleUpgrade(request, socket, head, (ws) => {
      ws.on("error", () => {});
      work(ws).then(
        () => ws.close(1000),
        () => ws.terminate(),
      );
    });
  };
}

function overSpdy(agreed: string, work: (socket: Duplex, head: Buffer) => Promise<void>): Join {
  const lines = ["Connection: Upgrade", "Upgrade: SPDY/3.1", `X-Stream-Protocol-Version: ${agreed}`];
  return ({ socket, head }) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
    work(socket, head).then(
      () => socket.end(),
      () => socket.destroy(),
    );
  };
}

function agreedOnSpdy<P extends { readonly name: string }>(request: IncomingMessage, known: readonly P[]): P {
  const header = request.headers["x-stream-protocol-version"];
  if (header === undefined)
    throw new Refused(400, "unable to upgrade: header X-Stream-Protocol-Version does not exist in request");
  const offered = namesIn(header);
  const agreed = chosen(offered, known);
  const names = known.map((p) => p.name);
  if (agreed === undefined)
    throw new Refused(
      403,
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${names.join(" ")}]`,
      { "X-Accepted-Stream-Protocol-Versions": names },
    );
  return agreed;
}

function agreedOnChannels(request: IncomingMessage, known: readonly SessionProtocol[]): SessionProtocol {
  const agreed = chosen(offeredTo(request), known);
  if (agreed === undefined) throw new Refused(400, "unable to upgrade: none of the WebSocket protocols is known");
  return agreed;
}

async function overConnection(
  { view, signal }: Ask,
  prepared: Prepared,
  what: string,
  protocol: SessionProtocol,
  { socket, head }: Pick<Upgrade, "socket" | "head">,
): Promise<void> {
  const streams = gathering(expected(prepared.streams, protocol), view.world.clock, signal);
  const connection = spdyConnection(overSocket(socket, head), streams.add);
  await holdSession(prepared, what, overStreams(await streams.opened, protocol, connection.left));
  await connection.goAway();
}

async function session(
  ask: Ask,
  what: "exec" | "attach",
  a: { namespace: string; pod: string; container: string },
  query: URLSearchParams,
): Promise<Join> {
  const { view, request, signal } = ask;
  const prepared = await prepareSession(view, what, a, query, signal);
  if (isWebSocket(request)) {
    const protocol = agreedOnChannels(request, channelProtocols);
    return overWebSockets(protocol.name, (socket) =>
      holdSession(prepared, what, overChannels(socket, protocol, prepared.streams)),
    );
  }
  const protocol = agreedOnSpdy(request, spdyProtocols);
  return overSpdy(protocol.name, (socket, head) => overConnection(ask, prepared, what, protocol, { socket, head }));
}

function ports(request: IncomingMessage, query: URLSearchParams, dialing: Dialer): Join {
  if (!isWebSocket(request)) {
    const { name } = agreedOnSpdy(request, [{ name: forwardProtocol }]);
    return overSpdy(name, (socket, head) => forwardPorts(dialing, overSocket(socket, head)));
  }
  if (offeredTo(request).includes(tunnelProtocol))
    return overWebSockets(tunnelProtocol, (socket) => forwardPorts(dialing, overWebSocket(socket)));
  const wanted = portsIn(query);
  const protocol = agreedOnChannels(request, portChannelProtocols);
  return overWebSockets(protocol.name, (socket) => forwardChannels(dialing, wanted, socket, protocol));
}

/** Everything that can be refused is done before the connection changes its nature. */
async function prepare(ask: Ask): Promise<Join> {
  const { pathname, searchParams } = new URL(ask.request.url ?? "/", "https://kubelet");
  const [what, namespace = "", pod = "", container = ""] = pathname.slice(1).split("/").map(decodeURIComponent);
  if (what === "exec" || what === "attach") return session(ask, what, { namespace, pod, container }, searchParams);
  if (what === "portForward")
    return ports(ask.request, searchParams, await dialer(ask.view, { namespace, pod }, ask.signal));
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

/** Serves one such request; what was begun for it ends with its connection. */
export async function upgrade(view: KubeletView, u: Upgrade, signal: AbortSignal): Promise<void> {
  const left = new AbortController();
  u.socket.once("close", () => left.abort());
  u.socket.on("error", () => {});
  try {
    const join = await prepare({ view, request: u.request, signal: AbortSignal.any([signal, left.signal]) });
    join(u);
  } catch (e) {
    refuse(u.socket, e);
  }
}
