// What a node needs from a container engine, and nothing engine-shaped. All state is found again by listing: no side
// files.
import type { Readable, Writable } from "node:stream";
import type { Instant } from "../api/meta.ts";

/** Which pod a sandbox or a container belongs to; readable again from the engine after any restart. */
export interface PodIdentity {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** The namespaces a pod's containers share: network first of all. */
export interface Sandbox {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly attempt: number;
  readonly state: "created" | "running" | "exited";
  readonly createdAt: Instant;
  /** Absent for a pod on the host's network, and before it runs. */
  readonly ip?: string;
}

/** Why and how a container ended, in Kubernetes' words. */
export interface Exit {
  readonly state: "exited";
  readonly exitCode: number;
  readonly signal?: number;
  readonly startedAt: Instant | undefined;
  readonly finishedAt: Instant;
  readonly reason: "Completed" | "Error" | "OOMKilled" | "StartError";
  readonly message?: string;
}
/** Where a container is in its life. */
export type ContainerState =
  | { readonly state: "created" }
  | { readonly state: "running"; readonly startedAt: Instant }
  | Exit;

/** One run of a container of a pod. A restart is a new container with the next attempt, never the old one again. */
export interface RuntimeContainer {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly name: string;
  readonly attempt: number;
  /** The sandbox it was made in; it cannot move to another. */
  readonly sandboxId: string;
  /** Of the part of the specification whose change calls for a new container. */
  readonly hash: string;
  /** How many restarts in a row led to this run: the back-off's memory, kept where a restarted kubelet finds it. */
  readonly backoff: number;
  readonly image: string;
  readonly imageId: string;
  readonly createdAt: Instant;
  /** What it may use by now. */
  readonly limits: ResourceLimits;
  readonly status: ContainerState;
}

/** Everything of ours that the engine knows. */
export interface Inventory {
  readonly sandboxes: readonly Sandbox[];
  readonly containers: readonly RuntimeContainer[];
}

export interface SandboxSpec {
  readonly pod: PodIdentity;
  readonly attempt: number;
  readonly hostname: string;
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly cgroupParent?: string;
  readonly sysctls?: Readonly<Record<string, string>>;
}

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly propagation?: "rprivate" | "rslave" | "rshared";
}

/** What a container may use. Absent means unlimited. */
export interface ResourceLimits {
  readonly cpuShares: number;
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
}

export interface SecurityProfile {
  readonly privileged: boolean;
  /** `uid`, `uid:gid` or a name the image knows; absent means as the image says. */
  readonly user?: string;
  readonly groups: readonly string[];
  readonly readOnlyRoot: boolean;
  readonly noNewPrivileges: boolean;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly seccompUnconfined: boolean;
}

/** A container as the engine is asked for it: every reference resolved, every default applied. */
export interface ContainerSpec {
  readonly pod: PodIdentity;
  readonly sandboxId: string;
  readonly name: string;
  readonly attempt: number;
  readonly hash: string;
  readonly backoff: number;
  readonly image: string;
  readonly hostname: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly workingDir?: string;
  readonly mounts: readonly Mount[];
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly sharePid: boolean;
  /** The container whose processes it sees, and is seen by. */
  readonly pidOf?: string;
  readonly hostIpc: boolean;
  /** How it wants to be asked to stop, where it is not as its image says. */
  readonly stopSignal?: string;
  readonly limits: ResourceLimits;
  readonly security: SecurityProfile;
  readonly cgroupParent?: string;
}

export interface ImageInfo {
  readonly id: string;
  readonly names: readonly string[];
  readonly sizeBytes: number;
}
/** What an image says of itself that a pod's rules depend on. */
export interface ImageStatus {
  readonly id: string;
  readonly digests: readonly string[];
  readonly user: string;
  readonly sizeBytes: number;
}

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
  readonly server: string;
}

/** Which lines of a container's output are wanted. */
export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tail?: number;
  readonly since?: Instant;
  readonly stream?: "stdout" | "stderr";
}

