// The descheduler as a controller: one key, which is due every some minutes. Not a pure controller: whether an eviction
// was refused decides about the next one.
import { pods } from "../../api/core/pods.ts";
import { nodes } from "../../api/core/nodes.ts";
import { hasReason } from "../../api/errors.ts";
import { key, keyOf } from "../../api/meta.ts";
import { podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import { act, describeAction } from "../../machinery/action.ts";
import type { Client } from "../../machinery/client.ts";
import { type Reconciled, type Reconciler, type Views, watch } from "../../machinery/controller.ts";
import { eventRecorder } from "../../machinery/events.ts";
import type { World } from "../../machinery/world.ts";
import type { Move } from "./draft.ts";
import type { Cluster, Settings, Simulation } from "./ports.ts";
import { evicted, nextStep, noProgress, type Progress, refusedBy } from "./run.ts";

export interface DeschedulerOptions {
  readonly simulation: Simulation;
  readonly settings: Settings;
  /** Between two runs. */
  readonly periodMs: number;
}

const runKey = key("kube-system", "descheduler");
/** Between two looks at an eviction under way. */
const pollMs = 1_000;

const clusterIn = (views: Views): Cluster => ({
  pods: views.of(pods).all(),
  nodes: views.of(nodes).all(),
  budgets: views.of(podDisruptionBudgets).all(),
  objectsOf: (kind) => views.of(kind).all(),
});

/** A refusal that the run goes on after: by a budget, or because the pod is another one by now. */
const isRefusal = (e: unknown): boolean => hasReason(e, "TooManyRequests", "NotFound", "Conflict");

/** A descheduler. There must be one at a time. */
export function descheduler(
  client: Client,
  world: World,
  { simulation, settings, periodMs }: DeschedulerOptions,
): Reconciler {
  const events = eventRecorder(client, world, { component: "descheduler" });
  let progress: Progress = noProgress;

  const evict = async (move: Move, cluster: Cluster): Promise<Reconciled> => {
    const { pod, from, to, strategy, because } = move;
    const reason = `${keyOf(pod)} goes from ${from} to ${to}: ${because}`;
    const action = { do: "evict", resource: pods, object: pod } as const;
    try {
      await act(action, client, events);
    } catch (e) {
      if (!isRefusal(e)) throw e;
      progress = refusedBy(progress, move);
      return { because: [`${reason}, but ${(e as Error).message}`], requeueAfter: pollMs };
    }
    progress = evicted(progress, move, cluster, world.clock.now());
    events.record(pod, "Normal", "Descheduled", `pod evicted from ${from} node by the descheduler: ${strategy}`);
    return { because: [reason], done: [describeAction(action)], requeueAfter: pollMs };
  };
  return {
    name: "descheduler",
    watches: [watch(pods), watch(nodes), watch(podDisruptionBudgets), ...simulation.reads.map((kind) => watch(kind))],
    listen: (enqueue) => enqueue(runKey, { type: "scheduled" }),
    async reconcile(_, views) {
      const cluster = clusterIn(views);
      const step = nextStep({ cluster, simulation, settings, now: world.clock.now() }, progress);
      if (step.do === "evict") return evict(step.move, cluster);
      if (step.do === "wait") return { because: [step.because], requeueAfter: pollMs };
      progress = noProgress;
      return { because: [step.because], requeueAfter: periodMs };
    },
  };
}
