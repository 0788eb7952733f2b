// Generates load on an API server: concurrent requests, and many watches.
import { once } from "node:events";
import { Agent, request } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import autocannon from "autocannon";
import type { ServerProcess, Trust } from "./process.ts";

/** Requests per second of a closed loop of clients, 50 by default. Throws when a request fails. */
export async function rate(
  server: ServerProcess,
  { admin }: Trust,
  options: { readonly path: string; readonly seconds: number; readonly post?: string; readonly connections?: number },
): Promise<number> {
  const { path, seconds, post, connections = 50 } = options;
  const result = await autocannon({
    url: server.url + path,
    connections,
    duration: seconds,
    tlsOptions: { cert: admin.cert, key: admin.key },
    ...(post !== undefined && { method: "POST", body: post, headers: { "content-type": "application/json" } }),
  });
  if (result.non2xx + result.errors > 0) throw new Error(`${path}: ${result.non2xx} refused, ${result.errors} failed`);
  return result.requests.total / result.duration;
}

/** Sends a request and resolves with the body of the response. */
export type Send = (method: string, path: string, body?: string) => Promise<string>;
export function sender(server: ServerProcess, { ca, admin }: Trust): Send {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  return async (method, path, body) => {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = body === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(body) };
    const call = request(server.url + path, { method, agent, ca, cert: admin.cert, key: admin.key, headers });
    call.end(body);
    const [response] = await once(call, "response");
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    if (response.statusCode > 299) throw new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`);
    return text;
  };
}

/** Watches, each over its own connection. */
export interface Watches {
  /** Milliseconds from the start of a change until all watches have received its event. */
  msUntilReceived(change: () => Promise<unknown>): Promise<number>;
  close(): void;
}

/** Opens watches and waits until all have responded. */
export async function openWatches(
  server: ServerProcess,
  { ca, admin }: Trust,
  path: string,
  count: number,
): Promise<Watches> {
  let pending = 0;
  let onReceived = (): void => {};
  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ host: "127.0.0.1", port: server.port, ca, cert: admin.cert, key: admin.key });
    await once(socket, "secureConnect");
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n`);
    await once(socket, "data");
    socket.on("data", (bytes: Buffer) => {
      if (bytes.includes('"MODIFIED"') && --pending === 0) onReceived();
    });
    return socket;
  };
  const sockets: TLSSocket[] = [];
  while (sockets.length < count) sockets.push(...(await Promise.all(Array.from({ length: 50 }, open))));
  return {
    async msUntilReceived(change) {
      pending = sockets.length;
      const all = new Promise<void>((resolve) => {
        onReceived = resolve;
      });
      const began = performance.now();
      await Promise.all([change(), all]);
      return performance.now() - began;
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
