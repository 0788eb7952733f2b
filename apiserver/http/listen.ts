// Listens on one port with TLS, HTTP/1.1 and HTTP/2, through Fastify. Everything behind it is requests and replies as
// data.
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { IncomingMessage, Server } from "node:http";
import { type ServerHttp2Stream, constants } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { assert } from "../../api/errors.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { World } from "../../machinery/world.ts";
import { proxyRoutes } from "../proxy/target.ts";
import { newUid } from "../registry/prepare.ts";
import { isOpen, requestInfo, resourcePath, snapshotPath } from "../request/path.ts";
import {
  RequestLifetime,
  HttpRequest,
  type Receiving,
  accessOf,
  receive,
  traced,
  traceSince,
} from "./incoming-request.ts";
import type { Envelope } from "../authentication/authenticate.ts";
import { encodeResponse } from "../response/encode.ts";
import { type ApiReply, type ApiRequest, replyError, statusOf } from "../request/request-response.ts";
import type { RequestMetrics } from "../metrics/metrics.ts";
import { send, protocolError, refuseConnection } from "./send.ts";
import type { Upgrading } from "./upgrades.ts";
import { refuse } from "../streaming/tunnel.ts";

/** The certificate and key of the server, and the authority of client certificates. */
export interface ServerTls {
  readonly ca: Buffer | string;
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
}
export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls;
  readonly timeouts?: ConnectionTimeouts;
}
/** Limits for clients that send or read nothing. */
export interface ConnectionTimeouts {
  /** For all headers of a request. */
  readonly headersMs: number;
  /** For the next part of its body. */
  readonly bodyMs: number;
  /** For the next request on a connection. */
  readonly idleMs: number;
  /** Until events that were sent have been read. */
  readonly readMs: number;
}
const defaultTimeouts: ConnectionTimeouts = { headersMs: 32_000, bodyMs: 60_000, idleMs: 90_000, readMs: 30_000 };

/** What the listener calls: authentication, authorization, audit, handlers of requests and of upgrades, metrics. */
export interface Handlers extends Receiving {
  readonly requestMetrics: Pick<RequestMetrics, "begin">;
  readonly handle: (request: ApiRequest) => Promise<ApiReply>;
  readonly upgrade: (request: IncomingMessage, socket: TLSSocket, head: Buffer, by: Upgrading) => Promise<number>;
}

const bodyLimit = 3 * 1024 * 1024;
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/** Of all headers together, the address included: selectors may be long. */
const headerLimit = 1024 * 1024;
/** So many requests at once may share a connection. */
const streamLimit = 1000;
/** Time for open requests to end when the server stops, in milliseconds. */
const stopMs = 2000;

/** Ends a request whose body is incomplete: the connection with HTTP/1.1, its stream with HTTP/2. */
function hangUp(raw: FastifyRequest["raw"] & { readonly stream?: ServerHttp2Stream }): void {
  if (raw.stream) raw.stream.close(constants.NGHTTP2_CANCEL);
  else raw.destroy();
}

/**
 * An HTTP/2 request may have a body without a content length; Fastify reads bodies only with that or a transfer
 * encoding.
 */
function announceBody({ headers, stream }: FastifyRequest["raw"] & { readonly stream?: ServerHttp2Stream }): void {
  if (stream && !stream.endAfterHeaders && headers["content-length"] === undefined)
    headers["transfer-encoding"] = "chunked";
}

const hasBody = ({ headers }: FastifyRequest["raw"]): boolean =>
  headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;

