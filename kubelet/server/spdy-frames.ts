// Reads and writes frames of SPDY/3.1: a header of eight bytes and a body.

/** Types of control frames that clients of Kubernetes send. */
export const kind = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 } as const;
/** FLAG_FIN: the last frame of this direction. */
export const finish = 1;
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
export const dataFrame = (stream: number, flags: number, body: Uint8Array): Buffer => framed(stream, flags, body);
/** SYN_REPLY, which accepts a stream; the headers are compressed. */
export const replyFrame = (stream: number, headers: Buffer): Buffer =>
  control(kind.synReply, Buffer.concat([words(stream), headers]));
/** RST_STREAM. */
export const resetFrame = (stream: number): Buffer => control(kind.reset, words(stream, cancel));
/** PING: the reply is the received frame. */
export const pingFrame = (body: Buffer): Buffer => control(kind.ping, body);
/** GOAWAY; `last` is the last accepted stream. */
export const goAwayFrame = (last: number): Buffer => control(kind.goAway, words(last, 0));
/** The stream id of a control frame. */
export const streamIn = (body: Buffer): number => body.readUInt32BE(0) & 0x7fff_ffff;
