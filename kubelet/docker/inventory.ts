// Lists the node's containers. Inspections are cached per state, for a container is started once; only a resize changes
// it otherwise, and invalidates its entry.
import type Docker from "dockerode";
import type { ContainerInspectInfo, HostConfig, ContainerInfo } from "dockerode";
import { type Instant, instantOf } from "../../api/meta.ts";
import type { ContainerState, ResourceLimits, RuntimeContainer, Sandbox, Inventory } from "../runtime.ts";
import {
  quotaOfMilli,
  backoffLabel,
  hashLabel,
  kindLabel,
  parseEngineName,
  sandboxContainerName,
  sandboxLabel,
  isPoolName,
  nodeLabel,
} from "./create-options.ts";
import { engineCall } from "./engine.ts";

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
function sandboxOf(info: ContainerInspectInfo): Sandbox | undefined {
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

interface CacheEntry {
  readonly key: string;
  readonly info: ContainerInspectInfo;
}

/** The engine's containers that carry this node's label. */
interface DockerInventory {
  list(podUid: string | undefined): Promise<Inventory>;
  /** Sandboxes in the pool. */
  pool(): Promise<readonly ContainerInfo[]>;
  /** Drops the cached inspection after an event: the engine's list lags behind its events. */
  invalidate(id: string): void;
  processOf(id: string): number | undefined;
}

export function dockerInventory(docker: Docker, nodeName: string): DockerInventory {
  const cache = new Map<string, CacheEntry>();
  const invalidations = new Map<string, number>();

  const listed = async (name?: string): Promise<readonly ContainerInfo[]> =>
    (await engineCall(() =>
      docker.listContainers({
        all: true,
        filters: { label: [`${nodeLabel}=${nodeName}`], ...(name === undefined ? {} : { name: [name] }) },
      }),
    )) ?? [];

  const inspect = async (c: ContainerInfo): Promise<ContainerInspectInfo | undefined> => {
    const key = `${c.Names[0]} ${c.State}`;
    const before = cache.get(c.Id);
    if (before?.key === key && c.State !== "created") return before.info;
    const invalidationsBefore = invalidations.get(c.Id);
    const info = await engineCall(() => docker.getContainer(c.Id).inspect(), 404);
    // Cached only if the list, the inspection and the events in between agree.
    const agreed =
      info?.State.Status === c.State && info.Name === c.Names[0] && invalidations.get(c.Id) === invalidationsBefore;
    if (info !== undefined && agreed) cache.set(c.Id, { key, info });
    return info;
  };

  return {
    async list(podUid) {
      const all = await listed(podUid === undefined ? undefined : `_${podUid}_`);
      if (podUid === undefined) {
        const ids = new Set(all.map((c) => c.Id));
        for (const known of [cache, invalidations]) for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
      }
      const infos = (await Promise.all(all.map(inspect))).filter((i) => i !== undefined);
      return {
        sandboxes: infos.map(sandboxOf).filter((s): s is Sandbox => s !== undefined),
        containers: infos.map(containerOf).filter((c): c is RuntimeContainer => c !== undefined),
      };
    },
    pool: async () => (await listed("orrery_pool_")).filter((c) => isPoolName(c.Names[0] ?? "")),
    invalidate(id) {
      cache.delete(id);
      invalidations.set(id, (invalidations.get(id) ?? 0) + 1);
    },
    processOf: (id) => cache.get(id)?.info.State.Pid || undefined,
  };
}
