// One pod from the queue: decides it, then starts its binding or reports its rejection.
import type { Pod } from "../api/generated/types.ts";
import { isTerminal } from "../api/core/pod/status.ts";
import type { DecisionLog } from "../machinery/decisions.ts";
import type { Informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import { binder, type Binding } from "./binding.ts";
import type { SchedulerCache } from "./cache.ts";
import { assignedPodEvents } from "./cluster-events.ts";
import { explained } from "./explanation.ts";
import type { QueuedPod, SchedulerPlugin } from "./framework.ts";
import { podInfoOf } from "./node-info.ts";
import { place, type Placement } from "./place.ts";
import type { Profiles } from "./profiles.ts";
import type { SchedulingQueue } from "./queue.ts";
import type { Report } from "./rejection-report.ts";
import type { Client } from "../machinery/client.ts";

export interface CycleOptions {
  /** How many of the nodes must pass before scoring; 0, the default, adapts it to the size of the cluster. */
  readonly percentageOfNodesToScore?: number;
  /** Keeps the last decisions about every pod, with the scores or the reasons against each node. */
  readonly decisions?: DecisionLog;
  /** Only the simulation turns this off, to show what it is for. */
  readonly assume?: boolean;
}
export interface CyclePorts {
  readonly view: Informer<Pod>;
  readonly client: Client;
  readonly world: World;
  readonly queue: SchedulingQueue;
  readonly cache: SchedulerCache;
  readonly profileOf: Profiles;
  readonly report: Report;
}

/** Without a node, and neither finished nor on its way out. */
export const isPending = (p: Pod): boolean =>
  p.spec.nodeName === undefined && p.metadata.deletionTimestamp === undefined && !isTerminal(p);

/** Starts bindings, and takes their outcomes back to the cache and the queue. */
function bindings(ports: CyclePorts, signal: AbortSignal): (binding: Binding) => void {
  const { view, client, world, queue, cache, profileOf, report } = ports;
  /** The room is free again: pods that wait for it may fit. */
  const release = ({ pod: { pod, key }, nodeName }: Binding): void => {
    if (!cache.isAssumed(key)) return;
    cache.forget(key);
    const before: Pod = { ...pod, spec: { ...pod.spec, nodeName } };
    queue.notify(() => assignedPodEvents({ before, after: undefined }));
  };
  const outcomes = {
    rejected(binding: Binding, plugin: string, message: string): void {
      queue.reject(binding.pod.key, new Set([plugin]));
      release(binding);
      void report(binding.pod.pod, { message });
    },
    failed(binding: Binding): void {
      queue.fail(binding.pod.key);
      release(binding);
    },
    bound: ({ pod: { pod, key }, nodeName }: Binding): void =>
      profileOf(pod)?.events.record(pod, "Normal", "Scheduled", `Successfully assigned ${key} to ${nodeName}`),
  };
  return binder(view, client, world, outcomes, signal);
}

/** Decides one pod at a time; what it returns settles when the outcome of a rejection is written. */
export function schedulingCycle(
  ports: CyclePorts,
  { percentageOfNodesToScore, decisions, assume = true }: CycleOptions,
  signal: AbortSignal,
): (queued: QueuedPod) => Promise<void> {
  const { view, world, queue, cache, profileOf, report } = ports;
  const bind = bindings(ports, signal);
  let startIndex = 0;

  const decided = (pod: Pod, plugins: readonly SchedulerPlugin[]): Placement => {
    const snapshot = cache.snapshot();
    const placement = place(pod, snapshot, plugins, { startIndex, percentageOfNodesToScore });
    startIndex = (startIndex + placement.nodesVisited) % Math.max(1, snapshot.nodes.length);
    return placement;
  };
  const decide = async ({ key }: QueuedPod): Promise<void> => {
    const pod = view.lister.get(key);
    const profile = pod && profileOf(pod);
    // Otherwise the view has already taken it out of the queue, or its binding is under way.
    if (!profile || !isPending(pod) || cache.isAssumed(key)) return;
    const { plugins, name } = profile;
    const placement = decided(pod, plugins);
    const at = { at: world.clock.now(), revision: view.lister.revision };
    decisions?.record({ controller: name, key, ...at, reasons: [], ...explained(placement) });
    if (placement.outcome === "unschedulable") {
      queue.reject(key, placement.diagnosis.rejectors);
      return report(pod, placement.diagnosis);
    }
    const { nodeName, state } = placement;
    if (assume) cache.assume(pod, nodeName);
    bind({ pod: podInfoOf(pod), nodeName, state, plugins });
  };
  return (queued) =>
    decide(queued).catch((e: unknown) => {
      world.log("scheduling failed", { pod: queued.key, error: (e as Error).message });
      queue.fail(queued.key);
    });
}
