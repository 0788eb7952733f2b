// A container runtime without containers: the port's behaviour under any clock, held to the same suite as Docker.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { onAbort } from "../../machinery/abort.ts";
import { type Instant, timestamp } from "../../api/meta.ts";
import type { World } from "../../machinery/world.ts";
import {
  type ContainerRuntime,
  type ContainerSpec,
  type ContainerState,
  type LogOptions,
  type RuntimeContainer,
  RuntimeRefused,
  RuntimeUnavailable,
  type RuntimeEvent,
  type Sandbox,
  type SandboxSpec,
} from "../../kubelet/runtime.ts";
import { connectTo, joinProcess, openProcess } from "./sessions.ts";
import { isProgram, Killed, runScript, type ShellContext, trapOf } from "./shell.ts";

interface Process {
  readonly id: string;
  spec: ContainerSpec;
  readonly createdAt: Instant;
  status: ContainerState;
  readonly lines: { readonly at: Instant; readonly text: string; readonly stream: "stdout" | "stderr" }[];
  /** What whoever is attached gives it to read. */
  readonly input: PassThrough;
  /** Who else hears what it says. */
  readonly attached: Set<(data: Uint8Array, stream: "stdout" | "stderr") => void>;
  readonly stop: AbortController;
  readonly waiting: Set<() => void>;
}

/** A simulated runtime and the misfortunes it may be given. */
export interface SimulatedRuntime extends ContainerRuntime {
  /** While down, nobody answers. */
  setDown(down: boolean): void;
  /** From now on no image can be mounted, for this reason. */
  refuseMounts(reason: string): void;
  /** What a container was created by. */
  specOf(id: string): ContainerSpec;
  kill(id: string): void;
  killSandbox(podUid: string): void;
}

const scriptOf = (spec: Pick<ContainerSpec, "command" | "args">): string => {
  const command = [...(spec.command ?? []), ...(spec.args ?? [])];
  return command[0] === "sh" ? (command[2] ?? "") : command.join(" ");
};

/** Everything a simulated engine holds. */
interface Engine {
  readonly world: World;
  readonly processes: Map<string, Process>;
  readonly sandboxes: Map<string, Sandbox>;
  readonly images: ReadonlySet<string>;
  readonly listeners: Set<(e: RuntimeEvent) => void>;
  serial: number;
  down: boolean;
  mountRefusal?: string;
}

/** Every request takes a moment, and none is answered while the engine is down. */
const answer = <T>(e: Engine, what: () => T): Promise<T> =>
  e.down
    ? Promise.reject(new RuntimeUnavailable("cannot reach the container engine: it is down"))
    : e.world.clock.sleep(1).then(what);

const tell = (e: Engine, podUid: string, what: RuntimeEvent["what"]): void => {
  for (const hear of e.listeners) hear({ podUid, what });
};
const wakeAll = (p: Process): void => {
  const waiting = [...p.waiting];
  p.waiting.clear();
  for (const wake of waiting) wake();
};

function end(e: Engine, p: Process, exitCode: number): void {
  if (p.status.state !== "running") return;
  const { startedAt } = p.status;
  const finishedAt = e.world.clock.now();
  p.status = { state: "exited", exitCode, reason: exitCode === 0 ? "Completed" : "Error", startedAt, finishedAt };
  wakeAll(p);
  tell(e, p.spec.pod.uid, "died");
}

type Streams = Pick<ShellContext, "write" | "complain" | "input" | "size">;
const contextOf = (e: Engine, p: Process, streams: Streams): ShellContext => ({
  clock: e.world.clock,
  env: new Map(p.spec.env),
  hostname: p.spec.hostname,
  told: p.stop.signal,
  ...streams,
});

function launch(e: Engine, p: Process): void {
  p.status = { state: "running", startedAt: e.world.clock.now() };
  tell(e, p.spec.pod.uid, "started");
  const say = (stream: "stdout" | "stderr") => (data: string | Uint8Array) => {
    const text = typeof data === "string" ? data : Buffer.from(data).toString();
    p.lines.push({ at: e.world.clock.now(), text, stream });
    for (const hear of p.attached) hear(Buffer.from(data as string), stream);
    wakeAll(p);
  };
  const streams = { write: say("stdout"), complain: say("stderr"), ...(p.spec.stdin && { input: p.input }) };
  runScript(scriptOf(p.spec), contextOf(e, p, streams)).then(
    (code) => end(e, p, code),
    (why) => end(e, p, why instanceof Killed ? why.exitCode : 1),
  );
}

function refuseStart(e: Engine, p: Process, message: string): never {
  const finishedAt = e.world.clock.now();
  p.status = { state: "exited", exitCode: 128, reason: "StartError", startedAt: undefined, finishedAt, message };
  throw new RuntimeRefused(message);
}

function killProcess(e: Engine, id: string, exitCode = 137): void {
  const p = e.processes.get(id);
  p?.stop.abort(new Killed(exitCode));
  if (p) end(e, p, exitCode);
}

