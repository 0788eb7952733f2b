// The connection of port-forward, and the connections in it.
//
// SPDY/3.1 carries two streams for each connection: data, and an error message. Newer API servers accept it inside a
// WebSocket (KEP-4006), which passes proxies; all of them accept the plain upgrade to SPDY, which is the fallback. The
// older WebSocket protocol v4.channel.k8s.io is accepted by all too, but cannot end one direction of a connection.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { ApiError } from "../../api/errors.ts";
import { drained } from "../../kubelet/back-pressure.ts";
import { forwardProtocol, tunnelProtocol } from "../../kubelet/server/port-forward.ts";
import { type SpdyConnection, type SpdyStream, spdyConnection } from "../../kubelet/server/spdy.ts";
import { overSocket, overWebSocket } from "../../kubelet/server/transports.ts";
import { CliError } from "../cli-error.ts";
import { type ApiAccess, errorFrom, httpOf, textOf, tlsOptions, unreachable } from "./connection.ts";
import { headersOf, openWebSocket, urlOf } from "./websocket.ts";

const refuseStream = (stream: SpdyStream): void => void stream.reset();

/** A connection to a pod, and what closes it. */
export interface PodConnection extends Pick<SpdyConnection, "left" | "open"> {
  close(): void;
}

async function overTunnel(access: ApiAccess, path: string): Promise<PodConnection> {
  const socket = await openWebSocket(access, path, tunnelProtocol);
  const { left, open } = spdyConnection(overWebSocket(socket), refuseStream);
  return { left, open, close: () => socket.terminate() };
}

function overUpgrade(access: ApiAccess, path: string): Promise<PodConnection> {
  const headers = {
    ...headersOf(access),
    connection: "Upgrade",
    upgrade: "SPDY/3.1",
    "x-stream-protocol-version": forwardProtocol,
  };
  const request = httpOf(access).request(urlOf(access, path), { method: "POST", headers, ...tlsOptions(access) });
  return new Promise((resolve, reject) => {
    request.on("upgrade", (_response: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on("error", () => {});
      const { left, open } = spdyConnection(overSocket(socket, head), refuseStream);
      resolve({ left, open, close: () => socket.destroy() });
    });
    request.on("response", (response: IncomingMessage) => {
      textOf(response).then((text) => reject(errorFrom(response.statusCode ?? 0, text)), reject);
    });
    request.on("error", (error) => reject(unreachable(access, error)));
    request.end();
  });
}

/** Connects to a pod. Throws CliError in kubectl's words. */
export async function connectToPod(access: ApiAccess, path: string): Promise<PodConnection> {
  try {
    return await overTunnel(access, path).catch((error: unknown) => {
      if (error instanceof ApiError) return overUpgrade(access, path);
      throw error;
    });
  } catch (error) {
    throw error instanceof ApiError ? new CliError(`error upgrading connection: ${error.message}`) : error;
  }
}

/** Copies what the local client sends, until it ends its side. */
async function sendAll(socket: Duplex, data: SpdyStream): Promise<void> {
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) await data.write(chunk as Buffer);
  } finally {
    await data.finish();
  }
}

async function receiveAll(data: SpdyStream, socket: Duplex): Promise<void> {
  for await (const chunk of data.incoming) if (!socket.write(chunk)) await drained(socket);
}

/** Forwards one local connection until the pod ends it. Returns the error of the pod's side. */
export async function forwardConnection(
  connection: Pick<PodConnection, "open">,
  socket: Duplex,
  { remote, requestId }: { readonly remote: number; readonly requestId: number },
): Promise<string | undefined> {
  // The side that closes first breaks the other's writing; that is no error.
  socket.on("error", () => {});
  const headers = { port: String(remote), requestid: String(requestId) };
  const errors = await connection.open({ streamtype: "error", ...headers });
  await errors.finish();
  const data = await connection.open({ streamtype: "data", ...headers });
  const message = textOf(errors.incoming);
  const broken = Promise.withResolvers<void>();
  sendAll(socket, data).catch(() => broken.resolve());
  await Promise.race([receiveAll(data, socket), broken.promise]);
  // Unsent data would keep the error stream waiting.
  await data.reset();
  socket.end();
  return (await message) || undefined;
}
