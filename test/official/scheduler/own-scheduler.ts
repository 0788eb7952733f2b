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
import { create, follow, lay, type Outcome, setUp } from "./cluster.ts";
import { type Manifest, profiles, type Scenario } from "./scenario.ts";
import type { Scores, Verdict } from "./verdict.ts";

/** A cluster with a scheduler. */
export interface Peer {
  /** Creates the pod and waits for what becomes of it. `preferred` is the node to take if it fits. */
  decide(pod: Manifest, preferred?: string): Promise<Verdict>;
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
  await lay(client);
  await setUp(client, scenario);
  const stop = new AbortController();
  const decisions = decisionLog();
  const followed = follow(client, world, stop.signal, patienceMs);
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
      const key = keyOf(await create(client, pod));
      const outcome = await followed.outcome(key);
      return verdictOf(outcome, decisions.of(key).at(-1)?.because ?? []);
    },
    async remove({ metadata: { namespace, name } }) {
      await client.delete(pods, keyOf({ metadata: { namespace, name } } as never), { gracePeriodSeconds: 0 });
    },
    async close() {
      stop.abort(new Error("done"));
      await Promise.allSettled(parts);
    },
  };
}