function create({ tls, timeouts = defaultTimeouts }: Listening, { clock }: World): FastifyInstance {
  const { headersMs, bodyMs, idleMs, readMs } = timeouts;
  // One server for both versions of HTTP; to handlers it looks as if there were only the first.
  const app = Fastify({
    http2: true,
    https: {
      allowHTTP1: true,
      ...tls,
      ...{ requestCert: true, rejectUnauthorized: false },
      // Node sets this for HTTP servers only. Without it, a connection's first response waits for a delayed ACK: 40 ms.
      ...{ noDelay: true },
      ...{
        maxHeaderSize: headerLimit,
        settings: { maxHeaderListSize: headerLimit, maxConcurrentStreams: streamLimit },
      },
      // Bodies have a timeout of their own: without data, not in all.
      ...{ headersTimeout: headersMs, requestTimeout: 0, connectionsCheckingInterval: Math.min(headersMs, 5000) },
    },
    bodyLimit,
    keepAliveTimeout: idleMs,
    routerOptions: { maxParamLength: headerLimit },
    frameworkErrors: (e, _request, to) => {
      const { raw } = (to as unknown as FastifyReply).hijack();
      send(raw, replyError(protocolError(e, bodyLimit)), { clock, readMs }).catch(() => {});
    },
    clientErrorHandler: (e, socket) => refuseConnection(e, socket as Socket),
  }) as unknown as FastifyInstance;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.addHook("onRequest", ({ raw }, _to, done) => {
    announceBody(raw);
    if (hasBody(raw)) raw.setTimeout(bodyMs, () => hangUp(raw));
    done();
  });
  return app;
}

/** Registers the routes: receives, handles, responds, counts and logs. */
function serve(
  app: FastifyInstance,
  world: World,
  { handle, requestMetrics, readMs, ...receiving }: Handlers & Pick<ConnectionTimeouts, "readMs">,
  signal: AbortSignal,
): void {
  const { clock } = world;
  app.decorateRequest("received");
  // A random prefix and a counter, which is cheaper than a random number per request.
  const first = newUid(world.random).slice(0, -12);
  let count = 0;
  const finish = async (
    from: FastifyRequest,
    to: FastifyReply,
    response: ApiReply,
    inFlight = requestMetrics.begin(from, from.received.attributes),
  ): Promise<void> => {
    const { began, id, attributes, user, path, trace, audit } = from.received;
    const isStream = "stream" in response;
    audit?.responds(response);
    if (isStream) inFlight.becomeLongRunning();
    to.hijack();
    const headers = { "audit-id": id, "cache-control": "no-cache, private", ...response.headers };
    let bytes = 0;
    try {
      bytes = await send(to.raw, { ...response, headers }, { clock, readMs, onChunk: inFlight.onChunk });
    } catch (e) {
      // A started response cannot be replaced: it is aborted.
      world.log("an answer broke off", { path, error: (e as Error).message });
      to.raw.destroy();
    }
    const ms = clock.now() - began;
    inFlight.end(response.status, ms, bytes);
    from.received.span?.end({ code: response.status });
    audit?.completes(response.status);
    if (isOpen(path)) return;
    const about = { verb: attributes.verb, uri: from.raw.url, code: response.status, ms };
    world.log("request", { ...about, user: user.name, agent: from.headers["user-agent"], id });
    trace.record("sent");
    const slow = isStream ? undefined : trace.slow();
    if (slow !== undefined) world.log("a slow request", { ...about, steps: slow, id });
  };
  app.addHook("onRequest", async (from, to) => {
    const id = from.headers["audit-id"] ?? `${first}${(count++).toString(16).padStart(12, "0")}`;
    const began = clock.now();
    const received = await receive(from, { began, id: `${id}`, trace: traceSince(began, clock) }, receiving);
    from.received = world.tracer ? traced(received, from.headers, world.tracer) : received;
    const { refused, query, audit } = from.received;
    if (!refused) return;
    const refusal = replyError(refused);
    audit?.responds(refusal);
    const response = encodeResponse(refusal, { query, headers: from.headers });
    await finish(from, to, { ...response, headers: { ...response.headers, "x-content-type-options": "nosniff" } });
  });
  const handler = async (from: FastifyRequest, to: FastifyReply): Promise<void> => {
    if (hasBody(from.raw)) from.raw.setTimeout(0);
    const lifetime = new RequestLifetime(to.raw, signal);
    const { attributes, trace } = from.received;
    const inFlight = requestMetrics.begin(from, attributes);
    trace.record("received");
    const response = await handle(new HttpRequest(from, lifetime));
    trace.record("handled");
    await finish(from, to, response, inFlight);
    lifetime.end();
  };
  app.setErrorHandler((e: FastifyError, from, to) => finish(from, to, replyError(protocolError(e, bodyLimit))));
  const routeOptions = { method: methods, handler };
  app.route({ ...routeOptions, url: "/*" });
  void app.register(async (passing) => {
    // What is only passed on is not read here, however long it is.
    passing.removeAllContentTypeParsers();
    passing.addContentTypeParser("*", (_request, body, done) => done(null, body));
    for (const url of [...proxyRoutes, snapshotPath]) passing.route({ ...routeOptions, url });
  });
}

