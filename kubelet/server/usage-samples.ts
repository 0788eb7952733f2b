// Samples CPU and memory usage periodically; CPU rates are differences between two samples.
import type { World } from "../../machinery/world.ts";
import { readUsage } from "../cgroup.ts";
import type { ContainerRuntime, RuntimeContainer, Usage } from "../runtime.ts";
import { isRunning } from "../pod/runs.ts";

/** A sample of usage; the rate is undefined in the first one. */
export interface Sample extends Usage {
  readonly at: number;
  readonly nanoCores: number | undefined;
}
/** The latest measurements. */
export interface Measured {
  readonly node: Sample | undefined;
  readonly containers: readonly (readonly [RuntimeContainer, Sample])[];
}
export interface UsageSamples {
  latest(): Promise<Measured>;
  run(signal: AbortSignal): Promise<void>;
}

const periodMs = 5_000;
const freshMs = 1_000;

/** A sample with the rate since the one before. Pure. */
export function sampled(before: Sample | undefined, usage: Usage, at: number): Sample {
  const elapsed = before === undefined ? 0 : at - before.at;
  const nanoCores =
    before === undefined || elapsed <= 0
      ? undefined
      : Math.max(0, ((usage.cpuNanos - before.cpuNanos) * 1_000) / elapsed);
  return { ...usage, at, nanoCores: nanoCores === undefined ? before?.nanoCores : Math.round(nanoCores) };
}

/** The root of the cgroup tree that the node's container sees accounts for the complete node. */
async function nodeUsage(): Promise<Usage | undefined> {
  const root = "/sys/fs/cgroup";
  const first = await readUsage({ version: 1, cpu: `${root}/cpuacct`, memory: `${root}/memory` });
  return first ?? readUsage({ version: 2, cpu: root, memory: root });
}

/** Samples periodically, so that a request finds a rate. */
export function usageSamples(runtime: ContainerRuntime, world: World): UsageSamples {
  let { node, containers }: Measured = { node: undefined, containers: [] };
  let at = 0;

  const look = async (signal: AbortSignal): Promise<void> => {
    const running = (await runtime.list(undefined, signal)).containers.filter(isRunning);
    const usages = await Promise.all(running.map((r) => runtime.usage(r.id)));
    const now = world.clock.now();
    const usageOfNode = await nodeUsage();
    node = usageOfNode && sampled(node, usageOfNode, now);
    const before = new Map(containers.map(([run, sample]) => [run.id, sample]));
    containers = running.flatMap((run, i) => {
      const usage = usages[i];
      return usage === undefined ? [] : [[run, sampled(before.get(run.id), usage, now)] as const];
    });
    at = now;
  };
  return {
    async latest() {
      if (world.clock.now() - at > freshMs) await look(AbortSignal.timeout(5_000));
      return { node, containers };
    },
    async run(signal) {
      while (!signal.aborted) {
        // A failure is retried in the next period; the node's status shows an engine that is down.
        await look(signal).catch(() => {});
        await world.clock.sleep(periodMs, signal).catch(() => {});
      }
    },
  };
}
