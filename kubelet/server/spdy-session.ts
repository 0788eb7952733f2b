// Exec and attach over SPDY: the client opens a stream for each input and output; the process starts when all are open.
import type { Clock } from "../../machinery/world.ts";
import {
  type SessionProtocol,
  type SessionClient,
  type ClientInput,
  type Streams,
  resize,
  statusBytes,
} from "./remote-command.ts";
import type { SpdyStream } from "./spdy.ts";

type Kind = "error" | "stdin" | "stdout" | "stderr" | "resize";
/** The opened streams by their `streamtype`. */
type Opened = ReadonlyMap<string, SpdyStream>;

/** Time for the client to open its streams. */
const openWithinMs = 30_000;

/** The streams that the client has to open. The third version added the size of a terminal. Pure. */
export function expected(streams: Streams, { version }: SessionProtocol): readonly Kind[] {
  const { stdin, stdout, stderr, tty } = streams;
  const isRequested = { error: true, stdin, stdout, stderr, resize: tty && version >= 3 };
  return (Object.keys(isRequested) as Kind[]).filter((kind) => isRequested[kind]);
}

/** Collects streams until all are open. */
export function collectStreams(kinds: readonly Kind[], clock: Clock, signal: AbortSignal) {
  const opened = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<Opened>();
  clock.sleep(openWithinMs, signal).then(
    () => complete.reject(new Error("timed out waiting for client to create streams")),
    () => complete.reject(new Error("the client has left")),
  );
  complete.promise.catch(() => {});
  return {
    opened: complete.promise,
    add(stream: SpdyStream): void {
      opened.set(stream.headers["streamtype"] ?? "", stream);
      if (kinds.every((kind) => opened.has(kind))) complete.resolve(opened);
    },
  };
}

async function readInput(opened: Opened, input: ClientInput): Promise<void> {
  const stdin = opened.get("stdin");
  if (stdin === undefined) return;
  for await (const data of stdin.incoming) await input.input(data as Buffer);
  input.endInput();
}

async function readSizes(opened: Opened, input: ClientInput): Promise<void> {
  let rest = "";
  for await (const data of opened.get("resize")?.incoming ?? []) {
    // Resize messages follow each other without a separator.
    const objects = (rest + String(data)).split(/(?<=\})/);
    rest = objects.at(-1)?.endsWith("}") ? "" : (objects.pop() ?? "");
    for (const text of objects) resize(input, text);
  }
}

/** The session client of SPDY streams; `left` settles when it disconnects. */
export function overStreams(opened: Opened, protocol: SessionProtocol, left: Promise<void>): SessionClient {
  const write = async (kind: Kind, data: Uint8Array): Promise<void> => opened.get(kind)?.write(data);
  return {
    listen(input) {
      readInput(opened, input).catch(() => {});
      readSizes(opened, input).catch(() => {});
      left.then(input.hangUp, input.hangUp);
    },
    stdout: (data) => write("stdout", data),
    stderr: (data) => write("stderr", data),
    async finish(status) {
      const bytes = statusBytes(status, protocol.version);
      if (bytes) await write("error", bytes);
      for (const stream of opened.values()) await stream.end();
    },
  };
}
