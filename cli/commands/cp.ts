// orrery cp: copies files and folders to and from containers, by tar in the container.
import { existsSync } from "node:fs";
import { posix } from "node:path";
import { Writable } from "node:stream";
import type { Command } from "commander";
import { extract, type Extract } from "tar-stream";
import type { Pod } from "../../api/generated/types.ts";
import { ApiError } from "../../api/errors.ts";
import { drained } from "../../kubelet/back-pressure.ts";
import { CliError } from "../cli-error.ts";
import { chosenContainer } from "../client/chosen-container.ts";
import {
  type Copy,
  copyOf,
  type FileSpec,
  packCommand,
  prefixOf,
  remotePlace,
  unpackCommand,
} from "../client/copy-paths.ts";
import { sessionPath } from "../client/pod-session.ts";
import { type RemoteCommand, runRemote } from "../client/remote-command.ts";
import { type Session, session } from "../client/session.ts";
import { packed, unpack } from "../client/tar-files.ts";
import { integer } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { clock, interruption } from "./cluster-option.ts";

interface Flags extends GlobalFlags {
  readonly container?: string;
  readonly preserve: boolean;
  readonly retries: number;
}

/** How long to wait before a copy is resumed, in milliseconds. */
const pauseMs = 500;

type Streams = Partial<Pick<RemoteCommand, "stdin" | "stdout" | "stderr">>;
/** Runs commands in the container that is copied to or from, and returns their exit codes. */
type Run = (command: readonly string[], streams: Streams, signal: AbortSignal) => Promise<number>;

async function runIn(scope: Session, { namespace, pod: name }: FileSpec, flags: Flags): Promise<Run> {
  const at = encodeURIComponent(namespace ?? scope.namespace);
  const pod = await scope.api.get<Pod>(`/api/v1/namespaces/${at}/pods/${encodeURIComponent(name!)}`);
  const phase = pod.status?.phase;
  if (phase === "Succeeded" || phase === "Failed")
    throw new CliError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  const { name: container, notice } = chosenContainer(pod, flags.container);
  if (notice) process.stderr.write(`${notice}\n`);
  return (command, { stdin, stdout = process.stdout, stderr = process.stderr }, signal) => {
    const path = sessionPath({ pod, container, command, stdin: stdin !== undefined, tty: false });
    return runRemote(scope.api.access, { path, stdin, stdout, stderr }, signal);
  };
}

function throwFailure(exitCode: number): void {
  if (exitCode === 0) return;
  throw new CliError(`command terminated with exit code ${exitCode}`, undefined, { exitCode, isBare: true });
}

/** In lower case, unlike the warnings of the server. */
const warn = (text: string): void => void process.stderr.write(`warning: ${text}\n`);

const discard = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

async function copyToPod(run: Run, { from, to }: Copy, flags: Flags, signal: AbortSignal): Promise<void> {
  const ignored = { stdout: discard(), stderr: discard() };
  const isFolder = (await run(["test", "-d", to.path], ignored, signal)) === 0;
  const place = remotePlace(from.path, to.path, isFolder);
  const stdin = packed(from.path, posix.basename(place), warn);
  throwFailure(await run(unpackCommand(posix.dirname(place), flags.preserve), { stdin }, signal));
}

/** A sink that counts the bytes it has passed on to the archive. */
class ArchiveSink extends Writable {
  bytes = 0;
  readonly #archive: Extract;
  constructor(archive: Extract) {
    super();
    this.#archive = archive;
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.bytes += chunk.length;
    if (this.#archive.destroyed || this.#archive.write(chunk)) done();
    else drained(this.#archive).then(done, done);
  }
  /** Resolves when all is passed on that was written so far. */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.write("", () => resolve()));
  }
}

/** Copies the archive of a remote path. Goes on where it was when the connection is lost. */
async function readArchive(run: Run, path: string, to: Extract, retries: number, signal: AbortSignal): Promise<void> {
  const stdout = new ArchiveSink(to);
  for (let retry = 1; ; retry++) {
    try {
      // kubectl prints what tar says of the names there.
      throwFailure(await run(packCommand(path, stdout.bytes), { stdout, stderr: process.stdout }, signal));
      return await stdout.flushed();
    } catch (error) {
      const isLost = !signal.aborted && !(error instanceof ApiError) && !(error instanceof CliError && error.isBare);
      if (!isLost || retries === 0) throw error;
      await stdout.flushed();
      if (retries > 0 && retry > retries) {
        printLine(`Dropping out copy after ${retries} retries`);
        throw error;
      }
      printLine(`Resuming copy at ${stdout.bytes} bytes, retry ${retry}/${retries}`);
      await clock.sleep(pauseMs, signal);
    }
  }
}

async function copyFromPod(run: Run, { from, to }: Copy, flags: Flags, signal: AbortSignal): Promise<void> {
  const archive = extract();
  const failed = new AbortController();
  const { namespace = "", pod, path } = from;
  const linkCommand = `orrery exec -n ${JSON.stringify(namespace)} ${JSON.stringify(pod)} -- tar cf - ${JSON.stringify(path)} | tar xf -`;
  const unpacked = unpack(archive, { prefix: prefixOf(path), destination: to.path, linkCommand, warn });
  unpacked.catch((error: unknown) => failed.abort(error));
  await readArchive(run, path, archive, flags.retries, AbortSignal.any([signal, failed.signal]));
  archive.end(null);
  await unpacked;
}

const cp = async (args: readonly string[], flags: Flags): Promise<void> => {
  const copy = copyOf(args);
  const { from, to } = copy;
  if (to.pod && !existsSync(from.path)) throw new CliError(`${from.path} doesn't exist in local filesystem`);
  const scope = await session(flags);
  const run = await runIn(scope, from.pod ? from : to, flags);
  await (from.pod ? copyFromPod : copyToPod)(run, copy, flags, interruption());
};

/** Adds `cp` to the program. */
export const register = (program: Command): void => {
  program
    .command("cp [args...]")
    .usage("[flags] SOURCE DESTINATION")
    .option("-c, --container <name>", "the container; by default the first, or that of an annotation")
    .option("--no-preserve", "do not keep owners and permissions in the container")
    .option("--retries <n>", "how often a copy from a container is resumed; negative for ever", integer, 0)
    .addHelpText(
      "after",
      "\nOne of the two is in a container, which must have tar: [[NAMESPACE/]POD:]PATH.\n\nExamples:\n  orrery cp ./site web-1:/www\n  orrery cp web-1:/var/log/app.log app.log",
    )
    .action(cp);
};
