// The container runtime port: what the kubelet needs of an engine. The engine keeps all state; `list` reads it again.
import type { Readable, Writable } from "node:stream";
import type { Instant } from "../api/meta.ts";

/** The pod of a sandbox or container. */
export interface PodIdentity {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** The Linux namespaces that a pod's containers share, above all the network. */
export interface Sandbox {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly attempt: number;
  readonly state: "created" | "running" | "exited";
  readonly createdAt: Instant;
  /** Absent on the host's network, and before it runs. */
  readonly ip?: string;
}

/** How a container ended; `reason` is Kubernetes'. */
export interface Exit {
  readonly state: "exited";
  readonly exitCode: number;
  readonly startedAt: Instant | undefined;
  readonly finishedAt: Instant;
  readonly reason: "Completed" | "Error" | "OOMKilled" | "StartError";
  readonly message?: string;
}
export type ContainerState =
  | { readonly state: "created" }
  | { readonly state: "running"; readonly startedAt: Instant }
  | Exit;

/** Identifies one run of a container. A restart makes a new one with the next attempt number. */
interface ContainerRun {
  readonly pod: PodIdentity;
  readonly name: string;
  readonly attempt: number;
  /** The sandbox whose namespaces it has. */
  readonly sandboxId: string;
  /** Hash of the fields whose change requires a new container. */
  readonly hash: string;
  /** Consecutive restarts before this run, for the back-off. The engine keeps it over restarts of the kubelet. */
  readonly backoff: number;
  readonly image: string;
  /** Its present limits. */
  readonly limits: ResourceLimits;
}
export interface RuntimeContainer extends ContainerRun {
  readonly id: string;
  readonly imageId: string;
  readonly createdAt: Instant;
  readonly status: ContainerState;
}

/** Everything of this node that the engine has. */
export interface Inventory {
  readonly sandboxes: readonly Sandbox[];
  readonly containers: readonly RuntimeContainer[];
}

/** Which of the host's namespaces are used, and the pod's cgroup. */
interface Isolation {
  readonly hostname: string;
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly cgroupParent?: string;
}
export interface SandboxSpec extends Isolation {
  readonly pod: PodIdentity;
  readonly attempt: number;
  readonly sysctls?: Readonly<Record<string, string>>;
}

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** What is mounted below the source is read-only as well. */
  readonly recursiveReadOnly?: true;
  /** How later mounts below it spread; by default they do not. */
  readonly propagation?: "rslave" | "rshared";
}

/** A block device of the node in a container. */
export interface Device {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** Resource limits; absent means unlimited. */
export interface ResourceLimits {
  readonly cpuShares: number;
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
}

export interface SecurityProfile {
  readonly privileged: boolean;
  /** `uid`, `uid:gid` or a name in the image; absent means the user of the image. */
  readonly user?: string;
  readonly groups: readonly string[];
  readonly readOnlyRoot: boolean;
  readonly noNewPrivileges: boolean;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly seccompUnconfined: boolean;
}

/** A container to be created: all references are resolved and all defaults applied. */
export interface ContainerSpec extends ContainerRun, Isolation {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly workingDir?: string;
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly sharePid: boolean;
  /** The container whose PID namespace it joins. */
  readonly pidOf?: string;
  /** Overrides the stop signal of the image. */
  readonly stopSignal?: string;
  readonly security: SecurityProfile;
}

export interface ImageInfo {
  readonly id: string;
  readonly names: readonly string[];
  readonly sizeBytes: number;
}
/** The engine: its version, and what it can do. */
export interface RuntimeInfo {
  readonly version: string;
  /** Whether it makes mounts recursively read-only (KEP-3857). */
  readonly recursiveReadOnlyMounts: boolean;
}
/** The properties of an image on the node. */
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

/** Selects lines of a container's log. */
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
  /** The container's input closes when the first client detaches. */
  readonly stdinOnce: boolean;
}
/** The streams of a process: a new one (exec) or the container's own (attach). */
export interface Session {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  resize(columns: number, rows: number): Promise<void>;
  /** Ends the input. A session that is attached to a process that goes on reading ends with it. */
  endInput(): void;
  /** The client has disconnected. */
  hangUp(): void;
  /** Settles after the last byte of output. */
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

/** A hint that a pod's containers changed; `list` gives their state. */
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

/** The engine does not respond. Pods are not reconciled until it does. */
export class RuntimeUnavailable extends Error {
  override readonly name = "RuntimeUnavailable";
}
/** The engine refused a request; `message` is the engine's. */
export class RuntimeRefused extends Error {
  override readonly name = "RuntimeRefused";
}

export interface ContainerRuntime {
  info(signal: AbortSignal): Promise<RuntimeInfo>;
  /** Lists the sandboxes and containers of one pod, or of all. */
  list(podUid: string | undefined, signal: AbortSignal): Promise<Inventory>;

  /** Prepares resources for faster pod starts; idempotent. */
  prepare(signal: AbortSignal): Promise<void>;
  /** Creates and starts a sandbox; idempotent per attempt. */
  runSandbox(spec: SandboxSpec, signal: AbortSignal): Promise<string>;
  /** Creates a container; idempotent per attempt. */
  create(spec: ContainerSpec, signal: AbortSignal): Promise<string>;
  start(id: string, signal: AbortSignal): Promise<void>;
  /** Changes the limits of a container, whether it runs or not. */
  resize(id: string, limits: ResourceLimits, signal: AbortSignal): Promise<void>;
  /** Sends the stop signal, and kills after `graceMs`. Resolves once the container has ended, or if it is unknown. */
  stop(id: string, graceMs: number, signal: AbortSignal): Promise<void>;
  /** Removes a container or sandbox, running or not; idempotent. */
  remove(id: string, signal: AbortSignal): Promise<void>;
  /** Removes what a pod leaves besides containers, such as cgroups. */
  forget(pod: PodIdentity, cgroupParent: string | undefined): Promise<void>;

  imageStatus(image: string, signal: AbortSignal): Promise<ImageStatus | undefined>;
  images(signal: AbortSignal): Promise<readonly ImageInfo[]>;
  pull(image: string, as: RegistryCredentials | undefined, signal: AbortSignal): Promise<void>;
  /**
   * Shows the files of an image in a folder, which exists, read-only (KEP-4639). A folder in which an image is shown
   * already stays as it is. The mount is removed with the folder.
   */
  mountImage(image: string, folder: string, signal: AbortSignal): Promise<void>;

  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<Uint8Array>;
  exec(id: string, options: ExecOptions, signal: AbortSignal): Promise<Session>;
  /** Runs a command to its end; kills it after `timeoutMs`. */
  run(id: string, command: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<ExecResult>;
  attach(id: string, options: AttachOptions, signal: AbortSignal): Promise<Session>;
  usage(id: string): Promise<Usage | undefined>;
  /** Bytes of a container's writable layer and log; undefined for an unknown one. */
  diskUsage(id: string): Promise<number | undefined>;
  /** Connects to a port in the pod's network, also one of localhost. */
  connect(sandboxId: string, port: number, signal: AbortSignal): Promise<ByteStream>;
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}
