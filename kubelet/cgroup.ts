// CPU and memory usage from cgroup files, version 1 and 2. `docker stats` would take a second.
import { readFile } from "node:fs/promises";
import type { Usage } from "./runtime.ts";

/** The folders of a process's cgroup. */
interface CgroupPaths {
  readonly version: 1 | 2;
  readonly cpu: string;
  readonly memory: string;
}

/** From the text of `/proc/PID/cgroup`. Version 2 applies where no version 1 hierarchy has the controllers. Pure. */
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

/** The value of a key in a flat keyed file; 0 when it is absent. Pure. */
export const field = (text: string, name: string): number =>
  Number(new RegExp(`^${name}\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);

/** The working set is the usage without inactive file pages, which the kernel can reclaim. Pure. */
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

/** The usage of a cgroup; undefined once it is removed. */
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
    // The process ended in between, and its cgroup with it.
    return undefined;
  }
}

/** The usage of the cgroup of a process. */
export async function usageOfProcess(pid: number): Promise<Usage | undefined> {
  const text = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  const paths = cgroupPaths(text);
  return paths === undefined ? undefined : readUsage(paths);
}
