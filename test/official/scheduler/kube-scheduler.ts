// Kubernetes' kube-scheduler against this project's API server. An extender makes it list the nodes that fit, and take
// one of them that the caller prefers; its log has the scores.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { stringify } from "yaml";
import { pods } from "../../../api/core/pods.ts";
import { type Key, keyOf } from "../../../api/meta.ts";
import { realWorld } from "../../../machinery/real-world.ts";
import { listeningServer } from "../../suites/listening.ts";
import { programs } from "../specs.ts";
import { create, follow, lay, setUp, tearDown } from "./cluster.ts";
import type { Peer } from "./own-scheduler.ts";
import { profiles, type Scenario } from "./scenario.ts";
import type { Scores } from "./verdict.ts";

interface ExtenderArguments {
  readonly Pod: { readonly metadata: { readonly name: string; readonly namespace: string } };
  readonly NodeNames: readonly string[];
}
/** The nodes that passed, by pod, and the nodes that are preferred. */
interface Extender {
  readonly port: number;
  readonly fit: Map<string, readonly string[]>;
  readonly preferred: Map<string, string>;
  close(): void;
}
async function extender(): Promise<Extender> {
  const [fit, preferred] = [new Map<string, readonly string[]>(), new Map<string, string>()];
  const answers: Readonly<Record<string, (args: ExtenderArguments) => object>> = {
    "/filter": ({ Pod, NodeNames }) => {
      fit.set(keyOf(Pod as never), NodeNames);
      return { NodeNames };
    },
    "/prioritize": ({ Pod, NodeNames }) =>
      NodeNames.map((Host) => ({ Host, Score: preferred.get(keyOf(Pod as never)) === Host ? 10 : 0 })),
  };
  const server: Server = createServer((request, response) => {
    json(request).then(
      (args) => response.end(JSON.stringify(answers[request.url!]!(args as ExtenderArguments))),
      () => response.writeHead(400).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { port, fit, preferred, close };
}

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
const patienceMs = 15_000;

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
  await lay(client);
  const calls = await extender();
  const folder = mkdtempSync(join(tmpdir(), "orrery-scheduler-"));
  const { child, scores, recent } = await started(folder, server.kubeconfig, calls.port);
  const stop = new AbortController();
  const followed = follow(client, world, stop.signal, patienceMs);

  const peer = (scenario: Scenario): Peer => ({
    async decide(pod, preferred) {
      const key = keyOf(pod as never);
      if (preferred !== undefined) calls.preferred.set(key, preferred);
      await create(client, pod);
      const outcome = await followed.outcome(key);
      if (!outcome && recent.length > 0) throw new Error(`kube-scheduler: ${recent.at(-1)}`);
      const fit = calls.fit.get(key) ?? [];
      // Lines of the log may arrive after the binding.
      for (let tries = 0; fit.length > 1 && !scores.of(key, fit.length) && tries < 200; tries++)
        await world.clock.sleep(5);
      return { ...outcome, fit, scores: scores.of(key, fit.length) ?? {} };
    },
    async remove(pod) {
      await client.delete(pods, keyOf(pod as never), { gracePeriodSeconds: 0 });
    },
    async close() {
      await tearDown(client, scenario);
      for (const pod of scenario.pods) scores.forget(keyOf(pod as never));
      calls.fit.clear();
      calls.preferred.clear();
    },
  });
  return {
    async peer(scenario, settleMs) {
      await setUp(client, scenario);
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
