// Streams of the engine: logs, events, exec, attach, and commands of probes and hooks, which run to their end.
import { PassThrough, type Readable, type Duplex } from "node:stream";
import { drained } from "../back-pressure.ts";
import type Docker from "dockerode";
import { onAbort } from "../../machinery/abort.ts";
import {
  type LogOptions,
  type RuntimeEvent,
  RuntimeUnavailable,
  type AttachOptions,
  type ExecOptions,
  type ExecResult,
  type Session,
} from "../runtime.ts";
import { engineCall } from "./engine.ts";
import { nodeLabel, parseEngineName } from "./create-options.ts";

/** A piece of output and its stream. */
interface Piece {
  readonly stream: "stdout" | "stderr";
  readonly data: Uint8Array;
}

/** Splits a multiplexed stream into its frames; chunks may split or join frames. */
export async function* demultiplexed(source: AsyncIterable<Uint8Array>): AsyncIterable<Piece> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 8) {
      const size = rest.readUInt32BE(at + 4);
      if (rest.length - at - 8 < size) break;
      yield { stream: rest[at] === 2 ? "stderr" : "stdout", data: rest.subarray(at + 8, at + 8 + size) };
      at += 8 + size;
    }
    rest = rest.subarray(at);
  }
}

/** The output of a terminal is one stream without frames. */
async function* unframed(source: AsyncIterable<Uint8Array>): AsyncIterable<Piece> {
  for await (const data of source) yield { stream: "stdout", data };
}

/** Both outputs as separate streams; `ended` settles after the last byte, also of a broken connection. */
function split(source: Readable, tty: boolean): { stdout: Readable; stderr: Readable; ended: Promise<void> } {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const pump = async (): Promise<void> => {
    try {
      for await (const piece of tty ? unframed(source) : demultiplexed(source)) {
        const target = piece.stream === "stderr" ? stderr : stdout;
        if (!target.write(piece.data)) await drained(target);
      }
    } catch {
      // A broken connection ends the output too; the exit code distinguishes the two.
    }
    stdout.end();
    stderr.end();
  };
  return { stdout, stderr, ended: pump() };
}

const seconds = (ms: number): string =>
  `${Math.floor(ms / 1_000)}.${String(Math.round(ms % 1_000)).padStart(3, "0")}000000`;

/** Always requests a stream, because a log may be larger than memory. */
function openLogs(docker: Docker, id: string, options: LogOptions): Promise<Readable> {
  const query = {
    follow: options.follow,
    stdout: options.stream !== "stderr",
    stderr: options.stream !== "stdout",
    timestamps: options.timestamps,
    ...(options.tail === undefined ? {} : { tail: options.tail }),
    ...(options.since === undefined ? {} : { since: seconds(options.since) }),
  };
  const call = {
    path: `/containers/${id}/logs?`,
    method: "GET",
    isStream: true,
    statusCodes: { 200: true, 404: "no such container", 500: "server error" },
    options: query,
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(call, (error: unknown, stream: unknown) => (error ? reject(error) : resolve(stream as Readable)));
  });
}

/** A container's log, both streams in the order of writing. */
export async function* readLogs(
  docker: Docker,
  id: string,
  options: LogOptions,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const info = await engineCall(() => docker.getContainer(id).inspect());
  const stream = (await engineCall(() => openLogs(docker, id, options)))!;
  const off = onAbort(signal, () => stream.destroy());
  try {
    for await (const piece of info!.Config.Tty ? unframed(stream) : demultiplexed(stream)) yield piece.data;
  } catch (e) {
    if (!signal.aborted) throw e;
  } finally {
    off();
    stream.destroy();
  }
}

/** An event of a container. */
interface ContainerEvent extends RuntimeEvent {
  readonly id: string;
}
interface EngineEvent {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}
const meanings: Readonly<Record<string, RuntimeEvent["what"]>> = { start: "started", die: "died", destroy: "removed" };

function eventOf(line: string): ContainerEvent | undefined {
  const { Action: action, Actor: actor } = JSON.parse(line) as EngineEvent;
  const what = meanings[action];
  const podUid = parseEngineName(actor.Attributes.name ?? "")?.pod.uid;
  return what === undefined || podUid === undefined ? undefined : { podUid, what, id: actor.ID };
}

/** Throws when the engine is unreachable; events may be missed then, so the caller lists again. */
export async function* readEvents(
  docker: Docker,
  nodeName: string,
  signal: AbortSignal,
): AsyncIterable<ContainerEvent> {
  const filters = { type: ["container"], event: Object.keys(meanings), label: [`${nodeLabel}=${nodeName}`] };
  const stream = (await engineCall(() => docker.getEvents({ filters: JSON.stringify(filters) }))) as Readable;
  const off = onAbort(signal, () => stream.destroy());
  let rest = "";
  try {
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = line.trim() === "" ? undefined : eventOf(line);
        if (event !== undefined) yield event;
      }
    }
  } catch (e) {
    if (!signal.aborted) throw new RuntimeUnavailable(`the engine's events ended: ${String(e)}`);
  } finally {
    off();
    stream.destroy();
  }
  if (!signal.aborted) throw new RuntimeUnavailable("the engine's events ended");
}