function serveUpgrades(
  server: Server,
  world: World,
  { identify, authorizer, auditor, upgrade, requestMetrics }: Handlers,
): void {
  const begin = async (request: IncomingMessage, socket: TLSSocket, head: Buffer): Promise<void> => {
    const began = world.clock.now();
    const { pathname: path, searchParams: query } = new URL(request.url ?? "/", "https://apiserver");
    const attributes = requestInfo(request.method ?? "GET", { path, place: resourcePath(path) }, query);
    const known = await identify(request as unknown as Envelope);
    const { method = "GET", url = "/", headers } = request;
    const id = `${headers["audit-id"] ?? newUid(world.random)}`;
    const { remoteAddress } = socket;
    const audit = auditor?.({ id, began, attributes, url, headers, remoteAddress, user: known, isLongRunning: true });
    const { user, refused } = await accessOf(known, { attributes, path, raw: request, audit }, authorizer);
    const inFlight = requestMetrics.begin({ method, url, headers }, attributes);
    const ended = (code: number): void => {
      inFlight.end(code, world.clock.now() - began);
      audit?.completes(code);
    };
    if (refused) {
      audit?.responds(replyError(refused));
      refuse(socket, refused);
      return ended(statusOf(refused).code);
    }
    world.log("session", { method, path, user: user.name });
    inFlight.becomeLongRunning();
    const left = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const code = await upgrade(request, socket, head, { user, onChunk: inFlight.onChunk });
    audit?.responds({ status: code });
    await left;
    ended(code);
  };
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    begin(request, socket as TLSSocket, head as Buffer).catch((e: unknown) => {
      world.log("a session broke off", { path: request.url, error: String(e) });
      socket.destroy();
    });
  });
}

/**
 * Stops in three steps: no new connections, and idle ones are closed; requests in flight complete, and watches end;
 * what remains after a timeout is destroyed.
 */
function closing(server: Server, world: World, signal: AbortSignal): Promise<void> {
  const connections = new Set<Socket>();
  server.on("connection", (connection: Socket) => {
    connections.add(connection);
    connection.once("close", () => connections.delete(connection));
  });
  return new Promise((resolve) => {
    onAbort(signal, () => {
      const done = new AbortController();
      server.close(() => done.abort());
      server.closeIdleConnections();
      const cutOff = (): void => {
        for (const connection of connections) connection.destroy();
      };
      void world.clock
        .sleep(stopMs, done.signal)
        .then(cutOff, () => {})
        .then(resolve);
    });
  });
}

/**
 * Serves until the signal is aborted; settles when the last connection is closed. Resolves with the port once it
 * listens.
 */
export async function listen(
  at: Listening,
  world: World,
  handlers: Handlers,
  signal: AbortSignal,
): Promise<{ readonly port: number; readonly closed: Promise<void> }> {
  const app = create(at, world);
  serve(app, world, { ...handlers, ...(at.timeouts ?? defaultTimeouts) }, signal);
  const server = app.server as unknown as Server;
  serveUpgrades(server, world, handlers);
  const closed = closing(server, world, signal);
  await app.listen({ host: at.host, port: at.port });
  const address = server.address();
  assert(typeof address === "object" && address !== null, "a listening server has an address");
  return { port: address.port, closed };
}
