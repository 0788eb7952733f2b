// Frames of SPDY/3.1: eight bytes of head, and a body. Bytes in, frames out, and the other way round.

/** Kinds of control frames that clients of Kubernetes send. */
export const kind = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 } as const;
/** The sender has said everything on this stream. */
export const finish = 1;
const controlBit = 0x8000_0000;
const version = 3;
/** Why a stream is given up: nobody wants it any more. */
const cancel = 5;

/** One frame, of either sort. */
export type Frame =
  | { readonly control: number; readonly flags: number; readonly body: Buffer }
  | { readonly stream: number; readonly flags: number; readonly body: Buffer };

/** Hands out bytes in the portions they are asked for in; undefined when there are no more. */
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

/** Cuts bytes into frames, however they arrive. */
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

/** Bytes on a stream. */
export const dataFrame = (stream: number, flags: number, body: Uint8Array): Buffer => framed(stream, flags, body);
/** Yes to a stream the client has opened; the headers are compressed. */
export const replyFrame = (stream: number, headers: Buffer): Buffer =>
  control(kind.synReply, Buffer.concat([words(stream), headers]));
/** A stream is given up. */
export const resetFrame = (stream: number): Buffer => control(kind.reset, words(stream, cancel));
/** The answer to a ping is the ping. */
export const pingFrame = (body: Buffer): Buffer => control(kind.ping, body);
/** Farewell; `last` is the last stream that was heard of. */
export const goAwayFrame = (last: number): Buffer => control(kind.goAway, words(last, 0));
/** The stream a control frame is about. */
export const streamIn = (body: Buffer): number => body.readUInt32BE(0) & 0x7fff_ffff;