export interface ExecOptions {
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
}
export interface AttachOptions {
  readonly stdin: boolean;
  readonly tty: boolean;
  /** The container's input ends with the first one who gives it. */
  readonly stdinOnce: boolean;
}
/** A process whose streams are in our hands, be it new (exec) or the container's own (attach). */
export interface Session {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  resize(columns: number, rows: number): Promise<void>;
  /**
   * No more input will come; where the engine cannot tell the process so without cutting its output, it is not told.
   */
  endInput(): void;
  /** Whoever was listening has left. */
  hangUp(): void;
  /** Settles after the last byte of output was delivered. */
  readonly exitCode: Promise<number>;
}
/** Both directions of a connection. */
export interface ByteStream {
  readonly input: Writable;
  readonly output: Readable;
}
export interface ExecResult {
  readonly exitCode: number;
  readonly output: string;
  readonly timedOut: boolean;
}

/** A hint to look at a pod again; the truth comes from `list`. */
export interface RuntimeEvent {
  readonly podUid: string;
  readonly what: "started" | "died" | "removed";
}

export interface Usage {
  readonly cpuNanos: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes: number;
  readonly memoryRssBytes: number;
}

export interface RuntimeInfo {
  readonly name: string;
  readonly version: string;
  readonly operatingSystem: string;
  readonly kernel: string;
  readonly architecture: string;
}

/** The engine itself does not answer: not the pod's fault, so nothing is decided until it does. */
export class RuntimeUnavailable extends Error {
  override readonly name = "RuntimeUnavailable";
}
/** The engine refused one request; `message` is in its own words. */
export class RuntimeRefused extends Error {
  override readonly name = "RuntimeRefused";
}

export interface ContainerRuntime {
  info(signal: AbortSignal): Promise<RuntimeInfo>;
  /** Of one pod, or of all. */
  list(podUid: string | undefined, signal: AbortSignal): Promise<Inventory>;

  /** Makes ahead whatever lets pods start sooner; may be asked again at any time. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Makes and starts a sandbox; asking twice for the same attempt gives the same one. */
  runSandbox(spec: SandboxSpec, signal: AbortSignal): Promise<string>;
  /** Makes a container; asking twice for the same attempt gives the same one. */
  create(spec: ContainerSpec, signal: AbortSignal): Promise<string>;
  start(id: string, signal: AbortSignal): Promise<void>;
  /** Lets a container use more or less from now on, whether it runs or not. */
  resize(id: string, limits: ResourceLimits, signal: AbortSignal): Promise<void>;
  /**
   * Asks politely, then kills after `graceMs`. Resolves when it is dead; so it does when it already was or is
   * unknown.
   */
  stop(id: string, graceMs: number, signal: AbortSignal): Promise<void>;
  /** Removes a container or sandbox, dead or alive; an unknown one is no error. */
  remove(id: string, signal: AbortSignal): Promise<void>;
  /** Tidies what a pod leaves behind in the engine besides containers. */
  forget(pod: PodIdentity, cgroupParent: string | undefined): Promise<void>;

  imageStatus(image: string, signal: AbortSignal): Promise<ImageStatus | undefined>;
  images(signal: AbortSignal): Promise<readonly ImageInfo[]>;
  pull(image: string, as: RegistryCredentials | undefined, signal: AbortSignal): Promise<void>;

  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<Uint8Array>;
  exec(id: string, options: ExecOptions, signal: AbortSignal): Promise<Session>;
  /** Runs a command to its end and kills it when it takes longer than `timeoutMs`. */
  run(id: string, command: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<ExecResult>;
  attach(id: string, options: AttachOptions, signal: AbortSignal): Promise<Session>;
  usage(id: string): Promise<Usage | undefined>;
  /** Bytes of a container's writable layer and log; undefined for an unknown one. */
  diskUsage(id: string): Promise<number | undefined>;
  /** A byte stream to a port inside the pod's network, localhost included. */
  connect(sandboxId: string, port: number, signal: AbortSignal): Promise<ByteStream>;
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}
