// GET /stats/summary: what the node, its pods and their containers use, in the shape metrics are gathered in. Pure.
import { instant, timestamp } from "../../api/meta.ts";
import type { RuntimeContainer } from "../runtime.ts";
import type { Sample } from "./usage-samples.ts";

interface Figures {
  readonly cpu: object;
  readonly memory: object;
}

function figures(samples: readonly Sample[], capacityBytes?: number): Figures {
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
    containers: runs.map(([run, sample]) => ({ name: run.name, startTime: startOf(run), ...figures([sample]) })),
    ...figures(runs.map(([, sample]) => sample)),
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
      ...(node.sample === undefined ? {} : figures([node.sample], node.memoryBytes)),
    },
    pods: [...byPod.values()].map(ofPod),
  };
}
