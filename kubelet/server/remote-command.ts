// Exec and attach: a container's process on one side, a client on the other, whatever carries the client's words.
import type { Readable } from "node:stream";
import { room } from "../back-pressure.ts";
import type { KubeletView } from "../kubelet.ts";
import { containerNamed } from "../podspec/containers.ts";
import type { Session } from "../runtime.ts";
import { type Address, findPod, Refused, runningContainer } from "./find-container.ts";
import { exitStatus, failureStatus, type SessionStatus, success } from "./session-status.ts";

/** What a client wants of a process's streams. */
export interface Streams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** What becomes of what the client says. */
export interface Inbox {
  /** Resolves when more may come. */
  input(data: Uint8Array): Promise<void>;
  endInput(): void;
  resize(columns: number, rows: number): void;
  hangUp(): void;
}
/** The client's end of a session. What is written for a client that has left is lost, and no error. */
export interface Caller {
  /** Hands everything the client says to the inbox, until it has left. */
  listen(inbox: Inbox): void;
  stdout(data: Uint8Array): Promise<void>;
  stderr(data: Uint8Array): Promise<void>;
  /** The last word. */
  finish(status: SessionStatus): Promise<void>;
}
/** A session that may be held: the container is there, the process not yet. */
export interface Prepared {
  readonly streams: Streams;
  open(): Promise<Session>;
  /** What its end means to the client. */
  statusOf(exitCode: number): SessionStatus;
}

/** Reads the query of an exec or attach request. A terminal has one output only. */
export function streamsOf(query: URLSearchParams): Streams {
  const on = (name: string): boolean => query.get(name) === "1";
  const tty = on("tty");
  const streams = { stdin: on("input"), stdout: on("output"), stderr: on("error") && !tty, tty };
  if (!streams.stdin && !streams.stdout && !streams.stderr)
    throw new Refused(400, "you must specify at least 1 of stdin, stdout, stderr");
  return streams;
}

/** Finds out all that can be refused before a connection changes its nature. */
export async function prepareSession(
  view: KubeletView,
  what: "exec" | "attach",
  a: Address,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<Prepared> {
  const streams = streamsOf(query);
  const { stdin, tty } = streams;
  const run = await runningContainer(view, a, signal);
  if (what === "exec") {
    const command = query.getAll("command");
    if (command.length === 0) throw new Refused(400, "you must specify at least one command for the container");
    return { streams, open: () => view.runtime.exec(run.id, { command, stdin, tty }, signal), statusOf: exitStatus };
  }
  const c = containerNamed(findPod(view, a), a.container);
  const options = { stdin: stdin && (c?.stdin ?? false), tty: c?.tty ?? false, stdinOnce: c?.stdinOnce ?? false };
  // How the container ended is told by its pod.
  return { streams, open: () => view.runtime.attach(run.id, options, signal), statusOf: () => success };
}

async function pump(source: Readable, wanted: boolean, to: (data: Uint8Array) => Promise<void>): Promise<void> {
  for await (const data of source) if (wanted) await to(data as Buffer);
}

const inboxOf = (session: Session): Inbox => ({
  async input(data) {
    const { stdin } = session;
    if (stdin === undefined || stdin.destroyed || stdin.writableEnded || stdin.write(data)) return;
    await room(stdin);
  },
  endInput: () => session.endInput(),
  // A terminal that ended meanwhile has no size.
  resize: (columns, rows) => void session.resize(columns, rows).catch(() => {}),
  hangUp: () => session.hangUp(),
});

/** Opens the process, joins it with its client until it ends, and tells the client how it did. */
export async function holdSession({ streams, open, statusOf }: Prepared, what: string, caller: Caller): Promise<void> {
  const work = async (): Promise<SessionStatus> => {
    const session = await open();
    caller.listen(inboxOf(session));
    const [exitCode] = await Promise.all([
      session.exitCode,
      pump(session.stdout, streams.stdout, caller.stdout),
      pump(session.stderr, streams.stderr, caller.stderr),
    ]);
    return statusOf(exitCode);
  };
  const doing = what === "exec" ? "executing command in container" : "attaching to container";
  const status = await work().catch((e: Error) => failureStatus(`error ${doing}: ${e.message}`));
  await caller.finish(status);
}

/** A terminal's size, as clients write it. */
export function sizeIn(text: string): { readonly columns: number; readonly rows: number } | undefined {
  try {
    const { Width, Height } = JSON.parse(text) as { readonly Width?: unknown; readonly Height?: unknown };
    return typeof Width === "number" && typeof Height === "number" ? { columns: Width, rows: Height } : undefined;
  } catch {
    return undefined;
  }
}
