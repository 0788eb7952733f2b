// WebSockets as the rest of the server wants them: messages in with back-pressure, messages out that resolve when sent.
import { createWebSocketStream, type WebSocket } from "ws";

/** Every message in order; whoever reads slowly slows the sender down. Ends when the connection does. */
export function messagesIn(socket: WebSocket): AsyncIterable<Buffer> {
  const stream = createWebSocketStream(socket, { readableObjectMode: true });
  // A connection that breaks off is one that has ended; whoever reads is told so by the end of the messages.
  stream.on("error", () => {});
  return (async function* () {
    try {
      for await (const message of stream.iterator({ destroyOnReturn: false })) yield Buffer.from(message as Buffer);
    } catch {
      // See above.
    }
  })();
}

/** Resolves when the message is on its way, so a fast writer waits for a slow reader; at once when nobody is there. */
export const sent = (socket: WebSocket, message: Buffer | string): Promise<void> =>
  new Promise((resolve) => {
    if (socket.readyState === socket.OPEN) socket.send(message, () => resolve());
    else resolve();
  });
