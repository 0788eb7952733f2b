// Evicts pods that exceed their limits of local ephemeral storage: of an emptyDir, of the pod, or of a container.
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "../api/generated/types.ts";
import { isTerminal } from "../api/core/pod/status.ts";
import { formatQuantity, parseQuantity, unitsOf } from "../api/quantity.ts";
import type { Lister } from "../machinery/view.ts";
import type { World } from "../machinery/world.ts";
import { isRunning } from "./pod/runs.ts";
import type { ContainerRuntime } from "./runtime.ts";
import { volumePath } from "./volumes/paths.ts";

/** Bytes on the node's disk, by the name of the emptyDir or container. */
interface StorageUsage {
  readonly emptyDirs: ReadonlyMap<string, number>;
  readonly containers: ReadonlyMap<string, number>;
}

const emptyDirsOf = (pod: Pod) =>
  (pod.spec.volumes ?? []).flatMap(({ name, emptyDir }) => (emptyDir ? [{ name, ...emptyDir }] : []));
const limitsOf = (pod: Pod) =>
  pod.spec.containers.flatMap(({ name, resources }) => {
    const limit = resources?.limits?.["ephemeral-storage"];
    return limit !== undefined && unitsOf(limit) > 0 ? [{ name, limit }] : [];
  });
/** Pods with this priority are critical and are not evicted. */
const systemCriticalPriority = 2_000_000_000;

const isEvictable = (pod: Pod): boolean =>
  !isTerminal(pod) &&
  pod.metadata.deletionTimestamp === undefined &&
  (pod.spec.priority ?? 0) < systemCriticalPriority &&
  (limitsOf(pod).length > 0 || emptyDirsOf(pod).some((v) => v.sizeLimit !== undefined));

/** The sum of the limits, in the notation of the first. */
function formatTotal(limits: readonly { readonly limit: string }[]): string {
  const parsed = limits.flatMap(({ limit }) => parseQuantity(limit) ?? []);
  return formatQuantity({ ...parsed[0]!, nano: parsed.reduce((total, q) => total + q.nano, 0n) });
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, n) => total + n, 0);

/** The message of the eviction if the pod exceeds a limit. Pure. */
export function evictionMessage(pod: Pod, { emptyDirs, containers }: StorageUsage): string | undefined {
  const full = emptyDirsOf(pod).find(
    ({ name, sizeLimit }) => unitsOf(sizeLimit) > 0 && (emptyDirs.get(name) ?? 0) > unitsOf(sizeLimit),
  );
  if (full) return `Usage of EmptyDir volume "${full.name}" exceeds the limit "${full.sizeLimit}". `;
  const limits = limitsOf(pod);
  const total = sum(limits.map(({ limit }) => unitsOf(limit)));
  if (limits.length > 0 && sum(emptyDirs.values()) + sum(containers.values()) > total)
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${formatTotal(limits)}. `;
  const over = limits.find(({ name, limit }) => (containers.get(name) ?? 0) > unitsOf(limit));
  return over && `Container ${over.name} exceeded its local ephemeral storage limit "${over.limit}". `;
}

async function diskUsageBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries.map((e) =>
    lstat(join(e.parentPath, e.name)).then(
      ({ blocks }) => blocks * 512,
      // Deleted meanwhile.
      () => 0,
    ),
  );
  return sum(await Promise.all(sizes));
}

async function usageOf(
  pod: Pod,
  runtime: ContainerRuntime,
  stateDir: string,
  signal: AbortSignal,
): Promise<StorageUsage> {
  const { containers } = await runtime.list(pod.metadata.uid, signal);
  // An emptyDir in memory is not on the disk.
  const onDisk = (pod.spec.volumes ?? []).filter((v) => v.emptyDir && v.emptyDir.medium !== "Memory");
  const folders = onDisk.map(async (v) => {
    const folder = volumePath(stateDir, pod.metadata.uid, v)!;
    return [v.name, await diskUsageBelow(folder)] as const;
  });
  const sizes = containers
    .filter(isRunning)
    .map(async (run) => [run.name, (await runtime.diskUsage(run.id)) ?? 0] as const);
  return { emptyDirs: new Map(await Promise.all(folders)), containers: new Map(await Promise.all(sizes)) };
}

interface EvictionPorts {
  readonly world: World;
  readonly runtime: ContainerRuntime;
  readonly stateDir: string;
  readonly pods: Pick<Lister<Pod>, "all">;
  readonly evict: (podUid: string, message: string) => void;
}

/** Checks the pods that have limits every `periodMs` until the signal aborts. */
export async function runEvictions(ports: EvictionPorts, periodMs: number, signal: AbortSignal): Promise<void> {
  const { world, runtime, stateDir } = ports;
  const check = async (pod: Pod): Promise<void> => {
    const message = evictionMessage(pod, await usageOf(pod, runtime, stateDir, signal));
    if (message !== undefined) ports.evict(pod.metadata.uid, message);
  };
  while (!signal.aborted) {
    await world.clock.sleep(periodMs, signal).catch(() => {});
    // An unreachable engine is tried again in the next period.
    for (const pod of ports.pods.all().filter(isEvictable)) await check(pod).catch(() => {});
  }
}
