// The terminal of the program, as the standard streams of a process have it.
import type { ReadStream, WriteStream } from "node:tty";

export interface Terminal {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly stderr: WriteStream;
}
