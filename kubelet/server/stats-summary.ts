// GET /stats/summary: resource usage of the node, its pods and containers as a stats Summary. Pure.
import { instant, timestamp } from "../../api/meta.ts";
import type { RuntimeContainer } from "../runtime.ts";
import type { Sample } from "./usage-samples.ts";

interface PodUsage {
  readonly cpu: object;
  readonly memory: object;
}

function usageOf(samples: readonly Sample[], capacityBytes?: number): PodUsage {
  const time = timestamp(instant(Math.max(0, ...samples.map((s) => s.at))));
  const sum = (of: (s: Sample) => number): number => samples.reduce((total, s) => total + of(s), 0);
  const rated = samples.every((s) => s.nanoCores !== undefined);
  const workingSetBytes = sum((s) => s.memoryWorkingSetBytes);
  return {
    cpu: {
      time,
      ...(rated ? { usageNanoCores: sum((s) => s.nanoCores ?? 0) } : {}),
      usageCoreNanoSeconds: sum((s) => s.cpuNanos),
    },
    memory: {
      time,
      ...(capacityBytes === undefined ? {} : { availableBytes: Math.max(0, capacityBytes - workingSetBytes) }),
      usageBytes: sum((s) => s.memoryUsageBytes),
      workingSetBytes,
      rssBytes: sum((s) => s.memoryRssBytes),
    },
  };
}

const startOf = (run: RuntimeContainer): string =>
  timestamp(run.status.state === "running" ? run.status.startedAt : run.createdAt);

function ofPod(runs: readonly (readonly [RuntimeContainer, Sample])[]): object {
  const { name, namespace, uid } = runs[0]![0].pod;
  return {
    podRef: { name, namespace, uid },
    startTime: runs.map(([run]) => timestamp(run.createdAt)).toSorted()[0],
    containers: runs.map(([run, sample]) => ({ name: run.name, startTime: startOf(run), ...usageOf([sample]) })),
    ...usageOf(runs.map(([, sample]) => sample)),
  };
}

/** The summary of one node. */
export function statsSummary(
  node: {
    readonly name: string;
    readonly memoryBytes: number;
    readonly startedAt: number;
    readonly sample: Sample | undefined;
  },
  containers: readonly (readonly [RuntimeContainer, Sample])[],
): object {
  const byPod = Map.groupBy(containers, ([run]) => run.pod.uid);
  return {
    node: {
      nodeName: node.name,
      startTime: timestamp(instant(node.startedAt)),
      ...(node.sample === undefined ? {} : usageOf([node.sample], node.memoryBytes)),
    },
    pods: [...byPod.values()].map(ofPod),
  };
}
