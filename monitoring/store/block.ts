// A block: the chunks of all series over about an hour, in one immutable file. The chunks are followed by their index,
// four columns of numbers, and a trailer.
import { crc32 } from "node:zlib";

/** A chunk of one series, as it is put into a block. */
export interface BlockChunk {
  readonly reference: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** What a block holds, by columns in the order of references. */
export interface BlockIndex {
  readonly from: number;
  readonly to: number;
  readonly references: Uint32Array;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly counts: Uint32Array;
}

const magic = 0x4f424c4b;
/** Two times, the number of chunks, the checksum of the index, and the mark. */
export const trailerBytes = 8 + 8 + 4 + 4 + 4;
const columns = 4;

/** The bytes of a file. `chunks` in ascending order of their references. */
export function encodeBlock(chunks: readonly BlockChunk[], from: number, to: number): Buffer {
  const n = chunks.length;
  const size = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const file = Buffer.alloc(size + n * columns * 4 + trailerBytes);
  let at = 0;
  for (const [i, { reference, count, bytes }] of chunks.entries()) {
    file.set(bytes, at);
    for (const [column, value] of [reference, at, bytes.length, count].entries())
      file.writeUInt32LE(value, size + (column * n + i) * 4);
    at += bytes.length;
  }
  const end = file.length - trailerBytes;
  file.writeDoubleLE(from, end);
  file.writeDoubleLE(to, end + 8);
  file.writeUInt32LE(n, end + 16);
  file.writeUInt32LE(crc32(file.subarray(size, end)), end + 20);
  file.writeUInt32LE(magic, end + 24);
  return file;
}

/** How many bytes at the end of a file are its index and trailer; undefined when it is no block. */
export function indexBytesIn(trailer: Buffer): number | undefined {
  if (trailer.length < trailerBytes || trailer.readUInt32LE(trailer.length - 4) !== magic) return undefined;
  return trailer.readUInt32LE(trailer.length - 12) * columns * 4 + trailerBytes;
}

/** Reads the index at the end of a file; undefined when it is damaged. */
export function decodeIndex(tail: Buffer): BlockIndex | undefined {
  const bytes = indexBytesIn(tail);
  if (bytes === undefined || bytes > tail.length) return undefined;
  const end = tail.length - trailerBytes;
  const n = tail.readUInt32LE(end + 16);
  const index = tail.subarray(end - n * columns * 4, end);
  if (crc32(index) !== tail.readUInt32LE(end + 20)) return undefined;
  const [references, offsets, lengths, counts] = Array.from({ length: columns }, (_, column) =>
    Uint32Array.from({ length: n }, (_, i) => index.readUInt32LE((column * n + i) * 4)),
  );
  return {
    from: tail.readDoubleLE(end),
    to: tail.readDoubleLE(end + 8),
    ...{ references: references!, offsets: offsets!, lengths: lengths!, counts: counts! },
  };
}

/** The position of a series in a block; -1 when it has no chunk there. */
export function positionOf({ references }: BlockIndex, reference: number): number {
  let [from, to] = [0, references.length - 1];
  while (from <= to) {
    const middle = (from + to) >>> 1;
    if (references[middle] === reference) return middle;
    if (references[middle]! < reference) from = middle + 1;
    else to = middle - 1;
  }
  return -1;
}
