// The server side of SPDY/3.1 as far as Kubernetes' clients use it: streams that the client opens, with data in both
// directions. Windows are ignored, as by those clients: the transport provides flow control.
import { PassThrough, type Readable } from "node:stream";
import { drained } from "../back-pressure.ts";
import { type Headers, headerStream, readHeaders, writeHeaders } from "./spdy-headers.ts";

/** Types of control frames that clients of Kubernetes send. */
const kind = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 } as const;
/** FLAG_FIN: the last frame of this direction. */
const finish = 1;
const controlBit = 0x8000_0000;
const version = 3;
/** The RST_STREAM status CANCEL. */
const cancel = 5;

/** A control or data frame. */
export type Frame =
  | { readonly control: number; readonly flags: number; readonly body: Buffer }
  | { readonly stream: number; readonly flags: number; readonly body: Buffer };

/** Reads exact numbers of bytes; undefined at the end. */
function portions(source: AsyncIterable<Uint8Array>) {
  const bytes = source[Symbol.asyncIterator]();
  let held: Buffer[] = [];
  let size = 0;
  return async (wanted: number): Promise<Buffer | undefined> => {
    while (size < wanted) {
      const next = await bytes.next();
      if (next.done) return undefined;
      const { buffer, byteOffset, length } = next.value;
      held.push(Buffer.from(buffer as ArrayBuffer, byteOffset, length));
      size += length;
    }
    const all = held.length === 1 ? held[0]! : Buffer.concat(held);
    held = [all.subarray(wanted)];
    size -= wanted;
    return all.subarray(0, wanted);
  };
}

/** Splits bytes into frames. */
export async function* frames(source: AsyncIterable<Uint8Array>): AsyncIterable<Frame> {
  const take = portions(source);
  for (;;) {
    const head = await take(8);
    if (head === undefined) return;
    const [first, second] = [head.readUInt32BE(0), head.readUInt32BE(4)];
    const body = await take(second & 0xff_ffff);
    if (body === undefined) return;
    const flags = second >>> 24;
    yield first >= controlBit ? { control: first & 0xffff, flags, body } : { stream: first, flags, body };
  }
}

function framed(first: number, flags: number, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(8 + body.length);
  bytes.writeUInt32BE(first >>> 0, 0);
  bytes.writeUInt32BE(((flags << 24) | body.length) >>> 0, 4);
  bytes.set(body, 8);
  return bytes;
}
const words = (...all: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * all.length);
  for (const [i, n] of all.entries()) bytes.writeUInt32BE(n, 4 * i);
  return bytes;
};
const control = (what: number, body: Uint8Array): Buffer => framed(controlBit + (version << 16) + what, 0, body);

/** A data frame. */
const dataFrame = (stream: number, flags: number, body: Uint8Array): Buffer => framed(stream, flags, body);
/** SYN_REPLY, which accepts a stream; the headers are compressed. */
const replyFrame = (stream: number, headers: Buffer): Buffer =>
  control(kind.synReply, Buffer.concat([words(stream), headers]));
/** RST_STREAM. */
const resetFrame = (stream: number): Buffer => control(kind.reset, words(stream, cancel));
/** PING: the reply is the received frame. */
const pingFrame = (body: Buffer): Buffer => control(kind.ping, body);
/** GOAWAY; `last` is the last accepted stream. */
const goAwayFrame = (last: number): Buffer => control(kind.goAway, words(last, 0));
/** The stream id of a control frame. */
const streamIn = (body: Buffer): number => body.readUInt32BE(0) & 0x7fff_ffff;

/** Bytes to and from the client. */
export interface Transport {
  readonly incoming: AsyncIterable<Uint8Array>;
  send(bytes: Buffer): Promise<void>;
}
/** A stream that the client has opened. */
export interface SpdyStream {
  readonly id: number;
  readonly headers: Headers;
  readonly incoming: Readable;
  /** Rejects when the client has reset the stream. */
  write(data: Uint8Array): Promise<void>;
  /** Ends the output and discards further input. */
  end(): Promise<void>;
  /** Resets the stream. */
  reset(): Promise<void>;
}
/** A client's connection. */
interface SpdyConnection {
  /** Settles when the client disconnects. */
  readonly left: Promise<void>;
  goAway(): Promise<void>;
}

/** The largest data frame in bytes; longer ones would delay other streams. */
const longestData = 64 * 1024;
/** Bytes buffered per stream before the connection waits for its reader. */
const keptBytes = 256 * 1024;

interface Stream extends SpdyStream {
  readonly incoming: PassThrough;
  /** The client has reset it. */
  abandon(): void;
}

function streamOf(id: number, headers: Headers, transport: Transport, ended: () => void): Stream {
  const incoming = new PassThrough({ highWaterMark: keptBytes });
  let open = true;
  let wanted = true;
  const close = async (last: Buffer): Promise<void> => {
    if (!open) return;
    open = false;
    ended();
    incoming.resume();
    await transport.send(last);
  };
  return {
    id,
    headers,
    incoming,
    async write(data) {
      for (let at = 0; at < data.length; at += longestData) {
        if (!wanted) throw new Error("the client has reset the stream");
        if (open) await transport.send(dataFrame(id, 0, data.subarray(at, at + longestData)));
      }
    },
    end: () => close(dataFrame(id, finish, Buffer.alloc(0))),
    reset: () => close(resetFrame(id)),
    abandon() {
      [open, wanted] = [false, false];
      incoming.end();
      ended();
    },
  };
}

/** Serves a connection; `opened` is called with each stream, in order. */
export function spdyConnection(transport: Transport, opened: (stream: SpdyStream) => void): SpdyConnection {
  const streams = new Map<number, Stream>();
  const [compress, decompress] = [headerStream("compress"), headerStream("decompress")];
  let last = 0;
  const open = async (body: Buffer, flags: number): Promise<void> => {
    const id = streamIn(body);
    last = id;
    const headers = readHeaders(await decompress(body.subarray(10)));
    // A stream closed in both directions is dropped: a connection may have thousands.
    const forget = (): void => {
      if (stream.incoming.writableEnded) streams.delete(id);
    };
    const stream = streamOf(id, headers, transport, forget);
    streams.set(id, stream);
    if (flags & finish) stream.incoming.end();
    await transport.send(replyFrame(id, await compress(writeHeaders({}))));
    opened(stream);
  };
  const data = async ({ stream: id, flags, body }: Extract<Frame, { stream: number }>): Promise<void> => {
    const incoming = streams.get(id)?.incoming;
    if (incoming === undefined || incoming.writableEnded) return;
    if (body.length > 0 && !incoming.write(body)) await drained(incoming);
    if (flags & finish) incoming.end();
  };
  const serve = async (): Promise<void> => {
    try {
      for await (const frame of frames(transport.incoming)) {
        if ("stream" in frame) await data(frame);
        else if (frame.control === kind.synStream) await open(frame.body, frame.flags);
        else if (frame.control === kind.reset) streams.get(streamIn(frame.body))?.abandon();
        else if (frame.control === kind.ping) await transport.send(pingFrame(frame.body));
        else if (frame.control === kind.goAway) break;
      }
    } finally {
      for (const stream of streams.values()) stream.abandon();
    }
  };
  // A broken connection, or an invalid frame, ends like a disconnect.
  return { left: serve().catch(() => {}), goAway: () => transport.send(goAwayFrame(last)) };
}
