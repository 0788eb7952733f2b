// A bare server for idle watches: responds to each request with headers and one line over HTTP/1.1 or HTTP/2, and keeps
// it open.
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { ServerSpec } from "./served.ts";

/** Listens on a free port, which it returns. */
export function serveOpen({ ca, serving }: Pick<ServerSpec, "ca" | "serving">): Promise<number> {
  const tls = { ca, ...serving, requestCert: true, allowHTTP1: true };
  const server = createSecureServer({ ...tls, settings: { maxConcurrentStreams: 1000 } }, (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write("\n");
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}
