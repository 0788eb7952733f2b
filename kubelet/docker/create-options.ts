// Docker's create options for sandboxes and containers, and the names and labels that hold what a restarted kubelet
// needs. The pod's identity is in the name, because a pooled sandbox can be renamed but not labelled. Pure.
import type { ContainerSpec, Mount, PodIdentity, ResourceLimits, SandboxSpec } from "../runtime.ts";
import type { ContainerCreateOptions, HostConfig, MountSettings } from "dockerode";

/** The node of a container; in tests several nodes share one engine. */
export const nodeLabel = "orrery.dev/node";
/** `sandbox` or `container`. */
export const kindLabel = "orrery.dev/kind";
/** The hash of the container's spec. */
export const hashLabel = "orrery.dev/hash";
/** The back-off step of the run. */
export const backoffLabel = "orrery.dev/backoff";

/** The id of the container's sandbox. */
export const sandboxLabel = "orrery.dev/sandbox";

/** The container name of sandboxes, as in dockershim and cri-dockerd. */
export const sandboxContainerName = "POD";

interface EngineName {
  readonly pod: PodIdentity;
  readonly container: string;
  readonly attempt: number;
}

/** No part can contain an underscore, so that the name can be parsed. */
export const engineName = ({ pod, container, attempt }: EngineName): string =>
  ["k8s", container, pod.name, pod.namespace, pod.uid, attempt].join("_");

