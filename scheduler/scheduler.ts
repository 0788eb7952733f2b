// The scheduler as a process: views feed a cache and a queue, one pod is decided at a time, bindings run beside.
import { hasReason } from "../api/errors.ts";
import type { Node, Pod, PodCondition } from "../api/generated/types.ts";
import { pods } from "../api/core/pods.ts";
import { conditionOf, isTerminal } from "../api/core/pod/status.ts";
import { keyOf, revision, timestamp, type Instant, type Key } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import { eventRecorder, type EventRecorder } from "../machinery/events.ts";
import type { Informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import { binder, type Binding } from "./binding.ts";
import { schedulerCache, type SchedulerCache } from "./cache.ts";
import { assignedPodEvents, nodeEvents } from "./cluster-events.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { QueuedPod, SchedulerPlugin } from "./framework.ts";
import { podInfoOf } from "./node-info.ts";
import { place, type Placement } from "./place.ts";
import { schedulingQueue, type SchedulingQueue } from "./queue.ts";
import { pluginViews } from "./views.ts";

export interface SchedulerOptions {
  /** The default profile: the name that pods call it by, and its plugins. */
  readonly name?: string;
  readonly plugins: readonly SchedulerPlugin[];
  /** Further profiles, by the `schedulerName` of their pods. */
  readonly profiles?: Readonly<Record<string, readonly SchedulerPlugin[]>>;
  /** How many of the nodes must pass before scoring; 0, the default, adapts it to the size of the cluster. */
  readonly percentageOfNodesToScore?: number;
  /** Receives every decision with its scores or reasons. */
  readonly onDecision?: (key: Key, placement: Placement) => void;
  /** Only the simulation turns this off, to show what it is for. */
  readonly assume?: boolean;
}
export interface SchedulerViews {
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
}

/** A long queue lets the event loop go on after so many milliseconds: bindings and watches wait for it. */
const turnMs = 5;

function unschedulableConditions(pod: Pod, message: string, now: Instant): readonly PodCondition[] {
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

const isPending = (p: Pod): boolean =>
  p.spec.nodeName === undefined && p.metadata.deletionTimestamp === undefined && !isTerminal(p);

/** Which plugins schedule a pod, and under which name its events are recorded. */
interface Profile {
  readonly plugins: readonly SchedulerPlugin[];
  readonly events: EventRecorder;
}
function profilesOf(
  { name = "default-scheduler", plugins, profiles = {} }: SchedulerOptions,
  client: Client,
  world: World,
): (pod: Pod) => Profile | undefined {
  const all = new Map(
    Object.entries({ ...profiles, [name]: plugins }).map(([component, own]) => [
      component,
      { plugins: own, events: eventRecorder(client, world, { component }) },
    ]),
  );
  return ({ spec }) => all.get(spec.schedulerName ?? name);
}

interface SchedulingPorts {
  readonly views: SchedulerViews;
  readonly client: Client;
  readonly world: World;
  readonly options: SchedulerOptions;
  readonly queue: SchedulingQueue;
  readonly cache: SchedulerCache;
  readonly profileOf: (pod: Pod) => Profile | undefined;
}

/** Decides one pod and starts its binding; what it returns settles when the outcome of a rejection is written. */
function schedulingCycle(
  { views, client, world, options, queue, cache, profileOf }: SchedulingPorts,
  signal: AbortSignal,
): (queued: QueuedPod) => Promise<void> {
  let startIndex = 0;

  const report = async (
    pod: Pod,
    { message, nominatedNodeName }: Pick<Diagnosis, "message" | "nominatedNodeName">,
  ): Promise<void> => {
    if (conditionOf(pod.status?.conditions, "PodScheduled")?.message === message) return;
    profileOf(pod)?.events.record(pod, "Warning", "FailedScheduling", message);
    const conditions = unschedulableConditions(pod, message, world.clock.now());
    const status = { ...pod.status, conditions, ...(nominatedNodeName !== undefined && { nominatedNodeName }) };
    await client.update(pods, { ...pod, status }, "status").catch((e: unknown) => {
      if (signal.aborted || hasReason(e, "NotFound")) return;
      if (!hasReason(e, "Conflict")) world.log("status not written", { pod: keyOf(pod), error: (e as Error).message });
      queue.fail(keyOf(pod));
    });
  };
  /** The room is free again: pods that wait for it may fit. */
  const release = ({ pod, nodeName }: Binding): void => {
    if (!cache.isAssumed(pod.key)) return;
    cache.forget(pod.key);
    const before: Pod = { ...pod.pod, spec: { ...pod.pod.spec, nodeName } };
    queue.notify(assignedPodEvents({ before, after: undefined }));
  };
  const bind = binder(
    views.pods,
    client,
    world,
    {
      rejected(binding, { plugin, status }) {
        queue.reject(binding.pod.key, new Set([plugin]));
        release(binding);
        void report(binding.pod.pod, { message: status.reasons.join(", ") });
      },
      failed(binding) {
        queue.fail(binding.pod.key);
        release(binding);
      },
      bound: ({ pod, nodeName }) =>
        profileOf(pod.pod)?.events.record(
          pod.pod,
          "Normal",
          "Scheduled",
          `Successfully assigned ${pod.key} to ${nodeName}`,
        ),
    },
    signal,
  );

  const decide = async ({ key }: QueuedPod): Promise<void> => {
    const pod = views.pods.lister.get(key);
    const plugins = pod && profileOf(pod)?.plugins;
    // Otherwise the view has already taken it out of the queue, or its binding is under way.
    if (!pod || !plugins || !isPending(pod) || cache.isAssumed(key)) return;
    const snapshot = cache.snapshot();
    const { percentageOfNodesToScore } = options;
    const placement = place(pod, snapshot, plugins, { startIndex, percentageOfNodesToScore });
    startIndex = (startIndex + placement.nodesVisited) % Math.max(1, snapshot.nodes.length);
    options.onDecision?.(key, placement);
    if (placement.outcome === "unschedulable") {
      queue.reject(key, placement.diagnosis.rejectors);
      return report(pod, placement.diagnosis);
    }
    const { nodeName, state } = placement;
    if (options.assume !== false) cache.assume(pod, nodeName);
    bind({ pod: podInfoOf(pod), nodeName, state, plugins });
  };
  return (queued) =>
    decide(queued).catch((e: unknown) => {
      world.log("scheduling failed", { pod: queued.key, error: (e as Error).message });
      queue.fail(queued.key);
    });
}

/** Schedules until the signal aborts. One pod is decided at a time; bindings run on their own. */
export async function runScheduler(
  views: SchedulerViews,
  client: Client,
  world: World,
  options: SchedulerOptions,
  signal: AbortSignal,
): Promise<void> {
  const profileOf = profilesOf(options, client, world);
  const every = [options.plugins, ...Object.values(options.profiles ?? {})].flat();
  const sort = options.plugins.find((plugin) => plugin.queueSort)?.queueSort ?? ((a, b) => a.timestamp - b.timestamp);
  const queue = schedulingQueue(world.clock, (pod) => profileOf(pod)?.plugins ?? [], sort, signal);
  const extra = pluginViews(every, client, world, (events) => queue.notify(events));
  const cache = schedulerCache(extra.lister);
  const cycle = schedulingCycle({ views, client, world, options, queue, cache, profileOf }, signal);

  const podSeen = (key: Key, before: Pod | undefined, after: Pod | undefined): void => {
    cache.podSeen(key, after);
    if (after && isPending(after) && profileOf(after)) queue.add(after);
    else queue.delete(key);
    queue.notify(assignedPodEvents({ before, after }));
  };
  views.pods.onChange((pod, before) => podSeen(keyOf(pod), before, views.pods.lister.get(keyOf(pod))));
  views.nodes.onChange((node, before) => {
    const after = views.nodes.lister.get(keyOf(node));
    cache.nodeSeen(node.metadata.name, after);
    queue.notify(nodeEvents({ before, after }));
  });
  // The views may have been filled before this scheduler began to listen.
  for (const node of views.nodes.lister.all()) cache.nodeSeen(node.metadata.name, node);
  for (const pod of views.pods.lister.all()) podSeen(keyOf(pod), undefined, pod);
  const running = extra.run(signal);
  // A half-filled picture would pack nodes that are full.
  const filled = [
    ...[views.pods, views.nodes].map((view) => view.caughtUp(revision(0), signal)),
    extra.caughtUp(signal),
  ];
  await Promise.all(filled).catch(() => {});
  let turnBegan = world.clock.now();
  for await (const queued of queue.take(signal)) {
    await cycle(queued);
    if (world.clock.now() - turnBegan < turnMs) continue;
    await world.clock.sleep(0, signal).catch(() => {});
    turnBegan = world.clock.now();
  }
  await running;
}
