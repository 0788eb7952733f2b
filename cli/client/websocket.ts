// WebSockets to an API server, with the credentials of a connection.
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { succeeds } from "../../machinery/abort.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { type ApiAccess, errorFrom, textOf, tlsOptions, unreachable } from "./connection.ts";

/** How often the server is pinged: proxies close idle connections, some after a minute. */
const pingMs = 5_000;
/** How long the server may be silent before the connection counts as lost. */
const silentMs = 60_000;

/** The headers of requests, in the form of node:http. */
export const headersOf = (access: ApiAccess): Record<string, string[]> =>
  Object.fromEntries(Object.entries(access.headers ?? {}).map(([name, value]) => [name, [value].flat()]));

/** The URL of a path. The path of the server's URL is a prefix. */
export const urlOf = (access: ApiAccess, path: string): URL => new URL(access.server.replace(/\/$/, "") + path);

async function keepAlive(socket: WebSocket, signal: AbortSignal): Promise<void> {
  const { clock } = realWorld(() => {});
  let lastPong = clock.now();
  socket.on("pong", () => {
    lastPong = clock.now();
  });
  while (await succeeds(clock.sleep(pingMs, signal))) {
    if (clock.now() - lastPong > silentMs) return socket.terminate();
    socket.ping();
  }
}

/**
 * Opens a WebSocket and keeps it alive. Rejects with an ApiError when the server refuses the upgrade, with a CliError
 * when it cannot be reached.
 */
export function openWebSocket(access: ApiAccess, path: string, protocol: string): Promise<WebSocket> {
  const socket = new WebSocket(urlOf(access, path), {
    ...tlsOptions(access),
    headers: { ...headersOf(access), "sec-websocket-protocol": protocol },
    perMessageDeflate: false,
  });
  // The library refuses the names of protocols that contain a slash, so that they are negotiated here.
  socket.on("upgrade", ({ headers }) => {
    if (headers["sec-websocket-protocol"] === protocol) delete headers["sec-websocket-protocol"];
    else headers["sec-websocket-protocol"] ??= "none";
  });
  const closed = new AbortController();
  socket.on("close", () => closed.abort());
  return new Promise((resolve, reject) => {
    socket.on("open", () => {
      // Resumed by its reader, so that no message is lost before there is one.
      socket.pause();
      keepAlive(socket, closed.signal).catch(() => {});
      resolve(socket);
    });
    socket.on("unexpected-response", (request, response: IncomingMessage) => {
      textOf(response)
        .then((text) => reject(errorFrom(response.statusCode ?? 0, text)), reject)
        .finally(() => request.destroy());
    });
    socket.on("error", (error) => reject(unreachable(access, error)));
  });
}
