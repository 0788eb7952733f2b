// Converts Docker's inspection of a container to the port's types. Pure.
import type { ContainerInspectInfo, HostConfig } from "dockerode";
import { type Instant, instantOf } from "../../api/meta.ts";
import type { ContainerState, ResourceLimits, RuntimeContainer, Sandbox } from "../runtime.ts";
import { quotaOfMilli } from "./create-options.ts";
import { backoffLabel, hashLabel, kindLabel, parseEngineName, sandboxContainerName, sandboxLabel } from "./names.ts";

/** Docker writes a time in year one for "never". */
const when = (text: string): Instant | undefined => (text.startsWith("0001-") ? undefined : instantOf(text));

function exitOf(info: ContainerInspectInfo): ContainerState {
  const { State: s } = info;
  const startedAt = when(s.StartedAt);
  const finishedAt = when(s.FinishedAt) ?? instantOf(info.Created);
  const message = s.Error || undefined;
  if (startedAt === undefined)
    return { state: "exited", exitCode: 128, startedAt, finishedAt, reason: "StartError", message };
  const reason = s.OOMKilled ? "OOMKilled" : s.ExitCode === 0 ? "Completed" : "Error";
  return { state: "exited", exitCode: s.ExitCode, startedAt, finishedAt, reason, message };
}

/** Docker keeps a container whose start was refused "created", with the reason in `Error`; here it has exited. */
export function stateOf(info: ContainerInspectInfo): ContainerState {
  const { State: s } = info;
  if (s.Running || s.Status === "running" || s.Status === "paused")
    return { state: "running", startedAt: instantOf(s.StartedAt) };
  return s.Status === "created" && !s.Error ? { state: "created" } : exitOf(info);
}

/** Undefined for a container that is not a pod's sandbox. */
export function sandboxOf(info: ContainerInspectInfo): Sandbox | undefined {
  const named = parseEngineName(info.Name);
  if (named?.container !== sandboxContainerName) return undefined;
  const { state } = stateOf(info);
  const address = info.NetworkSettings.Networks.bridge?.IPAddress;
  return {
    id: info.Id,
    pod: named.pod,
    attempt: named.attempt,
    state,
    createdAt: instantOf(info.Created),
    ...(state === "running" && address ? { ip: address } : {}),
  };
}

function limitsIn({ CpuShares = 0, CpuQuota = 0, Memory = 0 }: HostConfig): ResourceLimits {
  return {
    cpuShares: CpuShares,
    ...(CpuQuota > 0 && { cpuMillis: CpuQuota / quotaOfMilli }),
    ...(Memory > 0 && { memoryBytes: Memory }),
  };
}

/** Undefined for a container that is not a pod's. */
export function containerOf(info: ContainerInspectInfo): RuntimeContainer | undefined {
  const named = parseEngineName(info.Name);
  const labels = info.Config.Labels;
  if (named === undefined || labels[kindLabel] !== "container") return undefined;
  return {
    id: info.Id,
    pod: named.pod,
    name: named.container,
    attempt: named.attempt,
    sandboxId: labels[sandboxLabel] ?? "",
    hash: labels[hashLabel] ?? "",
    backoff: Number(labels[backoffLabel] ?? 0),
    image: info.Config.Image,
    imageId: info.Image,
    createdAt: instantOf(info.Created),
    limits: limitsIn(info.HostConfig),
    status: stateOf(info),
  };
}
