// A session with a container of a pod: a command in it, or its own process.
import type { Pod } from "../../api/generated/types.ts";
import { CliError } from "../cli-error.ts";
import { untilDetached } from "./detach-keys.ts";
import { runRemote } from "./remote-command.ts";
import type { Session } from "./session.ts";
import { inRawMode, onResize, onResizeWithRedraw } from "./terminal.ts";

export interface PodSession {
  readonly pod: Pod;
  readonly container: string;
  /** Undefined to attach to the process of the container. */
  readonly command?: readonly string[];
  readonly stdin: boolean;
  /** Whether the session has the user's terminal. */
  readonly tty: boolean;
  /** The bytes that leave a session with a terminal. */
  readonly detachKeys?: Buffer;
}

/** The path of a session's request. */
export function sessionPath({ pod, container, command, stdin, tty }: PodSession): string {
  const parameters = new URLSearchParams([
    ["container", container],
    ["stdin", String(stdin)],
    ["stdout", "true"],
    ["stderr", String(!tty)],
    ["tty", String(tty)],
    ...(command ?? []).map((word): [string, string] => ["command", word]),
  ]);
  const { namespace, name } = pod.metadata;
  return `/api/v1/namespaces/${namespace}/pods/${name}/${command ? "exec" : "attach"}?${parameters}`;
}

/** Holds a session until it ends. Throws a CliError with the exit code of a command that failed. */
export async function holdSession({ api }: Session, session: PodSession, signal: AbortSignal): Promise<void> {
  const { stdin, tty, detachKeys } = session;
  const input: AsyncIterable<Buffer> | undefined = stdin ? process.stdin : undefined;
  const remote = {
    path: sessionPath(session),
    stdin: input && tty && detachKeys ? untilDetached(input, detachKeys) : input,
    stdout: process.stdout,
    stderr: process.stderr,
    onResize: tty ? (session.command ? onResize : onResizeWithRedraw) : undefined,
  };
  const work = (): Promise<number> => runRemote(api.access, remote, signal);
  try {
    const exitCode = await (tty ? inRawMode(work) : work());
    if (exitCode !== 0)
      throw new CliError(`command terminated with exit code ${exitCode}`, undefined, { exitCode, isBare: true });
  } finally {
    // An open standard input would keep the process alive.
    if (stdin) process.stdin.destroy();
  }
}
