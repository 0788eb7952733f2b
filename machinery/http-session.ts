// One HTTP/2 connection to the API server, made when needed and made again when it breaks.
// It asks whether the other side still lives, so that a watch over a dead wire ends instead of waiting for ever.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { createSecureContext } from "node:tls";
import { ApiError } from "../api/errors.ts";
import { onAbort } from "./abort.ts";
import type { World } from "./world.ts";

/** Where the server is, and who we are to it. PEM texts. */
export interface ServerAccess {
  readonly url: string;
  readonly ca: string | Buffer;
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly userAgent: string;
}
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}
export interface HttpReply {
  readonly status: number;
  readonly revision: string | undefined;
  readonly body: Buffer;
}
/** An answer that has begun. */
export interface Following {
  readonly status: number;
  readonly stream: ClientHttp2Stream;
}
/** Requests that are answered whole, and requests whose answer goes on. */
export interface HttpSession {
  ask(request: HttpRequest): Promise<HttpReply>;
  follow(path: string, signal: AbortSignal): Promise<Following>;
}

const answerWithinMs = 15_000;
const pingEveryMs = 10_000;
const pongWithinMs = 5_000;
const refusedPauseMs = 200;
// The default window of 64 KiB is shared by all streams of a connection: one slow watch would stop everything else.
const streamWindow = 1024 * 1024;
const sessionWindow = 64 * 1024 * 1024;

/** Ask the other side for a sign of life from time to time; without one the connection is given up. */
async function keepAlive(session: ClientHttp2Session, world: World, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    await world.clock.sleep(pingEveryMs, ended).catch(() => {});
    if (ended.aborted) return;
    const answered = new AbortController();
    session.ping(() => answered.abort());
    const either = AbortSignal.any([answered.signal, ended]);
    await world.clock.sleep(pongWithinMs, either).catch(() => {});
    if (!either.aborted) session.destroy(new Error("the server gives no sign of life"));
  }
}

/** What a request becomes that the wire has swallowed: nobody knows whether it arrived. */
const broken = (e: unknown): ApiError =>
  new ApiError("ServiceUnavailable", `the API server cannot be reached: ${(e as Error).message}`);

/**
 * The connection in use, made anew when the last one broke. While a server refuses, everybody's requests together knock
 * only now and then.
 */
function connections(access: ServerAccess, world: World, signal: AbortSignal): () => Promise<ClientHttp2Session> {
  const { url, ca, cert, key } = access;
  const secureContext = createSecureContext({ ca, cert, key });
  let session: ClientHttp2Session | undefined;
  let pause: Promise<void> | undefined;
  return async () => {
    await pause;
    if (session && !session.closed && !session.destroyed) return session;
    const made = connect(url, { secureContext, settings: { initialWindowSize: streamWindow, enablePush: false } });
    const ended = new AbortController();
    const off = onAbort(signal, () => made.destroy());
    let refused = true;
    made.once("connect", () => {
      refused = false;
      made.setLocalWindowSize(sessionWindow);
    });
    // Requests hear of errors themselves; without a listener the process would die of them.
    made.on("error", () => {});
    made.once("close", () => {
      off();
      ended.abort();
      if (session === made) session = undefined;
      if (refused) pause = world.clock.sleep(refusedPauseMs, signal).catch(() => {});
    });
    void keepAlive(made, world, ended.signal);
    session = made;
    return made;
  };
}

/** The whole answer of a stream; the error of a stream that ends without one. */
function answerOf(stream: ClientHttp2Stream): Promise<HttpReply> {
  const chunks: Buffer[] = [];
  let head: Omit<HttpReply, "body"> | undefined;
  return new Promise((resolve, reject) => {
    const end = (): void => {
      const whole = head && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      if (whole) resolve({ ...head!, body: Buffer.concat(chunks) });
      else reject(broken(new Error("the connection was closed before the answer was whole")));
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

/** Settles when the answer begins; from then on the stream itself tells how it goes on. */
function beginningOf(stream: ClientHttp2Stream): Promise<Following> {
  return new Promise((resolve, reject) => {
    stream.once("response", (h) => resolve({ status: h[":status"] ?? 0, stream }));
    stream.on("error", (e) => reject(broken(e)));
    stream.once("close", () => reject(broken(new Error("the connection was closed"))));
  });
}

/** Nothing is connected until the first request; everything ends with the signal. */
export function httpSession(access: ServerAccess, world: World, signal: AbortSignal): HttpSession {
  const connected = connections(access, world, signal);
  const start = async ({
    method,
    path,
    body,
    contentType = "application/json",
  }: HttpRequest): Promise<ClientHttp2Stream> => {
    if (signal.aborted) throw broken(new Error("this client is closed"));
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      ":method": method,
      ":path": path,
      accept: "application/json",
      "user-agent": access.userAgent,
      ...(bytes && { "content-type": contentType }),
    };
    try {
      const session = await connected();
      const stream = session.request(headers, { endStream: !bytes });
      if (bytes) stream.end(bytes);
      return stream;
    } catch (e) {
      // The connection went between two turns of the loop; the request never left.
      throw broken(e);
    }
  };
  return {
    async ask(request) {
      const stream = await start(request);
      const answered = new AbortController();
      const late = world.clock.sleep(answerWithinMs, answered.signal).then((): never => {
        stream.close(constants.NGHTTP2_CANCEL);
        throw new ApiError(
          "Timeout",
          `${request.method} ${request.path} was not answered within ${answerWithinMs / 1000} s`,
        );
      });
      // Once answered, the clock's rejection is nobody's business.
      late.catch(() => {});
      return Promise.race([answerOf(stream), late]).finally(() => answered.abort());
    },
    async follow(path, stop) {
      const stream = await start({ method: "GET", path });
      const off = onAbort(stop, () => stream.close(constants.NGHTTP2_CANCEL));
      stream.once("close", off);
      return beginningOf(stream);
    },
  };
}
