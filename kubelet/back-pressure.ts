// Back-pressure: waits until a stream takes more, without leaving listeners on it.
import type { Writable } from "node:stream";

/** Resolves at the next `drain`, or when the stream is closed. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
    if (stream.destroyed) done();
  });
}
