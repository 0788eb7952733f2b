// One HTTP/2 connection to the API server, opened on demand and reopened when it breaks. Pings detect a dead peer, so
// that a watch over it ends instead of waiting for ever.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { createSecureContext, type SecureContext } from "node:tls";
import { ApiError } from "../api/errors.ts";
import { noLongerNeeded, onAbort } from "./abort.ts";
import type { World } from "./world.ts";

/** A client's certificate and key, as PEM. */
export interface ClientPair {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}
/** The address of the server, its authority as PEM, and the client's credentials. */
export interface ServerAccess extends Partial<ClientPair> {
  readonly url: string;
  readonly ca: string | Buffer;
  /** A pair that may change; a new one is used by the next request. Instead of `cert` and `key`. */
  readonly pair?: () => ClientPair | undefined;
  /** A bearer token, for a client without a certificate. */
  readonly token?: string;
  readonly userAgent: string;
}
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
export interface HttpReply {
  readonly status: number;
  readonly revision: string | undefined;
  readonly body: Buffer;
}
/** A response whose body is still being received. */
export interface Following {
  readonly status: number;
  readonly stream: ClientHttp2Stream;
}
/** Requests with a complete response, and requests with a streamed one. */
export interface HttpSession {
  ask(request: HttpRequest): Promise<HttpReply>;
  follow(path: string, signal: AbortSignal): Promise<Following>;
}

const responseTimeoutMs = 15_000;
const pingPeriodMs = 10_000;
const pingTimeoutMs = 5_000;
const reconnectPauseMs = 200;
// The default window of 64 KiB is shared by all streams of a connection: one slow watch would block the others.
const streamWindow = 1024 * 1024;
const sessionWindow = 64 * 1024 * 1024;

/** Pings the peer periodically, and destroys the connection when a ping is not acknowledged in time. */
async function keepAlive(session: ClientHttp2Session, world: World, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    await world.clock.sleep(pingPeriodMs, ended).catch(() => {});
    if (ended.aborted) return;
    const settled = new AbortController();
    session.ping(() => settled.abort(noLongerNeeded));
    const either = AbortSignal.any([settled.signal, ended]);
    await world.clock.sleep(pingTimeoutMs, either).catch(() => {});
    if (!either.aborted) session.destroy(new Error("the server does not answer pings"));
  }
}

/** The error of a request that was cut off: it may or may not have taken effect. */
const broken = (e: unknown): ApiError =>
  new ApiError("ServiceUnavailable", `the API server cannot be reached: ${(e as Error).message}`);

/** Sends no new requests on a connection. Those in progress end; watches are cut off when no request can be left. */
function retire(session: ClientHttp2Session, world: World, signal: AbortSignal): void {
  session.close();
  world.clock.sleep(responseTimeoutMs, signal).then(
    () => session.destroy(),
    () => {},
  );
}

/**
 * The current connection, opened when the last one broke, or when the client has another certificate. While the server
 * refuses connections, all requests together try again only after a pause.
 */
function connections(access: ServerAccess, world: World, signal: AbortSignal): () => Promise<ClientHttp2Session> {
  const { url, ca, cert, key } = access;
  const fixed = cert && key ? { cert, key } : undefined;
  const currentPair = access.pair ?? (() => fixed);
  let pair: ClientPair | undefined;
  let secureContext: SecureContext | undefined;
  let session: ClientHttp2Session | undefined;
  let pause: Promise<void> | undefined;
  return async () => {
    await pause;
    const next = currentPair();
    if (!secureContext || next !== pair) {
      secureContext = createSecureContext({ ca, ...next });
      pair = next;
      if (session && !session.destroyed) retire(session, world, signal);
      session = undefined;
    }
    if (session && !session.closed && !session.destroyed) return session;
    const made = connect(url, { secureContext, settings: { initialWindowSize: streamWindow, enablePush: false } });
    const ended = new AbortController();
    const off = onAbort(signal, () => made.destroy());
    let refused = true;
    made.once("connect", () => {
      refused = false;
      made.setLocalWindowSize(sessionWindow);
    });
    // Each request handles its own errors; an unhandled error event would end the process.
    made.on("error", () => {});
    made.once("close", () => {
      off();
      ended.abort();
      if (session === made) session = undefined;
      if (refused) pause = world.clock.sleep(reconnectPauseMs, signal).catch(() => {});
    });
    void keepAlive(made, world, ended.signal);
    session = made;
    return made;
  };
}

/** The complete response of a stream; rejects when the stream ends before. */
function responseOf(stream: ClientHttp2Stream): Promise<HttpReply> {
  const chunks: Buffer[] = [];
  let head: Omit<HttpReply, "body"> | undefined;
  return new Promise((resolve, reject) => {
    const end = (): void => {
      const isComplete = head && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      if (isComplete) resolve({ ...head!, body: Buffer.concat(chunks) });
      else reject(broken(new Error("the connection was closed before the response was complete")));
    };
    stream.on("response", (h) => {
      head = { status: h[":status"] ?? 0, revision: h["orrery-revision"] as string | undefined };
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", (e) => reject(broken(e)));
    stream.on("end", end);
    stream.on("close", end);
  });
}

/** Settles with the response headers; what follows is read from the stream. */
function headersOf(stream: ClientHttp2Stream): Promise<Following> {
  return new Promise((resolve, reject) => {
    stream.once("response", (h) => resolve({ status: h[":status"] ?? 0, stream }));
    stream.on("error", (e) => reject(broken(e)));
    stream.once("close", () => reject(broken(new Error("the connection was closed"))));
  });
}

/** Connects with the first request. Ends with the signal. */
export function httpSession(access: ServerAccess, world: World, signal: AbortSignal): HttpSession {
  const connected = connections(access, world, signal);
  const start = async ({ method, path, body, contentType = "application/json", headers: more }: HttpRequest) => {
    if (signal.aborted) throw broken(new Error("this client is closed"));
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      ...{ ":method": method, ":path": path, accept: "application/json", "user-agent": access.userAgent },
      ...(access.token !== undefined && { authorization: `Bearer ${access.token}` }),
      ...(bytes && { "content-type": contentType }),
      ...more,
    };
    try {
      const session = await connected();
      const stream = session.request(headers, { endStream: !bytes });
      if (bytes) stream.end(bytes);
      return stream;
    } catch (e) {
      // The connection was lost before the request was sent.
      throw broken(e);
    }
  };
  return {
    async ask(request) {
      const stream = await start(request);
      const settled = new AbortController();
      const late = world.clock.sleep(responseTimeoutMs, settled.signal).then((): never => {
        stream.close(constants.NGHTTP2_CANCEL);
        const what = `${request.method} ${request.path}`;
        throw new ApiError("Timeout", `${what} was not answered within ${responseTimeoutMs / 1000} s`);
      });
      // Rejected when the response arrived first, which is no failure.
      late.catch(() => {});
      return Promise.race([responseOf(stream), late]).finally(() => settled.abort(noLongerNeeded));
    },
    async follow(path, stop) {
      const stream = await start({ method: "GET", path });
      const off = onAbort(stop, () => stream.close(constants.NGHTTP2_CANCEL));
      stream.once("close", off);
      return headersOf(stream);
    },
  };
}
