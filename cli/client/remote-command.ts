// Runs a command in a container, or attaches to one, over a WebSocket. The first byte of a message is its channel.
// Source: the remote command subprotocol v5.channel.k8s.io (KEP-4006).
import type { Writable } from "node:stream";
import { drained } from "../../kubelet/back-pressure.ts";
import { messagesIn, send } from "../../kubelet/server/transports.ts";
import { ApiError } from "../../api/errors.ts";
import { onAbort } from "../../machinery/abort.ts";
import { CliError } from "../cli-error.ts";
import type { ApiAccess } from "./connection.ts";
import { openWebSocket } from "./websocket.ts";

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
type Socket = Awaited<ReturnType<typeof openWebSocket>>;

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}
export interface RemoteCommand {
  readonly path: string;
  readonly stdin: AsyncIterable<Buffer> | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Calls the listener with the terminal's size, at once and on every change; set for commands with a terminal. */
  readonly onResize?: ((listener: (size: TerminalSize) => void) => void) | undefined;
}

interface ExitStatus {
  readonly status?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

/** The exit code of the command. Throws CliError when the command could not be started. */
function exitCodeOf(text: string): number {
  const exitStatus = JSON.parse(text) as ExitStatus;
  if (exitStatus.status === "Success") return 0;
  const code = exitStatus.details?.causes?.find((c) => c.reason === "ExitCode")?.message;
  if (code !== undefined) return Number(code);
  throw new CliError(exitStatus.message ?? "the command could not be run");
}

const message = (to: number, content: Uint8Array): Buffer => Buffer.concat([Buffer.from([to]), content]);

/** Bytes that wait to be sent before the input is no longer read. */
const sentAhead = 1024 * 1024;

/** Sends the input as fast as the server takes it. */
async function sendInput(socket: Socket, stdin: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of stdin) {
    if (socket.readyState !== socket.OPEN) return;
    const sent = send(socket, message(channel.stdin, chunk));
    if (socket.bufferedAmount > sentAhead) await sent;
  }
  await send(socket, message(channel.close, Buffer.from([channel.stdin])));
}

/** Copies the output as fast as it is taken, and returns the status that ends it. */
async function copyOutput(socket: Socket, { stdout, stderr }: RemoteCommand): Promise<string> {
  let status = "";
  for await (const bytes of messagesIn(socket)) {
    const content = bytes.subarray(1);
    if (bytes[0] === channel.error) status += content.toString("utf8");
    const output = bytes[0] === channel.stdout ? stdout : bytes[0] === channel.stderr ? stderr : undefined;
    if (output && content.length > 0 && !output.write(content)) await drained(output);
  }
  return status;
}

/** Runs a command to its end and resolves with its exit code. Throws the signal's reason when that aborts. */
export async function runRemote(access: ApiAccess, command: RemoteCommand, signal: AbortSignal): Promise<number> {
  const socket = await openWebSocket(access, command.path, "v5.channel.k8s.io").catch((error: unknown) => {
    throw error instanceof ApiError ? new CliError(`unable to upgrade connection: ${error.message}`) : error;
  });
  const off = onAbort(signal, () => socket.terminate());
  try {
    command.onResize?.(({ columns, rows }) => {
      void send(socket, message(channel.resize, Buffer.from(JSON.stringify({ Width: columns, Height: rows }))));
    });
    const failedInput = Promise.withResolvers<never>();
    if (command.stdin) sendInput(socket, command.stdin).catch(failedInput.reject);
    const status = await Promise.race([copyOutput(socket, command), failedInput.promise]);
    signal.throwIfAborted();
    if (status === "") throw new CliError("the connection to the container was lost");
    return exitCodeOf(status);
  } finally {
    off();
    if (socket.readyState === socket.OPEN) socket.close();
  }
}