async function stopThing(e: Engine, id: string, graceMs: number): Promise<void> {
  await answer(e, () => undefined);
  const sandbox = e.sandboxes.get(id);
  if (sandbox) e.sandboxes.set(id, { ...sandbox, state: "exited", ip: undefined });
  const p = e.processes.get(id);
  if (p?.status.state !== "running") return;
  const polite = trapOf(scriptOf(p.spec));
  if (polite === undefined) await e.world.clock.sleep(graceMs);
  killProcess(e, id, polite ?? 137);
}

function known(p: Process): RuntimeContainer {
  const { pod, name, attempt, sandboxId, hash, backoff, image, limits } = p.spec;
  const { id, createdAt, status } = p;
  const made = { id, pod, name, attempt, sandboxId, hash, backoff, image, imageId: `sha256:${image}` };
  return { ...made, createdAt, limits, status };
}

function newSandbox(e: Engine, { pod, attempt, hostNetwork }: SandboxSpec): string {
  const same = [...e.sandboxes.values()].find((s) => s.pod.uid === pod.uid && s.attempt === attempt);
  if (same) return same.id;
  e.serial += 1;
  const id = `s${e.serial}`;
  const address = hostNetwork ? {} : { ip: `10.0.${e.serial >> 8}.${e.serial & 255}` };
  e.sandboxes.set(id, { id, pod, attempt, state: "running", createdAt: e.world.clock.now(), ...address });
  return id;
}

function newProcess(e: Engine, spec: ContainerSpec): string {
  const isSame = ({ spec: s }: Process): boolean =>
    s.pod.uid === spec.pod.uid && s.name === spec.name && s.attempt === spec.attempt;
  const same = [...e.processes.values()].find(isSame);
  if (same) return same.id;
  e.serial += 1;
  const id = `c${e.serial}`;
  const status = { state: "created" } as const;
  const rest = {
    lines: [],
    input: new PassThrough(),
    attached: new Set<never>(),
    stop: new AbortController(),
    waiting: new Set<() => void>(),
  };
  e.processes.set(id, { id, spec, createdAt: e.world.clock.now(), status, ...rest });
  return id;
}

type Lifecycle = Pick<ContainerRuntime, "list" | "runSandbox" | "create" | "start" | "resize" | "stop" | "remove">;
const lifecycle = (e: Engine): Lifecycle => ({
  list: (podUid) =>
    answer(e, () => ({
      sandboxes: [...e.sandboxes.values()].filter((s) => podUid === undefined || s.pod.uid === podUid),
      containers: [...e.processes.values()].map(known).filter((c) => podUid === undefined || c.pod.uid === podUid),
    })),
  runSandbox: (spec) => answer(e, () => newSandbox(e, spec)),
  create: (spec) => answer(e, () => newProcess(e, spec)),
  start: (id) =>
    answer(e, () => {
      const p = e.processes.get(id);
      if (p === undefined) throw new RuntimeRefused(`no such container: ${id}`);
      const word = p.spec.command?.[0] ?? "sh";
      if (!isProgram(word)) refuseStart(e, p, `exec: "${word}": no such file or directory`);
      const { sandboxId } = p.spec;
      if (e.sandboxes.get(sandboxId)?.state !== "running")
        refuseStart(e, p, `cannot join network of a non running container: ${sandboxId}`);
      if (p.status.state === "created") launch(e, p);
    }),
  resize: (id, limits) =>
    answer(e, () => {
      const p = e.processes.get(id);
      if (p === undefined) throw new RuntimeRefused(`no such container: ${id}`);
      p.spec = { ...p.spec, limits };
    }),
  stop: (id, graceMs) => stopThing(e, id, graceMs),
  remove: (id) =>
    answer(e, () => {
      killProcess(e, id);
      const p = e.processes.get(id);
      e.processes.delete(id);
      if (p) wakeAll(p);
      e.sandboxes.delete(id);
    }),
});

async function* readLogs(e: Engine, id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const p = e.processes.get(id);
  if (p === undefined) throw new RuntimeRefused(`no such container: ${id}`);
  const { tail, since = 0, stream } = options;
  let at = tail === undefined ? 0 : Math.max(0, p.lines.length - tail);
  const off = onAbort(signal, () => wakeAll(p));
  try {
    for (;;) {
      for (; at < p.lines.length; at++) {
        const line = p.lines[at]!;
        if (line.at < since || (stream !== undefined && stream !== line.stream)) continue;
        yield Buffer.from(options.timestamps ? `${timestamp(line.at)} ${line.text}` : line.text);
      }
      if (!options.follow || p.status.state === "exited" || !e.processes.has(id) || signal.aborted) return;
      await new Promise<void>((wake) => p.waiting.add(wake));
    }
  } finally {
    off();
  }
}

