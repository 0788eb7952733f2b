// Runs a command in a container over a WebSocket. The first byte of a message is its channel.
// Source: the remote command subprotocol v5.channel.k8s.io (KEP-4006).
import type { IncomingMessage } from "node:http";
import type { Readable, Writable } from "node:stream";
import { WebSocket } from "ws";
import { onAbort } from "../../machinery/abort.ts";
import { CliError } from "../cli-error.ts";
import { type ApiAccess, errorFrom, textOf, tlsOptions, unreachable } from "./connection.ts";

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

export interface Terminal {
  readonly columns: number;
  readonly rows: number;
}
export interface RemoteCommand {
  readonly path: string;
  readonly stdin: Readable | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Calls the listener with the terminal's size, at once and on every change; set for commands with a terminal. */
  readonly onResize?: (listener: (size: Terminal) => void) => void;
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

async function send(socket: WebSocket, stdin: Readable): Promise<void> {
  for await (const chunk of stdin) {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(Buffer.concat([Buffer.from([channel.stdin]), chunk as Buffer]));
  }
  if (socket.readyState === WebSocket.OPEN) socket.send(Buffer.from([channel.close, channel.stdin]));
}

/** Runs a command to its end and resolves with its exit code. */
export function runRemote(access: ApiAccess, command: RemoteCommand, signal: AbortSignal): Promise<number> {
  const url = new URL(command.path, access.server.replace(/^http/, "ws"));
  const headers = Object.fromEntries(
    Object.entries(access.headers ?? {}).map(([name, value]) => [name, [value].flat()]),
  );
  const socket = new WebSocket(url, ["v5.channel.k8s.io"], { ...tlsOptions(access), headers });
  const off = onAbort(signal, () => socket.terminate());
  return new Promise<number>((resolve, reject) => {
    let status = "";
    socket.on("open", () => {
      command.onResize?.((size) => {
        const message = JSON.stringify({ Width: size.columns, Height: size.rows });
        if (socket.readyState === WebSocket.OPEN)
          socket.send(Buffer.concat([Buffer.from([channel.resize]), Buffer.from(message)]));
      });
      if (command.stdin) send(socket, command.stdin).catch(reject);
    });
    socket.on("message", (data: Buffer) => {
      const content = data.subarray(1);
      if (data[0] === channel.stdout) command.stdout.write(content);
      else if (data[0] === channel.stderr) command.stderr.write(content);
      else if (data[0] === channel.error) status += content.toString("utf8");
    });
    socket.on("unexpected-response", (_request, response: IncomingMessage) => {
      textOf(response).then((text) => {
        const { message } = errorFrom(response.statusCode ?? 0, text);
        reject(new CliError(`unable to upgrade connection: ${message}`));
      }, reject);
    });
    socket.on("error", (error) => reject(unreachable(access, error)));
    socket.on("close", () => {
      if (status === "") return reject(new CliError("the connection to the container was lost"));
      try {
        resolve(exitCodeOf(status));
      } catch (e) {
        reject(e as Error);
      }
    });
  }).finally(off);
}
