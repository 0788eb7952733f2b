// WebSocket messages with back-pressure, and the transports of SPDY: a socket, or such messages.
import { createWebSocketStream, type WebSocket } from "ws";
import type { Duplex } from "node:stream";
import { drained } from "../back-pressure.ts";
import type { Transport } from "./spdy.ts";

/** The messages in order; a slow reader slows the sender down. Ends with the connection. */
export function messagesIn(socket: WebSocket): AsyncIterable<Buffer> {
  const stream = createWebSocketStream(socket, { readableObjectMode: true });
  // A broken connection ends the iteration like a closed one.
  stream.on("error", () => {});
  return (async function* () {
    try {
      for await (const message of stream.iterator({ destroyOnReturn: false })) yield Buffer.from(message as Buffer);
    } catch {
      // See above.
    }
  })();
}

/** Resolves when the message is written, so that a fast writer waits; at once when the socket is closed. */
export const send = (socket: WebSocket, message: Buffer | string): Promise<void> =>
  new Promise((resolve) => {
    if (socket.readyState === socket.OPEN) socket.send(message, () => resolve());
    else resolve();
  });

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
