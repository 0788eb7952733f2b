// Resource usage of the node, its pods and containers: as Prometheus' text and as a stats Summary. Pure.
import type { RuntimeContainer } from "../runtime.ts";
import type { Measured, Sample } from "./usage-samples.ts";
import { instant, timestamp } from "../../api/meta.ts";
import { summaryOf, type VolumeStats } from "../volumes/volume-stats.ts";

type Labels = Readonly<Record<string, string>>;
interface Line {
  readonly labels: Labels;
  readonly value: number;
  readonly at: number;
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
const written = (labels: Labels): string => {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return all.length === 0 ? "" : `{${all.join(",")}}`;
};

function family(name: string, kind: "counter" | "gauge", help: string, lines: readonly Line[]): string {
  const head = [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`];
  return [...head, ...lines.map(({ labels, value, at }) => `${name}${written(labels)} ${value} ${at}`), ""].join("\n");
}

const cpu = (s: Sample): number => s.cpuNanos / 1e9;
const memory = (s: Sample): number => s.memoryWorkingSetBytes;
const line = (s: Sample, of: (s: Sample) => number, labels: Labels = {}): Line => ({ labels, value: of(s), at: s.at });

/** The sum over the containers of each pod. */
function byPod({ containers }: Measured, of: (s: Sample) => number): readonly Line[] {
  return [...Map.groupBy(containers, ([run]) => run.pod.uid).values()].map((runs) => {
    const { namespace, name } = runs[0]![0].pod;
    const value = runs.reduce((sum, [, s]) => sum + of(s), 0);
    return { labels: { namespace, pod: name }, value, at: Math.max(...runs.map(([, s]) => s.at)) };
  });
}
const byContainer = ({ containers }: Measured, of: (s: Sample) => number): readonly Line[] =>
  containers.map(([run, s]) => line(s, of, { container: run.name, namespace: run.pod.namespace, pod: run.pod.name }));
const ofNode = ({ node }: Measured, of: (s: Sample) => number): readonly Line[] => (node ? [line(node, of)] : []);

const noError = ({ node }: Measured): Line => ({ labels: {}, value: 0, at: node?.at ?? 0 });

/** `/metrics/resource`, which the metrics server scrapes (KEP-727). */
export const resourceMetrics = (m: Measured): string =>
  [
    family("container_cpu_usage_seconds_total", "counter", "CPU time a container has used.", byContainer(m, cpu)),
    family("container_memory_working_set_bytes", "gauge", "Memory a container works with.", byContainer(m, memory)),
    family("node_cpu_usage_seconds_total", "counter", "CPU time the node has used.", ofNode(m, cpu)),
    family("node_memory_working_set_bytes", "gauge", "Memory the node works with.", ofNode(m, memory)),
    family("pod_cpu_usage_seconds_total", "counter", "CPU time a pod has used.", byPod(m, cpu)),
    family("pod_memory_working_set_bytes", "gauge", "Memory a pod works with.", byPod(m, memory)),
    family("resource_scrape_error", "gauge", "1 when something could not be measured.", [noError(m)]),
  ].join("");

/** `/metrics/cadvisor`: the same containers under cAdvisor's names. */
export function cadvisorMetrics(m: Measured): string {
  const lines = (of: (s: Sample) => number): readonly Line[] =>
    m.containers.map(([{ id, name: container, image, pod }, s]) => {
      const { namespace, name } = pod;
      return line(s, of, { container, id, image, name: id, namespace, pod: name });
    });
  const [rss, usage] = [lines((s) => s.memoryRssBytes), lines((s) => s.memoryUsageBytes)];
  return [
    family("container_cpu_usage_seconds_total", "counter", "CPU time used.", lines(cpu)),
    family("container_memory_rss", "gauge", "Anonymous memory.", rss),
    family("container_memory_usage_bytes", "gauge", "Memory used, caches included.", usage),
    family("container_memory_working_set_bytes", "gauge", "Memory worked with.", lines(memory)),
  ].join("");
}

function usageOf(
  samples: readonly Sample[],
  capacityBytes?: number,
): { readonly cpu: object; readonly memory: object } {
  const time = timestamp(instant(Math.max(0, ...samples.map((s) => s.at))));
  const sum = (of: (s: Sample) => number): number => samples.reduce((total, s) => total + of(s), 0);
  const rated = samples.every((s) => s.nanoCores !== undefined);
  const workingSetBytes = sum((s) => s.memoryWorkingSetBytes);
  return {
    cpu: {
      ...{ time, usageNanoCores: rated ? sum((s) => s.nanoCores ?? 0) : undefined },
      usageCoreNanoSeconds: sum((s) => s.cpuNanos),
    },
    memory: {
      time,
      availableBytes: capacityBytes === undefined ? undefined : Math.max(0, capacityBytes - workingSetBytes),
      usageBytes: sum((s) => s.memoryUsageBytes),
      workingSetBytes,
      rssBytes: sum((s) => s.memoryRssBytes),
    },
  };
}

const startOf = (run: RuntimeContainer): string =>
  timestamp(run.status.state === "running" ? run.status.startedAt : run.createdAt);

function ofPod(runs: readonly (readonly [RuntimeContainer, Sample])[], volumes: readonly VolumeStats[]): object {
  const { name, namespace, uid } = runs[0]![0].pod;
  const volume = summaryOf(volumes, uid);
  return {
    podRef: { name, namespace, uid },
    startTime: runs.map(([run]) => timestamp(run.createdAt)).toSorted()[0],
    containers: runs.map(([run, sample]) => ({ name: run.name, startTime: startOf(run), ...usageOf([sample]) })),
    ...usageOf(runs.map(([, sample]) => sample)),
    ...(volume.length > 0 && { volume }),
  };
}

interface NodeStart {
  readonly name: string;
  readonly memoryBytes: number;
  readonly startedAt: number;
}
/** The summary of one node. */
export function statsSummary(
  node: NodeStart,
  { node: sample, containers }: Measured,
  volumes: readonly VolumeStats[],
): object {
  const byPod = Map.groupBy(containers, ([run]) => run.pod.uid);
  return {
    node: {
      nodeName: node.name,
      startTime: timestamp(instant(node.startedAt)),
      ...(sample && usageOf([sample], node.memoryBytes)),
    },
    pods: [...byPod.values()].map((runs) => ofPod(runs, volumes)),
  };
}
