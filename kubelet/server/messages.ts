// Reads and writes WebSocket messages with back-pressure.
import { createWebSocketStream, type WebSocket } from "ws";

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
