// Reads the machine's identity and its present health: engine, memory, disk, processes.
import { readFile, statfs } from "node:fs/promises";
import os from "node:os";
import { orAborted } from "../../machinery/abort.ts";
import { field } from "../cgroup.ts";
import type { ContainerRuntime } from "../runtime.ts";
import type { Capacity, MachineFacts, NodeHealth } from "./node-status.ts";

/** The engine counts as down when it takes longer. */
const engineTimeoutMs = 5_000;

const text = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

export async function machineFacts(): Promise<MachineFacts> {
  const [machine, boot, release] = await Promise.all([
    text("/etc/machine-id"),
    text("/proc/sys/kernel/random/boot_id"),
    text("/etc/os-release"),
  ]);
  return {
    machineId: machine.trim(),
    bootId: boot.trim(),
    osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? "Linux",
    architecture: process.arch,
    kernel: os.release(),
  };
}

/** The root of the cgroup tree that the node's container sees accounts for the complete node. */
async function memoryUsed(): Promise<number> {
  const [usage1, stat1, usage2, stat2] = await Promise.all(
    ["memory/memory.usage_in_bytes", "memory/memory.stat", "memory.current", "memory.stat"].map((f) =>
      text(`/sys/fs/cgroup/${f}`),
    ),
  );
  if (usage1) return Number(usage1) - field(stat1!, "total_inactive_file");
  return usage2 ? Number(usage2) - field(stat2!, "inactive_file") : 0;
}

async function pidsLeft(): Promise<number> {
  const most = Number(await text("/proc/sys/kernel/pid_max")) || Number.POSITIVE_INFINITY;
  const running = Number((await text("/proc/loadavg")).split(" ")[3]?.split("/")[1] ?? 0);
  return most - running;
}

type EngineHealth = Pick<NodeHealth, "runtimeVersion" | "recursiveReadOnlyMounts" | "runtimeError" | "images">;
async function engineHealth(runtime: ContainerRuntime, signal: AbortSignal): Promise<EngineHealth> {
  try {
    const queries = Promise.all([runtime.info(signal), runtime.images(signal)]);
    const within = AbortSignal.any([signal, AbortSignal.timeout(engineTimeoutMs)]);
    const [{ version, recursiveReadOnlyMounts }, images] = await orAborted(queries, within);
    return { runtimeVersion: version, recursiveReadOnlyMounts, runtimeError: undefined, images };
  } catch (e) {
    const down = { runtimeVersion: undefined, recursiveReadOnlyMounts: undefined, images: [] };
    return { ...down, runtimeError: (e as Error).message };
  }
}

/** The node's present health. */
export async function nodeHealth(
  runtime: ContainerRuntime,
  capacity: Capacity,
  stateDir: string,
  signal: AbortSignal,
): Promise<Omit<NodeHealth, "volumesInUse">> {
  const [engine, disk, used, pidsAvailable] = await Promise.all([
    engineHealth(runtime, signal),
    statfs(stateDir),
    memoryUsed(),
    pidsLeft(),
  ]);
  return {
    ...engine,
    memoryAvailableBytes: Math.max(0, capacity.memoryBytes - used),
    diskAvailableBytes: disk.bavail * disk.bsize,
    diskCapacityBytes: disk.blocks * disk.bsize,
    pidsAvailable,
  };
}