function runningProcess(e: Engine, id: string): Process {
  const p = e.processes.get(id);
  if (p?.status.state !== "running") throw new RuntimeRefused(`container ${id} is not running`);
  return p;
}

type Sessions = Pick<ContainerRuntime, "logs" | "exec" | "attach" | "run" | "connect">;
const sessions = (e: Engine): Sessions => {
  const exec: ContainerRuntime["exec"] = (id, { command, stdin }) =>
    answer(e, () => {
      const p = runningProcess(e, id);
      return openProcess((streams) => runScript(scriptOf({ command }), contextOf(e, p, streams)), command, stdin);
    });
  return {
    logs: (id, options, signal) => readLogs(e, id, options, signal),
    exec,
    attach: (id, { stdin, stdinOnce }) =>
      answer(e, () => {
        const p = runningProcess(e, id);
        const ended = new Promise<number>((resolve) => {
          const look = (): void => {
            if (p.status.state === "exited") resolve(p.status.exitCode);
            else p.waiting.add(look);
          };
          look();
        });
        return joinProcess(p, ended, { stdin, stdinOnce });
      }),
    async run(id, command, timeoutMs, signal) {
      const s = await exec(id, { command, stdin: false, tty: false }, signal);
      let output = "";
      s.stdout.on("data", (d: Buffer) => {
        output += d.toString();
      });
      const late = e.world.clock.sleep(timeoutMs).then(() => undefined);
      const finished = Promise.all([s.exitCode, once(s.stdout, "end")]).then(([code]) => code);
      const exitCode = await Promise.race([finished, late]);
      return exitCode === undefined ? { exitCode: 137, output, timedOut: true } : { exitCode, output, timedOut: false };
    },
    connect: (_, port) => connectTo(port),
  };
};

async function* readEvents(e: Engine, signal: AbortSignal): AsyncIterable<RuntimeEvent> {
  const waiting: RuntimeEvent[] = [];
  let wake = (): void => {};
  const hear = (event: RuntimeEvent): void => {
    waiting.push(event);
    wake();
  };
  e.listeners.add(hear);
  const off = onAbort(signal, () => wake());
  try {
    while (!signal.aborted) {
      const next = waiting.shift();
      if (next) yield next;
      else
        await new Promise<void>((go) => {
          wake = go;
        });
    }
  } finally {
    e.listeners.delete(hear);
    off();
  }
}

const imageId = (image: string): string => `sha256:${image}`;
type Rest = Pick<
  ContainerRuntime,
  "info" | "prepare" | "forget" | "imageStatus" | "images" | "pull" | "mountImage" | "usage" | "diskUsage" | "events"
>;
const surroundings = (e: Engine): Rest => ({
  info: () => answer(e, () => ({ version: "1", recursiveReadOnlyMounts: true })),
  prepare: () => Promise.resolve(),
  forget: () => Promise.resolve(),
  imageStatus: (image) =>
    answer(e, () =>
      e.images.has(image) ? { id: imageId(image), digests: [], user: "", sizeBytes: 1_000_000 } : undefined,
    ),
  images: () => answer(e, () => [...e.images].map((i) => ({ id: imageId(i), names: [i], sizeBytes: 1_000_000 }))),
  pull: (image) =>
    answer(e, () => {
      if (!e.images.has(image)) throw new RuntimeRefused(`manifest for ${image} not found`);
    }),
  mountImage: (image, folder) =>
    answer(e, () => {
      if (!e.images.has(image)) throw new RuntimeRefused(`no such image: ${image}`);
      if (e.mountRefusal !== undefined) throw new RuntimeRefused(e.mountRefusal);
      writeFileSync(join(folder, "image"), image);
    }),
  usage: () =>
    answer(e, () => {
      const cpuNanos = e.world.clock.now();
      return { cpuNanos, memoryUsageBytes: 1e6, memoryWorkingSetBytes: 1e6, memoryRssBytes: 1e6 };
    }),
  diskUsage: () => answer(e, () => 0),
  events: (signal) => readEvents(e, signal),
});

/** Runs containers of the images it knows, in the world's time. */
export function simulatedRuntime(world: World, images: readonly string[] = ["sim/shell:1"]): SimulatedRuntime {
  const maps = { processes: new Map<string, Process>(), sandboxes: new Map<string, Sandbox>() };
  const e: Engine = { world, ...maps, images: new Set(images), listeners: new Set(), serial: 0, down: false };
  return {
    ...lifecycle(e),
    ...sessions(e),
    ...surroundings(e),
    setDown(down) {
      e.down = down;
    },
    refuseMounts(reason) {
      e.mountRefusal = reason;
    },
    specOf: (id) => e.processes.get(id)!.spec,
    kill: (id) => killProcess(e, id),
    killSandbox(podUid) {
      for (const s of e.sandboxes.values())
        if (s.pod.uid === podUid) e.sandboxes.set(s.id, { ...s, state: "exited", ip: undefined });
      tell(e, podUid, "died");
    },
  };
}
