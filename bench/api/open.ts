// The least a server can do for clients that listen: it begins an answer to each, over either version of HTTP, and says
// no more.
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Order } from "./served.ts";

/** Listens on a free port. */
export function serveOpen({ ca, serving }: Pick<Order, "ca" | "serving">): Promise<number> {
  const tls = { ca, ...serving, requestCert: true, allowHTTP1: true };
  const server = createSecureServer({ ...tls, settings: { maxConcurrentStreams: 1000 } }, (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write("\n");
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}
