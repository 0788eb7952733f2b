// Kubernetes' kube-scheduler against this project's API server. An extender makes it list the nodes that fit, and take
// one of them that the caller prefers; its log has the scores.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "yaml";
import { type Key, keyOf } from "../../../api/meta.ts";
import { realWorld } from "../../../machinery/real-world.ts";
import { listeningServer } from "../../suites/listening.ts";
import { programs } from "../specs.ts";
import { change, create, layFoundation, remove, run, setUp, tearDown } from "./cluster.ts";
import { extender } from "./extender.ts";
import { follow } from "./outcomes.ts";
import type { Peer } from "./own-scheduler.ts";
import { profiles, type Scenario } from "./scenario.ts";
import type { Scores } from "./verdict.ts";
import { controlVolumes } from "./volume-controllers.ts";

const scoring = { type: "MostAllocated", resources: ["cpu", "memory"].map((name) => ({ name, weight: 1 })) };
/** Both profiles as this project's scheduler has them. */
const configuration = (kubeconfig: string, port: number): object => ({
  apiVersion: "kubescheduler.config.k8s.io/v1",
  kind: "KubeSchedulerConfiguration",
  clientConnection: { kubeconfig, qps: 5000, burst: 5000 },
  leaderElection: { leaderElect: false },
  parallelism: 2,
  percentageOfNodesToScore: 100,
  profiles: [
    { schedulerName: profiles.spreading },
    {
      schedulerName: profiles.packing,
      plugins: { score: { disabled: [{ name: "NodeResourcesBalancedAllocation" }] } },
      pluginConfig: [
        { name: "NodeResourcesFit", args: { scoringStrategy: scoring } },
        { name: "PodTopologySpread", args: { defaultingType: "List", defaultConstraints: [] } },
      ],
    },
  ],
  extenders: [
    {
      urlPrefix: `http://127.0.0.1:${port}`,
      filterVerb: "filter",
      prioritizeVerb: "prioritize",
      preemptVerb: "preempt",
      // Any preference outweighs all scores.
      weight: 100_000,
      nodeCacheCapable: true,
    },
  ],
});

const scoreLine = /"Plugin scored node for pod" pod="(\S+)" plugin="(\S+)" node="(\S+)" score=(-?\d+)/;
const totalLine = /"Calculated node's final score for pod" pod="(\S+)" node="(\S+)"/;
interface ScoreLog {
  /** Reads one line of the log. */
  read(line: string): void;
  /** By node, once so many nodes have a total. */
  of(key: Key, count: number): Readonly<Record<string, Scores>> | undefined;
  forget(key: Key): void;
}
function scoreLog(): ScoreLog {
  const scores = new Map<string, Record<string, Scores>>();
  const totals = new Map<string, Set<string>>();
  return {
    read(line) {
      const [, pod, plugin, node, score] = scoreLine.exec(line) ?? [];
      if (pod !== undefined) {
        const byNode = scores.get(pod) ?? {};
        byNode[node!] = { ...byNode[node!], [plugin!]: Number(score) };
        scores.set(pod, byNode);
      }
      const [, totalled, at] = totalLine.exec(line) ?? [];
      if (totalled !== undefined) totals.set(totalled, (totals.get(totalled) ?? new Set()).add(at!));
    },
    of: (key, count) => ((totals.get(key)?.size ?? 0) < count ? undefined : scores.get(key)),
    forget(key) {
      scores.delete(key);
      totals.delete(key);
    },
  };
}

/** Under load its watches are late. */
const patienceMs = 6_000;

/** kube-scheduler while it runs, over one scenario after the other. */
export interface Original {
  /** Creates the cluster and gives watches some time to show it. */
  peer(scenario: Scenario, settleMs: number): Promise<Peer>;
  close(): Promise<void>;
}

async function started(folder: string, kubeconfig: string, port: number) {
  const file = join(folder, "scheduler.yaml");
  writeFileSync(file, stringify(configuration(kubeconfig, port)));
  const flags = [
    ...[`--config=${file}`, "--secure-port=0", "--vmodule=schedule_one=10"],
    // A node that fitted an equal pod would be tried alone.
    "--feature-gates=OpportunisticBatching=false",
  ];
  const child = spawn("nice", ["-n", "15", join(programs, "kube-scheduler"), ...flags], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const scores = scoreLog();
  const recent: string[] = [];
  const lines = createInterface({ input: child.stderr });
  lines.on("line", (line) => {
    scores.read(line);
    if (/^[EF]/.test(line) && recent.push(line) > 20) recent.shift();
  });
  return { child, scores, recent };
}

export async function kubeScheduler(): Promise<Original> {
  const world = realWorld(() => {});
  const server = await listeningServer();
  const client = server.inProcess;
  await layFoundation(client);
  const stop = new AbortController();
  const followed = follow(client, world, stop.signal, patienceMs);
  controlVolumes(client, world, stop.signal);
  const calls = await extender(followed);
  const folder = mkdtempSync(join(tmpdir(), "orrery-scheduler-"));
  const { child, scores, recent } = await started(folder, server.kubeconfig, calls.port);

  const peer = (scenario: Scenario): Peer => ({
    async decide(pod, preferred) {
      const key = keyOf(pod as never);
      if (preferred) calls.preferred.set(key, [preferred.nodeName, preferred.preemption?.nodeName]);
      const outcome = await followed.outcome(key, () => create(client, pod));
      if (!outcome && recent.length > 0) throw new Error(`kube-scheduler: ${recent.at(-1)}`);
      const fit = calls.fit.get(key) ?? [];
      // Lines of the log may arrive after the binding.
      for (let tries = 0; fit.length > 1 && !scores.of(key, fit.length) && tries < 200; tries++)
        await world.clock.sleep(5);
      const candidates = calls.candidates.get(key);
      return { ...outcome, fit, scores: scores.of(key, fit.length) ?? {}, ...(candidates && { candidates }) };
    },
    change: (manifest) => change(client, manifest),
    start: (pod, startTime) => run(client, pod, startTime),
    remove: (pod) => remove(client, pod),
    async close() {
      await tearDown(client, scenario);
      for (const pod of scenario.steps) scores.forget(keyOf(pod as never));
      calls.forget();
    },
  });
  return {
    async peer(scenario, settleMs) {
      try {
        await setUp(client, scenario);
      } catch (e) {
        await tearDown(client, scenario);
        throw e;
      }
      await world.clock.sleep(settleMs);
      return peer(scenario);
    },
    async close() {
      stop.abort(new Error("done"));
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      calls.close();
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