/** Parses an {@link engineName}; undefined for any other name. */
export function parseEngineName(name: string): EngineName | undefined {
  const parts = name.replace(/^\//, "").split("_");
  const [prefix, container, podName, namespace, uid, attempt] = parts;
  if (prefix !== "k8s" || parts.length !== 6 || !container || !podName || !namespace || !uid) return undefined;
  const n = Number(attempt);
  return Number.isInteger(n) ? { pod: { uid, namespace, name: podName }, container, attempt: n } : undefined;
}

/** The name of a pooled sandbox. */
const poolName = (suffix: string): string => `orrery_pool_${suffix}`;
/** Whether this is the name of a pooled sandbox. */
export const isPoolName = (name: string): boolean => /^\/?orrery_pool_/.test(name);

/** Optional capabilities of the engine and the machine; detected once. */
export interface EngineCapabilities {
  /** False where the machine lacks a Linux capability that `--privileged` requires. */
  readonly privileged: boolean;
  /** Whether a pod can have a parent cgroup for its containers. */
  readonly cgroupParents: boolean;
  /** Whether mounts can be recursively read-only. */
  readonly recursiveReadOnlyMounts: boolean;
  /** The OCI runtime that sets the host name from the environment, if it is installed. */
  readonly hostnameRuntime: string | undefined;
}

/** The engine and the settings of the node that uses it. */
export interface Engine {
  readonly nodeName: string;
  readonly pauseImage: string;
  readonly capabilities: EngineCapabilities;
}

const noLogs = { Type: "none", Config: {} };
const rotatedLogs = { Type: "json-file", Config: { "max-size": "10m", "max-file": "5" } };
const quiet = { Healthcheck: { Test: ["NONE"] }, AttachStdin: false, AttachStdout: false, AttachStderr: false };

type SandboxHost = Omit<SandboxSpec, "pod" | "attempt" | "hostname">;
function sandboxHost(spec: SandboxHost, capabilities: EngineCapabilities): HostConfig {
  return {
    NetworkMode: spec.hostNetwork ? "host" : "bridge",
    IpcMode: spec.hostIpc ? "host" : "shareable",
    PidMode: spec.hostPid ? "host" : "",
    ReadonlyRootfs: true,
    SecurityOpt: ["no-new-privileges", "seccomp=unconfined"],
    LogConfig: noLogs,
    CpuShares: 2,
    CgroupParent: capabilities.cgroupParents ? spec.cgroupParent : undefined,
    ...(spec.sysctls === undefined ? {} : { Sysctls: { ...spec.sysctls } }),
  };
}

const sandboxOf = ({ pauseImage, nodeName, capabilities }: Engine, spec: SandboxHost): ContainerCreateOptions => ({
  ...quiet,
  Image: pauseImage,
  Labels: { [nodeLabel]: nodeName, [kindLabel]: "sandbox" },
  HostConfig: sandboxHost(spec, capabilities),
});

/** Options of a pod's sandbox. */
export function sandboxOptions(spec: SandboxSpec, engine: Engine): ContainerCreateOptions {
  return {
    ...sandboxOf(engine, spec),
    name: engineName({ ...spec, container: sandboxContainerName }),
    Hostname: spec.hostNetwork ? undefined : spec.hostname,
  };
}

/** Options of a pooled sandbox. */
export function poolOptions(suffix: string, engine: Engine): ContainerCreateOptions {
  return { ...sandboxOf(engine, { hostNetwork: false, hostPid: false, hostIpc: false }), name: poolName(suffix) };
}

/** Whether a pooled sandbox fits: settings of a pod can only be made at creation. */
export const fitsPool = (spec: SandboxSpec): boolean =>
  !spec.hostNetwork && !spec.hostPid && !spec.hostIpc && Object.keys(spec.sysctls ?? {}).length === 0;

const allButSysResource = { CapAdd: ["ALL"], CapDrop: ["SYS_RESOURCE"], DeviceCgroupRules: ["a *:* rwm"] };

function securityHost(spec: ContainerSpec, capabilities: EngineCapabilities): HostConfig {
  const { security } = spec;
  if (security.privileged)
    return capabilities.privileged
      ? { Privileged: true }
      : { ...allButSysResource, SecurityOpt: ["seccomp=unconfined"], MaskedPaths: [], ReadonlyPaths: [] };
  return {
    CapAdd: [...security.addCapabilities],
    CapDrop: [...security.dropCapabilities],
    SecurityOpt: [
      ...(security.noNewPrivileges ? ["no-new-privileges"] : []),
      ...(security.seccompUnconfined ? ["seccomp=unconfined"] : []),
    ],
  };
}

/** Microseconds of CPU per period of 100 ms for one milli-CPU. */
export const quotaOfMilli = 100;

/** Limits in Docker's units. The limit with swap equals the one without, so that there is no swap. */
export function limitsHost(limits: ResourceLimits): HostConfig {
  return {
    CpuShares: limits.cpuShares,
    ...(limits.cpuMillis === undefined ? {} : { CpuPeriod: 100_000, CpuQuota: limits.cpuMillis * quotaOfMilli }),
    ...(limits.memoryBytes === undefined ? {} : { Memory: limits.memoryBytes, MemorySwap: limits.memoryBytes }),
  };
}

const pidMode = (spec: ContainerSpec): string =>
  spec.hostPid ? "host" : spec.sharePid ? `container:${spec.sandboxId}` : spec.pidOf ? `container:${spec.pidOf}` : "";

function bindMount({ source, target, readOnly, recursiveReadOnly, propagation }: Mount, engine: EngineCapabilities) {
  const isSelective = readOnly && engine.recursiveReadOnlyMounts;
  return {
    Type: "bind" as const,
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    BindOptions: {
      // By default private; but the engine mounts its own folder, which is below `/`, with no other than `rslave`.
      ...(propagation && { Propagation: propagation }),
      // Without either, such an engine makes read-only mounts recursively read-only where the kernel can.
      ...(isSelective && { [recursiveReadOnly ? "ReadOnlyForceRecursive" : "ReadOnlyNonRecursive"]: true }),
    } as MountSettings["BindOptions"],
  };
}

function containerHost(spec: ContainerSpec, capabilities: EngineCapabilities): HostConfig {
  return {
    NetworkMode: spec.hostNetwork ? "host" : `container:${spec.sandboxId}`,
    IpcMode: spec.hostIpc ? "host" : `container:${spec.sandboxId}`,
    PidMode: pidMode(spec),
    ReadonlyRootfs: spec.security.readOnlyRoot,
    GroupAdd: [...spec.security.groups],
    LogConfig: rotatedLogs,
    Mounts: spec.mounts.map((m) => bindMount(m, capabilities)),
    Devices: spec.devices.map(({ source, target, readOnly }) => ({
      PathOnHost: source,
      PathInContainer: target,
      CgroupPermissions: readOnly ? "r" : "mrw",
    })),
    ...limitsHost(spec.limits),
    ...securityHost(spec, capabilities),
    CgroupParent: capabilities.cgroupParents ? spec.cgroupParent : undefined,
    Runtime: spec.hostNetwork ? undefined : capabilities.hostnameRuntime,
  };
}

/** Options of a container. `command` replaces the image's entry point, and with it the image's arguments. */
export function containerOptions(spec: ContainerSpec, engine: Engine): ContainerCreateOptions {
  return {
    ...quiet,
    name: engineName({ pod: spec.pod, container: spec.name, attempt: spec.attempt }),
    Image: spec.image,
    Env: spec.env.map(([name, value]) => `${name}=${value}`),
    ...(spec.command?.length ? { Entrypoint: [...spec.command] } : {}),
    ...(spec.args?.length ? { Cmd: [...spec.args] } : {}),
    ...(spec.workingDir ? { WorkingDir: spec.workingDir } : {}),
    User: spec.security.user,
    StopSignal: spec.stopSignal,
    OpenStdin: spec.stdin,
    StdinOnce: spec.stdinOnce,
    Tty: spec.tty,
    HostConfig: containerHost(spec, engine.capabilities),
    Labels: {
      [nodeLabel]: engine.nodeName,
      [kindLabel]: "container",
      [sandboxLabel]: spec.sandboxId,
      [hashLabel]: spec.hash,
      [backoffLabel]: String(spec.backoff),
    },
  };
}
