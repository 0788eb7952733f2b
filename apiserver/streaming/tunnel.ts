// Upgraded connections: joins the client's with an upstream one, or refuses in plain HTTP.
import { type ClientRequest, type IncomingMessage, STATUS_CODES } from "node:http";
import { type Duplex, Readable } from "node:stream";
import type { WebSocket, WebSocketServer } from "ws";
import { type ApiReply, replyError } from "../request/request-response.ts";

/** A request that upgrades its connection; `head` is what follows it in its first packet. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Path and query of the request, taken apart. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The query as it was written, with its question mark, or nothing. */
  readonly search: string;
  /** Called for every part of a stream that is sent. */
  readonly onChunk: (part: Buffer | string) => void;
}
/** The status of an upgraded connection. */
export const switchingProtocols = 101;

/** Answers an upgrade with a plain response, and closes the connection. */
export function respond(socket: Duplex, reply: ApiReply): void {
  const { status, headers = {} } = reply;
  const headerPairs = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value]),
  );
  const length = "stream" in reply ? [] : [["content-length", Buffer.byteLength(reply.body)]];
  const lines = [...headerPairs, ...length, ["connection", "close"]].map(([name, value]) => `${name}: ${value}`);
  socket.write([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, "\r\n"].join("\r\n"));
  if ("stream" in reply)
    Readable.from(reply.stream)
      .on("error", () => socket.destroy())
      .pipe(socket);
  else socket.end(reply.body);
}

/** The same with an error. */
export const refuse = (socket: Duplex, e: unknown): void => respond(socket, replyError(e));

/** Pipes two connections into each other; when one ends, so does the other. */
function splice(near: Duplex, far: Duplex): void {
  near.pipe(far).pipe(near);
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}

function headOf(response: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`];
  for (let i = 0; i < response.rawHeaders.length; i += 2)
    lines.push(`${response.rawHeaders[i]}: ${response.rawHeaders[i + 1]}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Passes on a response that is no upgrade, and closes the connection. */
export function echo(socket: Duplex, response: IncomingMessage): void {
  socket.write(headOf(response));
  response.pipe(socket);
}

/** What happens when the upstream does not upgrade. */
export interface Otherwise {
  onResponse(response: IncomingMessage): void;
  failed(e: NodeJS.ErrnoException): void;
}

/** Completes the handshake, and closes the WebSocket when `use` has settled. Messages of the client are not read. */
export function openWebSocket(
  handshakes: WebSocketServer,
  { request, socket, head }: Upgrade,
  use: (ws: WebSocket) => Promise<void>,
): void {
  handshakes.handleUpgrade(request, socket, head, (ws) => {
    ws.on("error", () => {});
    ws.on("message", () => {});
    use(ws).then(
      () => ws.close(1000),
      () => ws.terminate(),
    );
  });
}

/** Sends an upgrade to the upstream, and joins the connections when it is accepted. */
export function join({ socket, head }: Upgrade, upstream: ClientRequest, otherwise: Otherwise): void {
  upstream.once("upgrade", (response, far: Duplex, first: Buffer) => {
    socket.write(headOf(response));
    if (first.length > 0) socket.write(first);
    if (head.length > 0) far.write(head);
    splice(socket, far);
  });
  upstream.once("response", otherwise.onResponse);
  upstream.once("error", otherwise.failed);
  socket.once("close", () => upstream.destroy());
  upstream.end();
}
