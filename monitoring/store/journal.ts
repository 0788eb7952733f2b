// The journal: a file to which every batch of samples is appended before the next one, so that a killed process loses
// at most the batch it was writing. A record is its length, its checksum, and the batch, compressed.
import { crc32, constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Samples of one time, by columns. */
export interface Batch {
  /** In milliseconds. */
  readonly time: number;
  readonly references: readonly number[];
  readonly values: readonly number[];
  /** Series that have ended. */
  readonly ended: readonly number[];
}

const headBytes = 8;
const fast = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** The bytes of a record. */
export function encodeRecord({ time, references, values, ended }: Batch): Buffer {
  const [n, gone] = [references.length, ended.length];
  const plain = Buffer.alloc(16 + n * 12 + gone * 4);
  plain.writeDoubleLE(time, 0);
  plain.writeUInt32LE(n, 8);
  plain.writeUInt32LE(gone, 12);
  for (let i = 0; i < n; i++) {
    plain.writeUInt32LE(references[i]!, 16 + i * 4);
    plain.writeDoubleLE(values[i]!, 16 + n * 4 + i * 8);
  }
  for (let i = 0; i < gone; i++) plain.writeUInt32LE(ended[i]!, 16 + n * 12 + i * 4);
  const packed = zstdCompressSync(plain, fast);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(packed.length, 0);
  head.writeUInt32LE(crc32(packed), 4);
  return Buffer.concat([head, packed]);
}

function decodeBatch(packed: Buffer): Batch {
  const plain = zstdDecompressSync(packed);
  const [n, gone] = [plain.readUInt32LE(8), plain.readUInt32LE(12)];
  return {
    time: plain.readDoubleLE(0),
    references: Array.from({ length: n }, (_, i) => plain.readUInt32LE(16 + i * 4)),
    values: Array.from({ length: n }, (_, i) => plain.readDoubleLE(16 + n * 4 + i * 8)),
    ended: Array.from({ length: gone }, (_, i) => plain.readUInt32LE(16 + n * 12 + i * 4)),
  };
}

/** The batches of a journal, and how many of its bytes they are: after a crash the rest is half a record. */
export function decodeJournal(file: Buffer): { readonly batches: readonly Batch[]; readonly bytes: number } {
  const batches: Batch[] = [];
  let at = 0;
  while (at + headBytes <= file.length) {
    const end = at + headBytes + file.readUInt32LE(at);
    const packed = file.subarray(at + headBytes, end);
    if (end > file.length || crc32(packed) !== file.readUInt32LE(at + 4)) break;
    batches.push(decodeBatch(packed));
    at = end;
  }
  return { batches, bytes: at };
}
