// Pods per second through API server, memory store, scheduler and controllers: the workloads of Kubernetes' scheduler_perf,
// beside its own results of this machine where they are given. Arguments: parts of the names of workloads, and
// --scale N, which divides all sizes by N. SCHEDULER_PERF is the folder of its results (-data-items-dir).
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { namespaces as namespaceKind } from "../api/core/namespaces.ts";
import { nodes } from "../api/core/nodes.ts";
import { pods } from "../api/core/pods.ts";
import type { Client } from "../machinery/client.ts";
import { realWorld } from "../machinery/real-world.ts";
import { report } from "./report.ts";
import { counter, each, type SystemCluster, withControlPlane } from "./system/cluster.ts";
import { churnMs, namespaces, nodeDraft, podDraft, type Workload, workloads } from "./system/workloads.ts";

const { values, positionals } = parseArgs({
  options: { scale: { type: "string", default: "1" } },
  allowPositionals: true,
});
const scale = Number(values.scale);
const { clock } = realWorld(() => {});

interface DataItem {
  readonly data: Readonly<Record<string, number>>;
  readonly labels?: Readonly<Record<string, string>>;
}
/** The average throughputs that scheduler_perf wrote, by the names of its workloads. */
function peerResults(): ReadonlyMap<string, number> {
  const dir = process.env["SCHEDULER_PERF"];
  if (dir === undefined) return new Map();
  const files = readdirSync(dir).filter((file) => file.endsWith(".json"));
  // A workload that failed has no items.
  const items = files.flatMap(
    (f) => (JSON.parse(readFileSync(join(dir, f), "utf8")) as { dataItems: DataItem[] | null }).dataItems ?? [],
  );
  return new Map(
    items.flatMap(({ data, labels }) =>
      labels?.["Metric"] === "SchedulingThroughput" ? [[labels["Name"] ?? "", data["Average"] ?? 0] as const] : [],
    ),
  );
}
const peers = peerResults();
/** The best result of a workload, whichever of scheduler_perf's feature gates were on. */
const peerOf = ({ name }: Workload): number | undefined => {
  const found = [...peers].filter(([full]) => full.includes(`/${name}`)).map(([, average]) => average);
  return found.length === 0 ? undefined : Math.max(...found);
};

/** Creates the nodes and the pods that are there before the measurement. */
async function prepare(w: Workload, client: Client, signal: AbortSignal): Promise<void> {
  const [nodeCount, podCount] = [Math.ceil(w.nodes / scale), Math.ceil(w.initPods / scale)];
  for (const name of namespaces)
    await client.create(namespaceKind, { kind: "Namespace", metadata: { name }, spec: {} });
  const usable = await counter(client, nodes, ({ spec }) => !spec.taints?.length, signal);
  await each(nodeCount, (i) => client.create(nodes, (w.node ?? nodeDraft)(i)));
  await usable.reached(nodeCount);
  const bound = await counter(client, pods, ({ spec }) => spec.nodeName !== undefined, signal);
  await each(podCount, (i) => client.create(pods, (w.initPod ?? podDraft)(i)));
  await bound.reached(podCount);
}

/** Pods a second from the first measured pod created to the last one bound. */
async function throughput(w: Workload, { client, cpuSeconds }: SystemCluster): Promise<number> {
  const end = new AbortController();
  const measuredPods = Math.ceil(w.measuredPods / scale);
  await prepare(w, client, end.signal);
  const measured = await counter(
    client,
    pods,
    ({ spec, metadata }) => spec.nodeName !== undefined && metadata.labels?.["measured"] === "yes",
    end.signal,
  );
  const churn = async (): Promise<void> => {
    for (let i = 0; w.churn && !end.signal.aborted; i++) {
      await client.create(pods, w.churn(i));
      await clock.sleep(churnMs, end.signal);
    }
  };
  churn().catch(() => {});
  const [began, cpu] = [performance.now(), await cpuSeconds()];
  await each(measuredPods, (i) => {
    const pod = (w.measuredPod ?? podDraft)(i);
    return client.create(pods, {
      ...pod,
      metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, measured: "yes" } },
    });
  });
  await measured.reached(measuredPods);
  const perSecond = (1000 * measuredPods) / (performance.now() - began);
  const perPod = (1000 * ((await cpuSeconds()) - cpu)) / measuredPods;
  process.stdout.write(`       ${w.name}: ${perPod.toFixed(2)} ms CPU of the control plane per pod\n`);
  end.abort(new Error("measured"));
  return perSecond;
}

for (const workload of workloads) {
  if (positionals.length > 0 && !positionals.some((part) => workload.name.includes(part))) continue;
  await withControlPlane(async (cluster) => {
    const value = await throughput(workload, cluster);
    const peer = peerOf(workload);
    report({
      ...{ what: workload.name, value, unit: "/s" },
      ...(peer !== undefined && { beside: { what: "scheduler_perf", value: peer, unit: "/s" } }),
      budget: { atLeast: Math.max(workload.atLeast, 5 * (peer ?? 0)) },
    });
  });
}
