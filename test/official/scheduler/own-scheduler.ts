// This project's scheduler over an API server of its own in this process, and its verdicts.
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import { keyOf } from "../../../api/meta.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { decisionLog } from "../../../machinery/decisions.ts";
import { informer } from "../../../machinery/informer.ts";
import { realWorld } from "../../../machinery/real-world.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { runScheduler } from "../../../scheduler/scheduler.ts";
import { change, create, layFoundation, remove, run, setUp } from "./cluster.ts";
import { follow, type Outcome } from "./outcomes.ts";
import { type Manifest, profiles, type Scenario } from "./scenario.ts";
import type { Scores, Verdict } from "./verdict.ts";
import { controlVolumes } from "./volume-controllers.ts";

/** A cluster with a scheduler. */
export interface Peer {
  /** Creates the pod and waits for what becomes of it. `preferred` has the nodes to take if they fit. */
  decide(pod: Manifest, preferred?: Verdict): Promise<Verdict>;
  /** Creates, replaces or deletes an object. */
  change(manifest: Manifest): Promise<void>;
  /** Writes what a kubelet writes when the pod runs. */
  start(pod: Manifest, startTime: string): Promise<void>;
  remove(pod: Manifest): Promise<void>;
  close(): Promise<void>;
}

/** A placement lists so many of the best nodes. */
const kept = 10;
const scoreLine = /^(\S+) scored -?\d+: (.*)$/;
/** Reads the reasons that the scheduler records for a placement. */
function scoresIn(because: readonly string[]): Readonly<Record<string, Scores>> {
  return Object.fromEntries(
    because.flatMap((line) => {
      const [, node, list] = scoreLine.exec(line) ?? [];
      if (node === undefined) return [];
      const scores = list!.split(", ").map((entry) => entry.split(" "));
      return [[node, Object.fromEntries(scores.map(([plugin, score]) => [plugin, Number(score)]))]];
    }),
  );
}
function verdictOf(outcome: Outcome | undefined, because: readonly string[]): Verdict {
  const scores = scoresIn(because);
  const named = Object.keys(scores);
  const fit = named.length > 0 ? named : outcome?.nodeName === undefined ? [] : [outcome.nodeName];
  return { ...outcome, fit, scores, isPartial: fit.length >= kept };
}

const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
/** A decision takes milliseconds. */
const patienceMs = 5_000;

export async function ownScheduler(scenario: Scenario): Promise<Peer> {
  const world = realWorld(() => {});
  const client = inProcessClient(clusterRegistry(memoryStorage(), world, ranges));
  await layFoundation(client);
  await setUp(client, scenario);
  const stop = new AbortController();
  const decisions = decisionLog();
  const followed = follow(client, world, stop.signal, patienceMs);
  controlVolumes(client, world, stop.signal);
  const views = { pods: informer(client, pods, world), nodes: informer(client, nodes, world) };
  const options = {
    name: profiles.spreading,
    plugins: defaultPlugins("LeastAllocated"),
    profiles: { [profiles.packing]: defaultPlugins("MostAllocated") },
    percentageOfNodesToScore: 100,
    decisions,
  };
  const parts = [
    views.pods.run(stop.signal),
    views.nodes.run(stop.signal),
    runScheduler(views, client, world, options, stop.signal),
  ];
  return {
    async decide(pod) {
      const key = keyOf(pod as never);
      const outcome = await followed.outcome(key, () => create(client, pod));
      return verdictOf(outcome, decisions.of(key).at(-1)?.because ?? []);
    },
    change: (manifest) => change(client, manifest),
    start: (pod, startTime) => run(client, pod, startTime),
    remove: (pod) => remove(client, pod),
    async close() {
      stop.abort(new Error("done"));
      await Promise.allSettled(parts);
    },
  };
}
