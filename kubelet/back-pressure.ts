// Waiting for a slow reader, without leaving anything behind on the stream.
import type { Writable } from "node:stream";

/** Resolves when the stream takes more, or will never again. */
export function room(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
    if (stream.destroyed) done();
  });
}
