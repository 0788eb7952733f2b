// Sessions with simulated processes: new ones, ones that run already, and connections to a port.
import { createServer } from "node:http";
import { duplexPair, PassThrough, type Writable } from "node:stream";
import { drained } from "../../kubelet/back-pressure.ts";
import { type ByteStream, RuntimeRefused, type Session } from "../../kubelet/runtime.ts";
import { isProgram, type ShellContext } from "./shell.ts";

/** Where a process reads and writes. */
export type Streams = Pick<ShellContext, "write" | "complain" | "input" | "size">;

const writer =
  (to: Writable) =>
  async (data: string | Uint8Array): Promise<void> => {
    if (!to.write(data) && !to.destroyed) await drained(to);
  };

/** A new process; `run` is what it does with its streams. */
export function openProcess(
  run: (streams: Streams) => Promise<number>,
  [word = ""]: readonly string[],
  wantsInput: boolean,
): Session {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const sized = Promise.withResolvers<string>();
  const work = async (): Promise<number> => {
    try {
      if (isProgram(word)) {
        const complain = (text: string): void => void stderr.write(text);
        const input = wantsInput ? { input: stdin } : {};
        return await run({ write: writer(stdout), complain, size: () => sized.promise, ...input });
      }
      // As engines do: what they have to say is said where the program would have spoken.
      const why = `exec: "${word}": executable file not found in $PATH: unknown`;
      stdout.write(`OCI runtime exec failed: exec failed: unable to start container process: ${why}\r\n`);
      return 126;
    } finally {
      stdout.end();
      stderr.end();
    }
  };
  const endInput = (): void => void stdin.end();
  return {
    stdin: wantsInput ? stdin : undefined,
    stdout,
    stderr,
    resize: async (columns, rows) => sized.resolve(`${rows} ${columns}`),
    endInput,
    hangUp() {
      stdin.end();
      stdout.destroy();
      stderr.destroy();
    },
    exitCode: work(),
  };
}

interface Attachable {
  readonly input: PassThrough;
  readonly attached: Set<(data: Uint8Array, stream: "stdout" | "stderr") => void>;
}

/** Joins what a process says from now on, and what it reads. */
export function joinProcess(
  p: Attachable,
  ended: Promise<number>,
  { stdin, stdinOnce }: { readonly stdin: boolean; readonly stdinOnce: boolean },
): Session {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const hear = (data: Uint8Array, stream: "stdout" | "stderr"): void =>
    void (stream === "stdout" ? stdout : stderr).write(data);
  p.attached.add(hear);
  const leave = (): void => {
    p.attached.delete(hear);
    stdout.end();
    stderr.end();
  };
  const left = Promise.withResolvers<number>();
  // Without `stdinOnce`, the end of a client's input is the end of its session.
  const endInput = (): void => {
    if (stdinOnce) p.input.end();
    else if (stdin) left.resolve(0);
  };
  return {
    stdin: stdin ? p.input : undefined,
    stdout,
    stderr,
    resize: async () => {},
    endInput,
    hangUp() {
      leave();
      endInput();
    },
    exitCode: Promise.race([ended, left.promise]).finally(leave),
  };
}

/** The smallest of web servers: it says again what it is asked for, and how. */
const web = createServer((request, response) => response.end(`${request.method} ${request.url}`));
web.on("upgrade", (_request, socket) => {
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  socket.pipe(socket);
});

/** Port 7 says again whatever it hears, as everywhere, and port 80 speaks HTTP; nobody listens on any other. */
export async function connectTo(port: number): Promise<ByteStream> {
  if (port !== 7 && port !== 80) throw new RuntimeRefused(`connect ECONNREFUSED 127.0.0.1:${port}`);
  const [near, far] = duplexPair();
  if (port === 80) web.emit("connection", far);
  else far.pipe(far);
  return { input: near, output: near };
}
