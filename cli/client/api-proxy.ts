// Passes requests on to an API server with the credentials of a connection, also those that upgrade.
import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ApiAccess, httpOf, tlsOptions } from "./connection.ts";
import { plainText } from "./static-files.ts";
import { headersOf } from "./websocket.ts";

/** Headers of one hop (RFC 9110, section 7.6.1), and those that the request to the server has of its own. */
const ofHop = [
  "connection",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Headers as they are passed on; those that `Connection` names are of one hop too. */
function passedOn(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  const entries = Object.entries(headers).filter(([name]) => !ofHop.includes(name) && !named.includes(name));
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

export interface ApiProxy {
  /** Passes on a request for this path of the server. */
  pass(request: IncomingMessage, response: ServerResponse, path: string): void;
  /** Passes on a request that upgrades its connection. */
  passUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, path: string): void;
}

/** The head of a response, as it is sent on a socket. */
function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = Array.from(
    { length: rawHeaders.length / 2 },
    (_, i) => `${rawHeaders[2 * i]}: ${rawHeaders[2 * i + 1]}`,
  );
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** A proxy to the server. With `appendPath`, the path of the server's URL precedes those of requests. */
export function apiProxy(access: ApiAccess, appendPath: boolean): ApiProxy {
  const http = httpOf(access);
  const agent: Agent = new http.Agent({ ...tlsOptions(access), keepAlive: true });
  const base = new URL(access.server);
  const prefix = appendPath ? base.pathname.replace(/\/$/, "") : "";
  const send = (request: IncomingMessage, path: string, more: Record<string, string>): ClientRequest => {
    // Credentials of the client itself precede those of the kubeconfig.
    const { authorization } = request.headers;
    const headers = { ...headersOf(access), ...passedOn(request.headers), ...more };
    return http.request(new URL(prefix + path, base.origin), {
      method: request.method ?? "GET",
      agent,
      headers: authorization === undefined ? headers : { ...headers, authorization },
    });
  };
  return {
    pass(request, response, path) {
      const call = send(request, path, { "x-forwarded-for": request.socket.remoteAddress ?? "" });
      call.on("response", (reply: IncomingMessage) => {
        response.writeHead(reply.statusCode ?? 502, passedOn(reply.headers));
        pipeline(reply, response).catch(() => {});
      });
      call.on("error", (error) => {
        if (response.headersSent) response.destroy();
        else plainText(response, 500, error.message);
      });
      response.on("close", () => call.destroy());
      pipeline(request, call).catch(() => {});
    },
    passUpgrade(request, socket, head, path) {
      const { upgrade = "" } = request.headers;
      const call = send(request, path, { connection: "Upgrade", upgrade });
      const join = (reply: IncomingMessage, server: Duplex, rest: Buffer): void => {
        socket.write(headOf(reply));
        socket.write(rest);
        server.write(head);
        pipeline(socket, server).catch(() => {});
        pipeline(server, socket).catch(() => {});
      };
      call.on("upgrade", join);
      call.on("response", (reply: IncomingMessage) => {
        socket.write(headOf(reply));
        pipeline(reply, socket).catch(() => {});
      });
      call.on("error", () => socket.destroy());
      socket.on("error", () => call.destroy());
      call.end();
    },
  };
}
