// Docker's multiplexed streams: frames of an 8-byte header and a payload of standard output or standard error.
import { PassThrough, type Readable } from "node:stream";
import { drained } from "../back-pressure.ts";

/** A piece of output and its stream. */
export interface Piece {
  readonly stream: "stdout" | "stderr";
  readonly data: Uint8Array;
}

/** Splits a multiplexed stream into its frames; chunks may split or join frames. */
export async function* demultiplexed(source: AsyncIterable<Uint8Array>): AsyncIterable<Piece> {
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

/** The output of a terminal is one stream without frames. */
export async function* unframed(source: AsyncIterable<Uint8Array>): AsyncIterable<Piece> {
  for await (const data of source) yield { stream: "stdout", data };
}

/** Both outputs as separate streams; `ended` settles after the last byte, also of a broken connection. */
export function split(source: Readable, tty: boolean): { stdout: Readable; stderr: Readable; ended: Promise<void> } {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const pump = async (): Promise<void> => {
    try {
      for await (const piece of tty ? unframed(source) : demultiplexed(source)) {
        const target = piece.stream === "stderr" ? stderr : stdout;
        if (!target.write(piece.data)) await drained(target);
      }
    } catch {
      // A broken connection ends the output too; the exit code tells the difference.
    }
    stdout.end();
    stderr.end();
  };
  return { stdout, stderr, ended: pump() };
}
