// The shell around `place`: which pods wait, what may wake them, and binding beside deciding.
import { hasReason } from "../api/errors.ts";
import type { Node, Pod, PodCondition } from "../api/generated/types.ts";
import { pods } from "../api/core/pods.ts";
import { keyOf, revision, timestamp, type Instant, type Key } from "../api/meta.ts";
import { conditionOf, isTerminal } from "../api/core/pod/status.ts";
import type { Client } from "../machinery/client.ts";
import { eventRecorder } from "../machinery/events.ts";
import type { Informer } from "../machinery/informer.ts";
import { workQueue } from "../machinery/workqueue.ts";
import type { World } from "../machinery/world.ts";
import { binder } from "./binding.ts";
import { schedulerCache } from "./cache.ts";
import { explain, place, type ClusterChange, type Refusal, type SchedulerPlugin } from "./framework.ts";

export interface SchedulerOptions {
  readonly name?: string;
  readonly plugins: readonly SchedulerPlugin[];
  /** Only the simulation turns this off, to show what it is for. */
  readonly assume?: boolean;
}
export interface SchedulerViews {
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
}

/** A pod that was refused is looked at again at the latest after this, whatever we believe could help. */
const flushMs = 300_000;

function unschedulable(pod: Pod, message: string, now: Instant): readonly PodCondition[] {
  const before = conditionOf(pod.status?.conditions, "PodScheduled");
  const since = before?.status === "False" ? before.lastTransitionTime : undefined;
  const condition: PodCondition = {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message,
    lastTransitionTime: since ?? timestamp(now),
  };
  return [...(pod.status?.conditions ?? []).filter((c) => c.type !== "PodScheduled"), condition];
}

/** Waiting for a node, and for nobody else's decision. */
const isSchedulable = (p: Pod, schedulerName: string): boolean =>
  p.spec.nodeName === undefined &&
  p.metadata.deletionTimestamp === undefined &&
  !isTerminal(p) &&
  (p.spec.schedulerName ?? schedulerName) === schedulerName &&
  !p.spec.schedulingGates?.length;

/** Schedule until the signal aborts. One pod is decided at a time; bindings travel on their own. */
export async function runScheduler(
  views: SchedulerViews,
  client: Client,
  world: World,
  options: SchedulerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { plugins, name = "default-scheduler", assume = true } = options;
  const queue = workQueue<Key>(world.clock, signal);
  const cache = schedulerCache();
  const events = eventRecorder(client, world, { component: name });
  /** Pods no node would have, with the plugins that said so. */
  const parked = new Map<Key, ReadonlySet<string>>();

  const wake = (change: ClusterChange): void => {
    const helpful = new Set(plugins.filter((p) => p.wakesOn.includes(change)).map((p) => p.name));
    for (const [key, sayers] of parked) if (sayers.size === 0 || sayers.intersection(helpful).size > 0) queue.add(key);
  };

  views.pods.onChange((pod) => {
    const key = keyOf(pod);
    const now = views.pods.lister.get(key);
    cache.podSeen(key, now);
    if (now && isSchedulable(now, name)) queue.add(key);
    else parked.delete(key);
    if (pod.spec.nodeName !== undefined && (now === undefined || isTerminal(now))) wake("pod-gone");
  });
  views.nodes.onChange((node, before) => {
    const now = views.nodes.lister.get(keyOf(node));
    cache.nodeSeen(node.metadata.name, now);
    if (now) wake(before === undefined ? "node-added" : "node-changed");
  });

  const park = async (pod: Pod, because: readonly Refusal[]): Promise<void> => {
    const key = keyOf(pod);
    parked.set(key, new Set(because.map((r) => r.plugin)));
    queue.addAfter(key, flushMs);
    const message = explain(because);
    if (conditionOf(pod.status?.conditions, "PodScheduled")?.message === message) return;
    events.record(pod, "Warning", "FailedScheduling", message);
    const status = { ...pod.status, conditions: unschedulable(pod, message, world.clock.now()) };
    await client.update(pods, { ...pod, status }, "status");
  };

  const bind = binder({ view: views.pods, client, world, cache, queue, events }, signal);

  const decide = async (key: Key): Promise<void> => {
    const pod = views.pods.lister.get(key);
    if (!pod || !isSchedulable(pod, name) || cache.isAssumed(key)) return;
    const placement = place(pod, cache.snapshot(), plugins);
    if (placement.outcome === "unschedulable") return park(pod, placement.because);
    parked.delete(key);
    if (assume) cache.assume(pod, placement.nodeName);
    // Binding is slow and needs nothing from the next decision, so it runs beside it.
    bind(pod, placement.nodeName).catch((e: unknown) => {
      if (!signal.aborted) throw e;
    });
  };

  // Views may have been filled before this scheduler began to listen.
  for (const node of views.nodes.lister.all()) cache.nodeSeen(node.metadata.name, node);
  for (const pod of views.pods.lister.all()) {
    cache.podSeen(keyOf(pod), pod);
    if (isSchedulable(pod, name)) queue.add(keyOf(pod));
  }
  // A half-filled picture would pack nodes that are full.
  await Promise.all([views.pods.caughtUp(revision(0), signal), views.nodes.caughtUp(revision(0), signal)]).catch(
    () => {},
  );
  for await (const key of queue.take(signal)) {
    await decide(key).catch((e: unknown) => {
      if (!hasReason(e, "NotFound", "Conflict"))
        world.log("scheduling failed", { pod: key, error: (e as Error).message });
      if (!hasReason(e, "NotFound")) queue.retry(key);
    });
    queue.done(key);
  }
}