/** Kubernetes keeps no more of a probe's output than this. */
const keptOutputBytes = 10 * 1024;

async function startExec(
  docker: Docker,
  id: string,
  options: ExecOptions,
): Promise<{ exec: Docker.Exec; stream: Duplex }> {
  const exec = await engineCall(() =>
    docker.getContainer(id).exec({
      Cmd: [...options.command],
      AttachStdin: options.stdin,
      AttachStdout: true,
      AttachStderr: true,
      Tty: options.tty,
    }),
  );
  const stream = await engineCall(() => exec!.start({ hijack: true, stdin: options.stdin, Tty: options.tty }));
  return { exec: exec!, stream: stream as Duplex };
}

/** The engine reports the exit code shortly after the output has ended. */
async function exitCodeOf(exec: Docker.Exec): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const info = await engineCall(() => exec.inspect());
    if (info !== undefined && !info.Running && info.ExitCode !== null) return info.ExitCode;
    await new Promise((go) => setImmediate(go));
  }
  return 0;
}

/** The streams of a process behind one connection. */
function joined(stream: Duplex, { stdin, tty }: Pick<ExecOptions, "stdin" | "tty">) {
  stream.on("error", () => {});
  return { stdin: stdin ? stream : undefined, ...split(stream, tty) };
}

/** Starts a process in a running container. */
export async function openExec(docker: Docker, id: string, options: ExecOptions): Promise<Session> {
  const { exec, stream } = await startExec(docker, id, options);
  const { ended, ...streams } = joined(stream, options);
  return {
    ...streams,
    resize: async (columns, rows) => void (await engineCall(() => exec.resize({ w: columns, h: rows }), 404, 409)),
    // The end of a terminal's input would end its output with it.
    endInput: () => void (options.tty || stream.end()),
    hangUp: () => {
      stream.destroy();
      // A shell without a terminal in front of it would stay for ever.
      if (options.tty) signalExec(exec, "SIGHUP").catch(() => {});
    },
    exitCode: ended.then(() => exitCodeOf(exec)),
  };
}

/** Joins the streams of a container's own process. */
export async function openAttach(docker: Docker, id: string, options: AttachOptions): Promise<Session> {
  const container = docker.getContainer(id);
  const stream = (await engineCall(() =>
    container.attach({ stream: true, hijack: true, stdin: options.stdin, stdout: true, stderr: true }),
  )) as Duplex;
  const { ended, ...streams } = joined(stream, options);
  return {
    ...streams,
    resize: async (columns, rows) => void (await engineCall(() => container.resize({ w: columns, h: rows }), 404, 409)),
    // The engine closes the container's input if it has `stdinOnce` and no terminal; else it ends the session, by which
    // clients detach.
    endInput: () => void (options.stdin && stream.end()),
    hangUp: () => void stream.destroy(),
    exitCode: ended.then(async () => (await engineCall(() => container.inspect(), 404))?.State.ExitCode ?? 0),
  };
}

/** Docker cannot end an exec, but the agent shares the engine's PID namespace and can signal its process. */
async function signalExec(exec: Docker.Exec, signal: "SIGHUP" | "SIGKILL"): Promise<void> {
  const info = await engineCall(() => exec.inspect(), 404);
  if (!info?.Running || info.Pid <= 1) return;
  try {
    process.kill(info.Pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** Runs a command to its end, or kills it when `timeout` settles first. */
export async function runCommand(
  docker: Docker,
  id: string,
  command: readonly string[],
  timeout: Promise<void>,
): Promise<ExecResult> {
  // It may reject before the race below awaits it.
  timeout.catch(() => {});
  const { exec, stream } = await startExec(docker, id, { command, stdin: false, tty: false });
  const kept: Buffer[] = [];
  let size = 0;
  const { stdout, stderr, ended } = split(stream, false);
  for (const source of [stdout, stderr])
    source.on("data", (data: Buffer) => {
      if (size < keptOutputBytes) kept.push(data.subarray(0, keptOutputBytes - size));
      size += data.length;
    });
  const outcome = await Promise.race([ended.then(() => "ended" as const), timeout.then(() => "late" as const)]);
  const output = (): string => Buffer.concat(kept).toString();
  if (outcome === "ended") return { exitCode: await exitCodeOf(exec), output: output(), timedOut: false };
  await signalExec(exec, "SIGKILL");
  stream.destroy();
  return { exitCode: 137, output: output(), timedOut: true };
}
