// Exec, attach, and commands of probes and hooks, which run to their end.
import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import type { AttachOptions, ExecOptions, ExecResult, Session } from "../runtime.ts";
import { engineCall } from "./engine-error.ts";
import { split } from "./frames.ts";

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

/** The engine knows the exit code a moment after the output has ended. */
async function exitCodeOf(exec: Docker.Exec): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const info = await engineCall(() => exec.inspect());
    if (info !== undefined && !info.Running && info.ExitCode !== null) return info.ExitCode;
    await new Promise((go) => setImmediate(go));
  }
  return 0;
}

/** Starts a process in a running container. */
export async function openExec(docker: Docker, id: string, options: ExecOptions): Promise<Session> {
  const { exec, stream } = await startExec(docker, id, options);
  const { stdout, stderr, ended } = split(stream, options.tty);
  stream.on("error", () => {});
  return {
    stdin: options.stdin ? stream : undefined,
    stdout,
    stderr,
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
  const { stdout, stderr, ended } = split(stream, options.tty);
  stream.on("error", () => {});
  return {
    stdin: options.stdin ? stream : undefined,
    stdout,
    stderr,
    resize: async (columns, rows) => void (await engineCall(() => container.resize({ w: columns, h: rows }), 404, 409)),
    // Only with `stdinOnce`: for any other container the engine would close the output too.
    endInput: () => void (options.stdinOnce && !options.tty && stream.end()),
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
