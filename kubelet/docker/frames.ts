// Docker's multiplexed streams: frames of an 8-byte header and a payload of standard output or standard error.
import { PassThrough, type Readable } from "node:stream";
import { room } from "../back-pressure.ts";

/** One piece of output, and where it was written. */
export interface Piece {
  readonly stream: "stdout" | "stderr";
  readonly data: Uint8Array;
}

/** Cuts a multiplexed stream into its pieces, however the bytes arrive. */
export async function* pieces(source: AsyncIterable<Uint8Array>): AsyncIterable<Piece> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 8) {
      const size = rest.readUInt32BE(at + 4);
      if (rest.length - at - 8 < size) break;
      yield { stream: rest[at] === 2 ? "stderr" : "stdout", data: rest.subarray(at + 8, at + 8 + size) };
      at += 8 + size;
    }
    rest = rest.subarray(at);
  }
}

/** A terminal has one stream only, unframed. */
export async function* wholePieces(source: AsyncIterable<Uint8Array>): AsyncIterable<Piece> {
  for await (const data of source) yield { stream: "stdout", data };
}

/**
 * Both outputs as streams of their own; `ended` settles after the last byte, whether the connection ended well or
 * not.
 */
export function split(source: Readable, tty: boolean): { stdout: Readable; stderr: Readable; ended: Promise<void> } {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const pump = async (): Promise<void> => {
    try {
      for await (const piece of tty ? wholePieces(source) : pieces(source)) {
        const target = piece.stream === "stderr" ? stderr : stdout;
        if (!target.write(piece.data)) await room(target);
      }
    } catch {
      // A connection cut by the other side ends the output like an orderly end does; the exit code tells them apart.
    }
    stdout.end();
    stderr.end();
  };
  return { stdout, stderr, ended: pump() };
}
