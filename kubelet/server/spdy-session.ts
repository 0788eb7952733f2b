// Exec and attach over SPDY: the client opens a stream for each thing it wants, and the process waits for all of them.
import type { Clock } from "../../machinery/world.ts";
import type { SessionProtocol } from "./protocols.ts";
import { type Caller, type Inbox, type Streams, sizeIn } from "./remote-command.ts";
import { statusBytes } from "./session-status.ts";
import type { SpdyStream } from "./spdy.ts";

type Kind = "error" | "stdin" | "stdout" | "stderr" | "resize";
/** The streams a client has opened, by what each is for. */
export type Opened = ReadonlyMap<string, SpdyStream>;

/** So long a client may take to open its streams. */
const openWithinMs = 30_000;

/** The streams a client has to open. A terminal has a size from the third version of the protocol on. Pure. */
export function expected(streams: Streams, { version }: SessionProtocol): readonly Kind[] {
  const { stdin, stdout, stderr, tty } = streams;
  const wanted = { error: true, stdin, stdout, stderr, resize: tty && version >= 3 };
  return (Object.keys(wanted) as Kind[]).filter((kind) => wanted[kind]);
}

/** Collects streams until all are there. */
export function gathering(kinds: readonly Kind[], clock: Clock, signal: AbortSignal) {
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

async function hear(opened: Opened, inbox: Inbox): Promise<void> {
  const stdin = opened.get("stdin");
  if (stdin === undefined) return;
  for await (const data of stdin.incoming) await inbox.input(data as Buffer);
  inbox.endInput();
}

async function hearSizes(opened: Opened, inbox: Inbox): Promise<void> {
  let rest = "";
  for await (const data of opened.get("resize")?.incoming ?? []) {
    // Sizes follow each other without a word between them but the end of an object.
    const whole = (rest + String(data)).split(/(?<=\})/);
    rest = whole.at(-1)?.endsWith("}") ? "" : (whole.pop() ?? "");
    for (const text of whole) {
      const size = sizeIn(text);
      if (size) inbox.resize(size.columns, size.rows);
    }
  }
}

/** A client that speaks through streams; `left` aborts when it has gone. */
export function overStreams(opened: Opened, protocol: SessionProtocol, left: Promise<void>): Caller {
  const write = async (kind: Kind, data: Uint8Array): Promise<void> => opened.get(kind)?.write(data);
  return {
    listen(inbox) {
      hear(opened, inbox).catch(() => {});
      hearSizes(opened, inbox).catch(() => {});
      left.then(inbox.hangUp, inbox.hangUp);
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
