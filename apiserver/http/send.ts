// Sends a response, in one piece or as a stream, with back-pressure from its reader; and a Status for requests that the
// HTTP parser refuses.
import type { ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { FastifyReply, ConnectionError } from "fastify";
import { ApiError } from "../../api/errors.ts";
import { noLongerNeeded } from "../../machinery/abort.ts";
import type { Clock } from "../../machinery/world.ts";
import { type ApiReply, type StreamReply, type WholeReply, replyError } from "../request/request-response.ts";

/** A response of either version of HTTP; the new one has a stream. */
type Raw = FastifyReply["raw"] & { readonly stream?: ServerHttp2Stream };

/** Whether the client has disconnected. */
export const isGone = (raw: Raw): boolean => raw.stream?.destroyed ?? raw.destroyed;

let last: { readonly part: Buffer | string; readonly chunk: Buffer } | undefined;
/** A chunk in HTTP/1.1 framing. Cached, because many watches send the same one in turn. */
function chunkOf(part: Buffer | string): Buffer {
  if (last?.part !== part) {
    const size = Buffer.byteLength(part).toString(16);
    last = { part, chunk: Buffer.concat([Buffer.from(`${size}\r\n`), Buffer.from(part), Buffer.from("\r\n")]) };
  }
  return last!.chunk;
}

/** Where a part of a stream was written, and whether its buffer has room for more. */
interface Sink {
  readonly into: Raw | Socket;
  readonly hasRoom: boolean;
}
/** Writes a chunk; over HTTP/1.1 with its cached framing, directly to the socket. */
function put(raw: Raw, part: Buffer | string): Sink {
  const { socket, chunkedEncoding } = raw as ServerResponse;
  // An empty chunk would end the stream.
  if (raw.stream || !chunkedEncoding || !socket || part.length === 0) return { into: raw, hasRoom: raw.write(part) };
  return { into: socket, hasRoom: socket.write(chunkOf(part)) };
}

/** Settles when the buffer has drained or the client has disconnected; rejects after the timeout. */
function drained(raw: Raw, into: Raw | Socket, clock: Clock, timeoutMs: number | undefined): Promise<void> {
  const waited = new AbortController();
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      into.off("drain", settle);
      raw.off("close", settle);
      waited.abort(noLongerNeeded);
      resolve();
    };
    into.on("drain", settle);
    raw.on("close", settle);
    if (timeoutMs === undefined) return;
    clock.sleep(timeoutMs, waited.signal).then(
      () => reject(new ApiError("Timeout", "the client has stopped reading")),
      () => {},
    );
  });
}

async function sendStream(raw: Raw, { status, headers, stream, isUrgent }: StreamReply, by: Sending): Promise<number> {
  raw.writeHead(status, headers as Record<string, string>);
  raw.flushHeaders();
  for await (const chunk of stream) {
    if (isGone(raw) || raw.writableEnded) break;
    by.onChunk?.(chunk);
    const { into, hasRoom } = put(raw, chunk);
    if (!hasRoom) await drained(raw, into, by.clock, isUrgent && by.readMs);
  }
  if (!isGone(raw)) raw.end();
  return 0;
}

let endOfTurn: Promise<void> | undefined;
/**
 * Settles when all requests that have arrived by now are handled, so that their responses are written together: waking
 * a client costs both sides more than a response, and one wake-up then serves many.
 */
function together(): Promise<void> {
  endOfTurn ??= new Promise((resolve) => {
    setImmediate(() => {
      endOfTurn = undefined;
      resolve();
    });
  });
  return endOfTurn;
}

/** Settles when the last byte is sent; rejects when the client disconnects before. */
async function sendWhole(raw: Raw, { status, headers, body }: WholeReply): Promise<number> {
  await together();
  if (isGone(raw)) throw disconnected();
  const closed = new Promise((resolve) => raw.once("close", resolve));
  // Without a content-length, which a client would take for that of its cached copy.
  const isBare = status === 304;
  const length = Buffer.byteLength(body);
  raw.writeHead(status, { ...headers, ...(!isBare && { "content-length": length }) });
  if (isBare || raw.req.method === "HEAD") raw.end();
  else raw.end(body);
  await closed;
  if (!raw.writableFinished) throw disconnected();
  return length;
}
const disconnected = (): Error => new Error("the client has left");

/** What a sender needs beside the reply. */
export interface Sending {
  readonly clock: Clock;
  /** Limit for a client to read what was sent. */
  readonly readMs: number;
  /** Called for every part of a stream. */
  readonly onChunk?: (part: Buffer | string) => void;
}

/** Sends a reply and returns its length, 0 for a stream; rejects when the connection breaks. */
export const send = (raw: Raw, reply: ApiReply, by: Sending): Promise<number> =>
  "stream" in reply ? sendStream(raw, reply, by) : sendWhole(raw, reply);

/** The API error for an error of the framework. An unlisted one is internal. */
export function protocolError(e: { readonly code?: string; readonly message: string }, bodyLimit: number): unknown {
  switch (e.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${bodyLimit}`);
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new ApiError("UnsupportedMediaType", "the body of the request was in an unknown format");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
    case "FST_ERR_BAD_URL":
    case "ECONNRESET":
      return new ApiError("BadRequest", e.message);
    default:
      return e;
  }
}

const tooSlow = "ERR_HTTP_REQUEST_TIMEOUT";
const tooLong = "HPE_HEADER_OVERFLOW";

/** Answers a request that cannot be parsed on the bare connection, and closes it: its framing is unknown. */
export function refuseConnection(e: ConnectionError, socket: Socket): void {
  // The client has disconnected, possibly before its request was complete.
  if (e.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const error =
    e.code === tooSlow
      ? new ApiError("Timeout", "the request did not arrive in time")
      : e.code === tooLong
        ? new ApiError("RequestEntityTooLarge", "the address and the headers of the request are too long")
        : new ApiError("BadRequest", `the request is no HTTP: ${e.code}`);
  const { status, body } = replyError(error);
  const head = [
    `HTTP/1.1 ${status} Refused`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
