// As much of SPDY/3.1 as Kubernetes' clients speak: streams the client opens, data both ways, an end on either side.
// Windows are ignored, as those clients ignore them: the transport below has its own, and it holds up who is too fast.
import { PassThrough, type Readable } from "node:stream";
import { room } from "../back-pressure.ts";
import {
  dataFrame,
  finish,
  type Frame,
  frames,
  goAwayFrame,
  kind,
  pingFrame,
  replyFrame,
  resetFrame,
  streamIn,
} from "./spdy-frames.ts";
import { type Headers, headerStream, readHeaders, writeHeaders } from "./spdy-headers.ts";

/** Bytes to and from the client, over whatever carries them. */
export interface Transport {
  readonly incoming: AsyncIterable<Uint8Array>;
  send(bytes: Buffer): Promise<void>;
}
/** One stream the client has opened. */
export interface SpdyStream {
  readonly id: number;
  readonly headers: Headers;
  readonly incoming: Readable;
  /** Rejects when the client wants no more of it. */
  write(data: Uint8Array): Promise<void>;
  /** Nothing more will be said; what the client still says is passed over. */
  end(): Promise<void>;
  /** Gives the stream up in both directions. */
  reset(): Promise<void>;
}
/** A client's connection and all its streams. */
export interface SpdyConnection {
  /** Settles when the client has left. */
  readonly left: Promise<void>;
  goAway(): Promise<void>;
}

/** Longer pieces would keep other streams waiting. */
const longestData = 64 * 1024;
/** So much of a stream is kept for whoever reads it slowly, before the whole connection has to wait for him. */
const keptBytes = 256 * 1024;

interface Stream extends SpdyStream {
  readonly incoming: PassThrough;
  /** The client has given it up. */
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
        if (!wanted) throw new Error("the client has given up the stream");
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

/** Serves a connection; `opened` hears of every stream, in order. */
export function spdyConnection(transport: Transport, opened: (stream: SpdyStream) => void): SpdyConnection {
  const streams = new Map<number, Stream>();
  const [compress, decompress] = [headerStream("compress"), headerStream("decompress")];
  let last = 0;
  const open = async (body: Buffer, flags: number): Promise<void> => {
    const id = streamIn(body);
    last = id;
    const headers = readHeaders(await decompress(body.subarray(10)));
    // A stream with both ends said is forgotten: a connection may carry thousands, one after the other.
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
    if (body.length > 0 && !incoming.write(body)) await room(incoming);
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
  // A connection that breaks off, or makes no sense, is one whose client has left.
  return { left: serve().catch(() => {}), goAway: () => transport.send(goAwayFrame(last)) };
}
