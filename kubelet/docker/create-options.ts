// A sandbox or container as Docker wants to be asked for it. Pure.
import type { ContainerCreateOptions, HostConfig } from "dockerode";
import type { ContainerSpec, ResourceLimits, SandboxSpec } from "../runtime.ts";
import {
  backoffLabel,
  engineName,
  hashLabel,
  kindLabel,
  nodeLabel,
  poolName,
  sandboxContainerName,
  sandboxLabel,
} from "./names.ts";

/** What this engine and this machine can do; asked once at the start. */
export interface EngineAbilities {
  /** False where the machine lacks a capability that `privileged` insists on. */
  readonly privileged: boolean;
  /** Whether pods may have a cgroup of their own to hold their containers'. */
  readonly cgroupParents: boolean;
  /** The runtime that gives each container the host name its environment states, where it is installed. */
  readonly hostnameRuntime: string | undefined;
}

/** The engine as the kubelet of one node uses it. */
export interface Engine {
  readonly nodeName: string;
  readonly pauseImage: string;
  readonly abilities: EngineAbilities;
}

const noLogs = { Type: "none", Config: {} };
const rotatedLogs = { Type: "json-file", Config: { "max-size": "10m", "max-file": "5" } };
const quiet = { Healthcheck: { Test: ["NONE"] }, AttachStdin: false, AttachStdout: false, AttachStderr: false };

function sandboxHost(spec: Omit<SandboxSpec, "pod" | "attempt" | "hostname">, abilities: EngineAbilities): HostConfig {
  return {
    NetworkMode: spec.hostNetwork ? "host" : "bridge",
    IpcMode: spec.hostIpc ? "host" : "shareable",
    PidMode: spec.hostPid ? "host" : "",
    ReadonlyRootfs: true,
    SecurityOpt: ["no-new-privileges", "seccomp=unconfined"],
    LogConfig: noLogs,
    CpuShares: 2,
    ...(spec.cgroupParent !== undefined && abilities.cgroupParents ? { CgroupParent: spec.cgroupParent } : {}),
    ...(spec.sysctls === undefined ? {} : { Sysctls: { ...spec.sysctls } }),
  };
}

/** A sandbox for one pod. */
export function sandboxOptions(spec: SandboxSpec, engine: Engine): ContainerCreateOptions {
  return {
    ...quiet,
    name: engineName({ pod: spec.pod, container: sandboxContainerName, attempt: spec.attempt }),
    Image: engine.pauseImage,
    ...(spec.hostNetwork ? {} : { Hostname: spec.hostname }),
    Labels: { [nodeLabel]: engine.nodeName, [kindLabel]: "sandbox" },
    HostConfig: sandboxHost(spec, engine.abilities),
  };
}

/** A sandbox made ahead of its pod. */
export function poolOptions(suffix: string, engine: Engine): ContainerCreateOptions {
  return {
    ...quiet,
    name: poolName(suffix),
    Image: engine.pauseImage,
    Labels: { [nodeLabel]: engine.nodeName, [kindLabel]: "sandbox" },
    HostConfig: sandboxHost({ hostNetwork: false, hostPid: false, hostIpc: false }, engine.abilities),
  };
}

/** Only an ordinary sandbox can be made ahead: anything set per pod has to be set at its creation. */
export const fitsPool = (spec: SandboxSpec): boolean =>
  !spec.hostNetwork && !spec.hostPid && !spec.hostIpc && Object.keys(spec.sysctls ?? {}).length === 0;

const allButSysResource = { CapAdd: ["ALL"], CapDrop: ["SYS_RESOURCE"], DeviceCgroupRules: ["a *:* rwm"] };

function securityHost(spec: ContainerSpec, abilities: EngineAbilities): HostConfig {
  const { security } = spec;
  if (security.privileged)
    return abilities.privileged
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

/** Microseconds of every tenth of a second. */
export const quotaOfMilli = 100;

/** Kubernetes' limits in Docker's units. Without swap of its own, a container's memory limit is the limit. */
export function limitsHost(limits: ResourceLimits): HostConfig {
  return {
    CpuShares: limits.cpuShares,
    ...(limits.cpuMillis === undefined ? {} : { CpuPeriod: 100_000, CpuQuota: limits.cpuMillis * quotaOfMilli }),
    ...(limits.memoryBytes === undefined ? {} : { Memory: limits.memoryBytes, MemorySwap: limits.memoryBytes }),
  };
}

const pidMode = (spec: ContainerSpec): string =>
  spec.hostPid ? "host" : spec.sharePid ? `container:${spec.sandboxId}` : spec.pidOf ? `container:${spec.pidOf}` : "";

function containerHost(spec: ContainerSpec, abilities: EngineAbilities): HostConfig {
  return {
    NetworkMode: spec.hostNetwork ? "host" : `container:${spec.sandboxId}`,
    IpcMode: spec.hostIpc ? "host" : `container:${spec.sandboxId}`,
    PidMode: pidMode(spec),
    ReadonlyRootfs: spec.security.readOnlyRoot,
    GroupAdd: [...spec.security.groups],
    LogConfig: rotatedLogs,
    Mounts: spec.mounts.map((m) => ({
      Type: "bind" as const,
      Source: m.source,
      Target: m.target,
      ReadOnly: m.readOnly,
      BindOptions: { Propagation: m.propagation ?? "rprivate" },
    })),
    ...limitsHost(spec.limits),
    ...securityHost(spec, abilities),
    ...(spec.cgroupParent !== undefined && abilities.cgroupParents ? { CgroupParent: spec.cgroupParent } : {}),
    ...(abilities.hostnameRuntime !== undefined && !spec.hostNetwork ? { Runtime: abilities.hostnameRuntime } : {}),
  };
}

/** A container inside its pod's sandbox. `command` replaces the image's entry point, and then its arguments too. */
export function containerOptions(spec: ContainerSpec, engine: Engine): ContainerCreateOptions {
  return {
    ...quiet,
    name: engineName({ pod: spec.pod, container: spec.name, attempt: spec.attempt }),
    Image: spec.image,
    Env: spec.env.map(([name, value]) => `${name}=${value}`),
    ...(spec.command?.length ? { Entrypoint: [...spec.command] } : {}),
    ...(spec.args?.length ? { Cmd: [...spec.args] } : {}),
    ...(spec.workingDir ? { WorkingDir: spec.workingDir } : {}),
    ...(spec.security.user === undefined ? {} : { User: spec.security.user }),
    ...(spec.stopSignal === undefined ? {} : { StopSignal: spec.stopSignal }),
    OpenStdin: spec.stdin,
    StdinOnce: spec.stdinOnce,
    Tty: spec.tty,
    HostConfig: containerHost(spec, engine.abilities),
    Labels: {
      [nodeLabel]: engine.nodeName,
      [kindLabel]: "container",
      [sandboxLabel]: spec.sandboxId,
      [hashLabel]: spec.hash,
      [backoffLabel]: String(spec.backoff),
    },
  };
}
