// Exec and attach: the streaming protocols and their negotiation, and the session that joins a container's process with
// a client, independent of the transport.
import type { Readable } from "node:stream";
import { drained } from "../back-pressure.ts";
import type { KubeletView } from "../kubelet.ts";
import { containerNamed } from "../podspec/containers.ts";
import type { Session } from "../runtime.ts";
import { type Address, findPod, Refused, runningContainer } from "./find-container.ts";

/** A version of the protocol of exec and attach. */
export interface SessionProtocol {
  readonly name: string;
  readonly version: number;
  readonly base64?: boolean;
}

/** Over WebSocket. A client that offers none gets the first one. */
export const channelProtocols: readonly SessionProtocol[] = [
  { name: "v5.channel.k8s.io", version: 5 },
  { name: "v4.channel.k8s.io", version: 4 },
  { name: "v4.base64.channel.k8s.io", version: 4, base64: true },
  { name: "channel.k8s.io", version: 1 },
  { name: "base64.channel.k8s.io", version: 1, base64: true },
  { name: "", version: 1 },
];

/** Over SPDY, whose streams can be closed, so that there is no fifth version. */
export const spdyProtocols: readonly SessionProtocol[] = [
  { name: "v5.channel.k8s.io", version: 5 },
  { name: "v4.channel.k8s.io", version: 4 },
  { name: "v3.channel.k8s.io", version: 3 },
  { name: "v2.channel.k8s.io", version: 2 },
  { name: "channel.k8s.io", version: 1 },
];

/** Port forwarding with a pair of channels for each port of the query. */
export const portChannelProtocols: readonly SessionProtocol[] = [
  { name: "v4.channel.k8s.io", version: 4 },
  { name: "v4.base64.channel.k8s.io", version: 4, base64: true },
  { name: "", version: 4 },
];

/** Parses a header with a list of names. */
export const namesIn = (header: string | readonly string[] | undefined): readonly string[] =>
  [header ?? []]
    .flat()
    .flatMap((line) => line.split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** The first offered protocol that is known; a client that offers none offers the empty name. */
export function negotiate<P extends { readonly name: string }>(
  offered: readonly string[],
  known: readonly P[],
): P | undefined {
  const names = offered.length === 0 ? [""] : offered;
  return names.map((name) => known.find((p) => p.name === name)).find((p) => p !== undefined);
}

interface SessionStatus {
  readonly metadata: object;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason?: string; readonly message: string }[] };
  readonly code?: number;
}

export const success: SessionStatus = { metadata: {}, status: "Success" };

/** The status of a command; clients read the exit code from its causes. */
export function exitStatus(exitCode: number): SessionStatus {
  if (exitCode === 0) return success;
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: command terminated with exit code ${exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}

/** The status of a session that failed without an exit code. */
export const failureStatus = (why: string): SessionStatus => ({
  metadata: {},
  status: "Failure",
  message: `Internal error occurred: ${why}`,
  reason: "InternalError",
  details: { causes: [{ message: why }] },
  code: 500,
});

/** The fourth version of the protocol and later send the object; earlier ones a message, and nothing on success. */
export function statusBytes(status: SessionStatus, version: number): Buffer | undefined {
  if (version >= 4) return Buffer.from(JSON.stringify(status));
  return status.status === "Success" ? undefined : Buffer.from(status.message ?? "");
}

/** The streams that the client requests. */
export interface Streams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Receives the client's input. */
export interface ClientInput {
  /** Resolves when the process takes more. */
  input(data: Uint8Array): Promise<void>;
  endInput(): void;
  resize(columns: number, rows: number): void;
  hangUp(): void;
}
/** The client of a session. Output for a client that has disconnected is discarded. */
export interface SessionClient {
  /** Passes the client's input on until it disconnects. */
  listen(input: ClientInput): void;
  stdout(data: Uint8Array): Promise<void>;
  stderr(data: Uint8Array): Promise<void>;
  /** Sends the status and ends the session. */
  finish(status: SessionStatus): Promise<void>;
}
/** A session whose request was accepted and whose process is not started yet. */
export interface Prepared {
  readonly streams: Streams;
  open(): Promise<Session>;
  /** The status that the client gets for an exit code. */
  statusOf(exitCode: number): SessionStatus;
}

/** Parses the query of an exec or attach request. A terminal has no separate standard error. */
export function streamsOf(query: URLSearchParams): Streams {
  const on = (name: string): boolean => query.get(name) === "1";
  const tty = on("tty");
  const streams = { stdin: on("input"), stdout: on("output"), stderr: on("error") && !tty, tty };
  if (!streams.stdin && !streams.stdout && !streams.stderr)
    throw new Refused(400, "you must specify at least 1 of stdin, stdout, stderr");
  return streams;
}

/** Checks the request, so that it can be refused before the upgrade. */
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
  // The pod's status has the exit code of the container.
  return { streams, open: () => view.runtime.attach(run.id, options, signal), statusOf: () => success };
}

async function pump(source: Readable, isRequested: boolean, to: (data: Uint8Array) => Promise<void>): Promise<void> {
  for await (const data of source) if (isRequested) await to(data as Buffer);
}

const inputOf = (session: Session): ClientInput => ({
  async input(data) {
    const { stdin } = session;
    if (stdin === undefined || stdin.destroyed || stdin.writableEnded || stdin.write(data)) return;
    await drained(stdin);
  },
  endInput: () => session.endInput(),
  // The terminal may have ended meanwhile.
  resize: (columns, rows) => void session.resize(columns, rows).catch(() => {}),
  hangUp: () => session.hangUp(),
});

/** Starts the process, joins it with the client until it ends, and sends the status. */
export async function runSession(
  { streams, open, statusOf }: Prepared,
  what: string,
  client: SessionClient,
): Promise<void> {
  const work = async (): Promise<SessionStatus> => {
    const session = await open();
    client.listen(inputOf(session));
    const [exitCode] = await Promise.all([
      session.exitCode,
      pump(session.stdout, streams.stdout, client.stdout),
      pump(session.stderr, streams.stderr, client.stderr),
    ]);
    return statusOf(exitCode);
  };
  const doing = what === "exec" ? "executing command in container" : "attaching to container";
  const status = await work().catch((e: Error) => failureStatus(`error ${doing}: ${e.message}`));
  await client.finish(status);
}

/** Applies a resize message; one that is not valid is ignored. */
export function resize(input: Pick<ClientInput, "resize">, message: string): void {
  try {
    const { Width, Height } = JSON.parse(message) as { readonly Width?: unknown; readonly Height?: unknown };
    if (typeof Width === "number" && typeof Height === "number") input.resize(Width, Height);
  } catch {
    // Kubernetes' kubelet ignores it too.
  }
}
