// The control loops of a whole cluster in one process, with a simulated runtime and under a virtual clock: the CPU time
// from 1,000 Deployments of 10 pods to all of them ready, and that of replacing one pod in small and in large clusters.
import { createHash } from "node:crypto";
import type { Deployment } from "../api/generated/types.ts";
import { deployments } from "../api/apps/deployments.ts";
import { pods } from "../api/core/pods.ts";
import { nodes } from "../api/core/nodes.ts";
import { isReady } from "../api/core/pod/status.ts";
import { type Draft, key } from "../api/meta.ts";
import { clusterRegistry } from "../apiserver/cluster-registry.ts";
import { bootstrap } from "../apiserver/bootstrap/objects.ts";
import { inProcessClient } from "../apiserver/registry/in-process.ts";
import { memoryStorage } from "../apiserver/storage/log.ts";
import { runControllers } from "../controllers/controllers.ts";
import type { Client } from "../machinery/client.ts";
import { informer } from "../machinery/informer.ts";
import { defaultPlugins } from "../scheduler/plugins/default.ts";
import { runScheduler } from "../scheduler/scheduler.ts";
import { controllerOptions } from "../test/sim/cluster.ts";
import { runAgent } from "../test/sim/node-agent.ts";
import { beginning, seeded, virtualClock } from "../test/sim/virtual-clock.ts";
import { median, report } from "./report.ts";

const count = Number(process.argv[2] ?? 1_000);
const podsEach = 10;
const podsPerNode = 100;

interface Cluster {
  readonly user: Client;
  /** Lets this many seconds of virtual time pass. */
  pass(seconds: number): Promise<void>;
  close(): void;
}

/** A cluster with as many nodes as the pods need. */
async function cluster(podCount: number): Promise<Cluster> {
  const clock = virtualClock();
  const world = { clock, random: seeded(1), log: () => {} };
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const user = inProcessClient(clusterRegistry(memoryStorage(), world, ranges));
  await bootstrap(user, { address: "10.0.0.1", port: 6443, serviceCidr: ranges.serviceCidr });
  const end = new AbortController();
  const { signal } = end;
  const options = { cpu: "32", leaseMs: 10_000, crashRate: () => 0 };
  const running: Promise<unknown>[] = [];
  for (let i = 0; i < Math.ceil(podCount / podsPerNode) + 1; i++)
    running.push(runAgent({ ...options, nodeName: `node-${i}` }, user, world, signal));
  const views = { pods: informer(user, pods, world), nodes: informer(user, nodes, world) };
  running.push(
    runControllers(user, world, { ...controllerOptions, workers: 4 }, signal),
    runScheduler(views, user, world, { plugins: defaultPlugins() }, signal),
    views.pods.run(signal),
    views.nodes.run(signal),
  );
  for (const part of running) part.catch(() => {});
  let now = beginning;
  const pass = async (seconds: number): Promise<void> => {
    now += seconds * 1000;
    await clock.run(now);
  };
  await pass(15);
  return { user, pass, close: () => end.abort(new Error("the end")) };
}

const deployment = (name: string): Draft<Deployment> => ({
  kind: "Deployment",
  metadata: { name, namespace: "default" },
  spec: {
    replicas: podsEach,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "main", image: "app:1", resources: { requests: { cpu: "100m" } } }] },
    },
  },
});

async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Creates the deployments and waits until every pod is ready. */
async function settle({ user, pass }: Cluster, deploymentCount: number): Promise<void> {
  for (let i = 0; i < deploymentCount; i++) await user.create(deployments, deployment(`app-${i}`));
  for (let waited = 0; waited < 600; waited += 5) {
    await pass(5);
    const { items } = await user.list(pods, { namespace: "default" });
    if (items.length === deploymentCount * podsEach && items.every(isReady)) return;
  }
  throw new Error("not all pods were ready after ten minutes");
}

/** CPU milliseconds for the replacement of one pod, from its deletion to the next ready one. */
async function replacementMs({ user, pass }: Cluster, idleSeconds: number): Promise<number> {
  const { items } = await user.list(pods, { namespace: "default" });
  const victims = items.slice(0, 200);
  const idle = await cpuSeconds(() => pass(idleSeconds));
  const busy = await cpuSeconds(async () => {
    for (const { metadata } of victims) await user.delete(pods, key("default", metadata.name));
    await pass(idleSeconds);
  });
  const after = await user.list(pods, { namespace: "default" });
  if (after.items.length !== items.length || !after.items.every(isReady))
    throw new Error("the deleted pods were not replaced");
  return ((busy - idle) * 1000) / victims.length;
}

/** The median of several: in one of them a collection of garbage can take as long as the replacements. */
async function usualReplacementMs(of: Cluster): Promise<number> {
  const idleSeconds = 30;
  // The first has the caches and the compiler to warm up.
  await replacementMs(of, idleSeconds);
  const rounds: number[] = [];
  for (let round = 0; round < 5; round++) rounds.push(await replacementMs(of, idleSeconds));
  return median(rounds);
}

/** What the machine does in the same run with similar work: hashing, parsing, promises. */
async function yardstick(): Promise<void> {
  const text = JSON.stringify(Array.from({ length: 40 }, (_, i) => deployment(`app-${i}`)));
  for (let i = 0; i < 5_000; i++) {
    createHash("sha256").update(text).digest();
    await Promise.resolve(JSON.parse(text));
  }
}

const small = await cluster((count * podsEach) / 10);
await settle(small, count / 10);
const smallMs = await usualReplacementMs(small);
small.close();
const large = await cluster(count * podsEach);
const seconds = await cpuSeconds(() => settle(large, count));
report({
  what: `${count} deployments of ${podsEach} pods, from nothing to ready, CPU`,
  value: seconds,
  unit: "s",
  beside: { what: "5,000 documents hashed and parsed", value: 1000 * (await cpuSeconds(yardstick)), unit: "ms" },
  budget: { atMost: (60 * count) / 1_000 },
});
const largeMs = await usualReplacementMs(large);
report({
  what: `replacing a pod among ${count * podsEach}, beside one among ${(count * podsEach) / 10}`,
  value: largeMs / smallMs,
  unit: "x",
  beside: { what: "the smaller cluster", value: smallMs, unit: "ms" },
  budget: { atMost: 1.5 },
});
large.close();
process.exit();
