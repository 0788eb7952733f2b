// Transports of SPDY: a socket, or the messages of a WebSocket.
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { drained } from "../back-pressure.ts";
import { messagesIn, send } from "./messages.ts";
import type { Transport } from "./spdy.ts";

async function* withHead(socket: Duplex, head: Buffer): AsyncIterable<Buffer> {
  if (head.length > 0) yield head;
  // The end of the client's input does not end the output.
  yield* socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

/** A socket after its upgrade; `head` holds the bytes after the request. */
export const overSocket = (socket: Duplex, head: Buffer): Transport => ({
  incoming: withHead(socket, head),
  async send(bytes) {
    if (!socket.destroyed && !socket.write(bytes)) await drained(socket);
  },
});

/** SPDY tunnelled through the messages of a WebSocket. */
export const overWebSocket = (socket: WebSocket): Transport => ({
  incoming: messagesIn(socket),
  send: (bytes) => send(socket, bytes),
});
