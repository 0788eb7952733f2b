// SPDY/3.1 as far as Kubernetes uses it: streams that the client opens, with data in both directions. Windows are
// ignored, as by its clients and servers: the transport provides flow control.
import { PassThrough, type Readable } from "node:stream";
import { drained } from "../back-pressure.ts";
import { type Headers, headerStream, readHeaders, writeHeaders } from "./spdy-headers.ts";

/** Types of control frames. */
const kind = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 } as const;
/** FLAG_FIN: the last frame of this direction. */
const fin = 1;
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
  return async (count: number): Promise<Buffer | undefined> => {
    while (size < count) {
      const next = await bytes.next();
      if (next.done) return undefined;
      const { buffer, byteOffset, length } = next.value;
      held.push(Buffer.from(buffer as ArrayBuffer, byteOffset, length));
      size += length;
    }
    const all = held.length === 1 ? held[0]! : Buffer.concat(held);
    held = [all.subarray(count)];
    size -= count;
    return all.subarray(0, count);
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
/** SYN_STREAM: opens a stream that belongs to no other, with the highest priority; the headers are compressed. */
const openFrame = (stream: number, headers: Buffer): Buffer =>
  control(kind.synStream, Buffer.concat([words(stream, 0), Buffer.alloc(2), headers]));
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

/** Bytes to and from the other side. */
export interface Transport {
  readonly incoming: AsyncIterable<Uint8Array>;
  send(bytes: Buffer): Promise<void>;
}
/** One stream of a connection. */
export interface SpdyStream {
  readonly id: number;
  readonly headers: Headers;
  readonly incoming: Readable;
  /** Rejects when the other side has reset the stream. */
  write(data: Uint8Array): Promise<void>;
  /** Ends the output; input goes on. */
  finish(): Promise<void>;
  /** Ends the output and discards further input. */
  end(): Promise<void>;
  /** Resets the stream. */
  reset(): Promise<void>;
}
/** A connection with a client or a server. */
export interface SpdyConnection {
  /** Settles when the other side disconnects. */
  readonly left: Promise<void>;
  /** Opens a stream, as only clients do. */
  open(headers: Headers): Promise<SpdyStream>;
  goAway(): Promise<void>;
}

/** The largest data frame in bytes; longer ones would delay other streams. */
const longestData = 64 * 1024;
/** Bytes buffered per stream before the connection waits for its reader. */
const keptBytes = 256 * 1024;

interface Stream extends SpdyStream {
  readonly incoming: PassThrough;
  /** Ends the input; returns whether the output has ended too. */
  endInput(): boolean;
  /** The other side has reset it. */
  abandon(): void;
}

function streamOf(id: number, headers: Headers, transport: Transport, ended: () => void): Stream {
  const incoming = new PassThrough({ highWaterMark: keptBytes });
  let open = true;
  let isReset = false;
  const close = async (last: Buffer): Promise<void> => {
    if (!open) return;
    open = false;
    ended();
    await transport.send(last);
  };
  const finish = (): Promise<void> => close(dataFrame(id, fin, Buffer.alloc(0)));
  return {
    id,
    headers,
    incoming,
    async write(data) {
      for (let at = 0; at < data.length; at += longestData) {
        if (isReset) throw new Error("the stream was reset");
        if (open) await transport.send(dataFrame(id, 0, data.subarray(at, at + longestData)));
      }
    },
    finish,
    end() {
      incoming.resume();
      return finish();
    },
    async reset() {
      if (!open && incoming.writableEnded) return;
      incoming.end().resume();
      open = false;
      ended();
      await transport.send(resetFrame(id));
    },
    endInput() {
      incoming.end();
      return !open;
    },
    abandon() {
      [open, isReset] = [false, true];
      incoming.end();
      ended();
    },
  };
}

/** Serves a connection; `opened` is called with each stream of the other side, in order. */
export function spdyConnection(transport: Transport, opened: (stream: SpdyStream) => void): SpdyConnection {
  const streams = new Map<number, Stream>();
  const [compress, decompress] = [headerStream("compress"), headerStream("decompress")];
  let last = 0;
  // Streams that a client opens have odd ids.
  let nextId = 1;
  const add = (id: number, headers: Headers): Stream => {
    // A stream closed in both directions is dropped: a connection may have thousands.
    const forget = (): void => {
      if (stream.incoming.writableEnded) streams.delete(id);
    };
    const stream = streamOf(id, headers, transport, forget);
    streams.set(id, stream);
    return stream;
  };
  const accept = async (body: Buffer, flags: number): Promise<void> => {
    const id = streamIn(body);
    last = id;
    const stream = add(id, readHeaders(await decompress(body.subarray(10))));
    if (flags & fin) stream.endInput();
    await transport.send(replyFrame(id, await compress(writeHeaders({}))));
    opened(stream);
  };
  const data = async ({ stream: id, flags, body }: Extract<Frame, { stream: number }>): Promise<void> => {
    const stream = streams.get(id);
    if (stream === undefined || stream.incoming.writableEnded) return;
    if (body.length > 0 && !stream.incoming.write(body)) await drained(stream.incoming);
    if (flags & fin && stream.endInput()) streams.delete(id);
  };
  const serve = async (): Promise<void> => {
    try {
      for await (const frame of frames(transport.incoming)) {
        if ("stream" in frame) await data(frame);
        else if (frame.control === kind.synStream) await accept(frame.body, frame.flags);
        else if (frame.control === kind.reset) streams.get(streamIn(frame.body))?.abandon();
        else if (frame.control === kind.ping) await transport.send(pingFrame(frame.body));
        else if (frame.control === kind.goAway) break;
      }
    } finally {
      for (const stream of streams.values()) stream.abandon();
    }
  };
  return {
    // A broken connection, or an invalid frame, ends like a disconnect.
    left: serve().catch(() => {}),
    async open(headers) {
      const id = nextId;
      nextId += 2;
      const stream = add(id, headers);
      await transport.send(openFrame(id, await compress(writeHeaders(headers))));
      return stream;
    },
    goAway: () => transport.send(goAwayFrame(last)),
  };
}
