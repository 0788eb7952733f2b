// What a process group uses, read from its cgroup files: both versions, parsed by pure functions. `docker stats`
// takes a second.
import { readFile } from "node:fs/promises";
import type { Usage } from "./runtime.ts";

/** Where a process's usage is to be read; `version` says how. */
export interface CgroupPaths {
  readonly version: 1 | 2;
  readonly cpu: string;
  readonly memory: string;
}

/**
 * From the text of `/proc/PID/cgroup`. The unified hierarchy counts only where no other holds the controllers. Pure.
 */
export function cgroupPaths(text: string, root = "/sys/fs/cgroup"): CgroupPaths | undefined {
  const lines = text.split("\n").flatMap((line) => {
    const [, controllers, ...path] = line.split(":");
    return controllers === undefined ? [] : [{ controllers: controllers.split(","), path: path.join(":") }];
  });
  const of = (controller: string): string | undefined => lines.find((l) => l.controllers.includes(controller))?.path;
  const cpu = of("cpuacct");
  const memory = of("memory");
  if (cpu !== undefined && memory !== undefined)
    return { version: 1, cpu: `${root}/cpuacct${cpu}`, memory: `${root}/memory${memory}` };
  const unified = of("");
  return unified === undefined ? undefined : { version: 2, cpu: `${root}${unified}`, memory: `${root}${unified}` };
}

/** The number after a word at the beginning of a line; 0 when it is not there. Pure. */
export const field = (text: string, name: string): number =>
  Number(new RegExp(`^${name}\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);

/** Memory that cannot be taken back: everything but file pages nobody has touched lately. Pure. */
export function usageOf(version: 1 | 2, cpu: string, memoryUsage: string, memoryStat: string): Usage {
  const usage = Number(memoryUsage);
  const inactive = field(memoryStat, version === 1 ? "total_inactive_file" : "inactive_file");
  return {
    cpuNanos: version === 1 ? Number(cpu) : field(cpu, "usage_usec") * 1_000,
    memoryUsageBytes: usage,
    memoryWorkingSetBytes: Math.max(0, usage - inactive),
    memoryRssBytes: field(memoryStat, version === 1 ? "total_rss" : "anon"),
  };
}

/** Usage of everything at these paths; undefined once it is gone. */
export async function readUsage(paths: CgroupPaths): Promise<Usage | undefined> {
  const text = (path: string): Promise<string> => readFile(path, "utf8");
  const { version } = paths;
  try {
    const [cpu, usage, stat] = await Promise.all([
      text(version === 1 ? `${paths.cpu}/cpuacct.usage` : `${paths.cpu}/cpu.stat`),
      text(version === 1 ? `${paths.memory}/memory.usage_in_bytes` : `${paths.memory}/memory.current`),
      text(`${paths.memory}/memory.stat`),
    ]);
    return usageOf(version, cpu, usage, stat);
  } catch {
    // The process, and with it its cgroup, ended while we looked.
    return undefined;
  }
}

/** Usage of the cgroup a process lives in. */
export async function usageOfProcess(pid: number): Promise<Usage | undefined> {
  const text = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  const paths = cgroupPaths(text);
  return paths === undefined ? undefined : readUsage(paths);
}
