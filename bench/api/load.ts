// What clients do to a server: many requests at once, and many that only listen.
import { once } from "node:events";
import { Agent, request } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import autocannon from "autocannon";
import type { Served, Trust } from "./process.ts";

/** Requests a second that a server answers to 50 clients who ask again as soon as they are answered. */
export async function rate(
  server: Served,
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

/** One request and its whole answer. */
export type Ask = (method: string, path: string, body?: string) => Promise<string>;
export function asking(server: Served, { ca, admin }: Trust): Ask {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  return async (method, path, body) => {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = body === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(body) };
    const asked = request(server.url + path, { method, agent, ca, cert: admin.cert, key: admin.key, headers });
    asked.end(body);
    const [response] = await once(asked, "response");
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    if (response.statusCode > 299) throw new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`);
    return text;
  };
}

/** Clients that only listen, each over a connection of its own. */
export interface Audience {
  /** Milliseconds from telling something until the last of them has heard it. */
  hears(tell: () => Promise<unknown>): Promise<number>;
  leave(): void;
}

/** Opens `count` watches and waits until all of them have begun. */
export async function audience(server: Served, { ca, admin }: Trust, path: string, count: number): Promise<Audience> {
  let left = 0;
  let heard = (): void => {};
  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ host: "127.0.0.1", port: server.port, ca, cert: admin.cert, key: admin.key });
    await once(socket, "secureConnect");
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n`);
    await once(socket, "data");
    socket.on("data", (bytes: Buffer) => {
      if (bytes.includes('"MODIFIED"') && --left === 0) heard();
    });
    return socket;
  };
  const sockets: TLSSocket[] = [];
  while (sockets.length < count) sockets.push(...(await Promise.all(Array.from({ length: 50 }, open))));
  return {
    async hears(tell) {
      left = sockets.length;
      const all = new Promise<void>((resolve) => {
        heard = resolve;
      });
      const began = performance.now();
      await Promise.all([tell(), all]);
      return performance.now() - began;
    },
    leave() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
