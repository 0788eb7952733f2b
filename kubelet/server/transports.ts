// What carries SPDY: a connection as it is, or the messages of a WebSocket.
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { room } from "../back-pressure.ts";
import { messagesIn, sent } from "./messages.ts";
import type { Transport } from "./spdy.ts";

async function* withHead(socket: Duplex, head: Buffer): AsyncIterable<Buffer> {
  if (head.length > 0) yield head;
  // Whoever stops reading still has something to say.
  yield* socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

/** A connection that has already become SPDY; `head` came with its first packet. */
export const overSocket = (socket: Duplex, head: Buffer): Transport => ({
  incoming: withHead(socket, head),
  async send(bytes) {
    if (!socket.destroyed && !socket.write(bytes)) await room(socket);
  },
});

/** SPDY in the messages of a WebSocket. */
export const overWebSocket = (socket: WebSocket): Transport => ({
  incoming: messagesIn(socket),
  send: (bytes) => sent(socket, bytes),
});
