// The scheduler as a process: views feed a cache and a queue, one pod is decided at a time, bindings run beside.
import { type ApiObject, keyOf, revision, type Key } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import type { Explanations } from "../machinery/explanations.ts";
import type { Informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import { assignedPodEvents, nodeEvents, plainEvents } from "./cluster-events.ts";
import type { Node, Pod } from "../api/generated/types.ts";
import { attemptLog } from "./attempts.ts";
import { schedulerCache } from "./cache.ts";
import { schedulingExplainer } from "./explainer.ts";
import { journal } from "./journal.ts";
import { pluginViews } from "./plugin-views.ts";
import type { CycleOptions } from "./decider.ts";
import { isPending } from "./ports.ts";
import { type ProfileOptions, profilesOf } from "./profiles.ts";
import { type BackoffLimits, schedulingQueue } from "./queue.ts";
import { roomReleaser } from "./released-room.ts";
import { rejectionReport } from "./report.ts";
import { schedulingCycle } from "./scheduling-cycle.ts";

export interface SchedulerOptions extends ProfileOptions, CycleOptions {
  /** How long pods wait after decisions that failed. */
  readonly backoff?: BackoffLimits;
  /** Where decisions about pods are explained while the scheduler runs. */
  readonly explanations?: Explanations;
}
interface SchedulerViews {
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
}

/** A long queue lets the event loop go on after so many milliseconds: bindings and watches wait for it. */
const turnMs = 5;

/** An estimate of what a replaced object of another kind keeps alive. */
const objectBytes = 2_048;

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
  const pluginsOf = (pod: Pod) => profileOf(pod)?.plugins ?? [];
  const shared = [views.pods, views.nodes] as readonly Informer<ApiObject>[];
  const changes = journal();
  const extra = pluginViews(every, shared, client, world, (kind, change) => {
    const { before } = change;
    changes.record(kind, keyOf((before ?? change.after)!), before, before ? objectBytes : 0);
    queue.notify(() => plainEvents(kind.kind, change));
  });
  const context = { lister: extra.lister, membersOf: (group: Key) => cache.membersOf(group) };
  const queue = schedulingQueue(world.clock, { pluginsOf, sort, context }, signal, options.backoff);
  const cache = schedulerCache(extra.lister, changes);
  const releaseRoom = roomReleaser({ client, cache, queue, pluginsOf, context });
  const report = rejectionReport(client, world, profileOf, queue.fail, signal);
  const attempts = attemptLog();
  const ports = { view: views.pods, views: extra, client, world, queue, cache, profileOf, report, attempts };
  const cycle = schedulingCycle(ports, options, signal);

  // Views are not stopped: they can serve another run after this one.
  const podSeen = (key: Key, before: Pod | undefined, after: Pod | undefined): void => {
    if (signal.aborted) return;
    releaseRoom(before, after, () => cache.podSeen(key, after));
    if (after && isPending(after) && profileOf(after)) queue.add(after);
    else queue.delete(key);
    queue.notify(() => assignedPodEvents({ before, after }));
  };
  views.pods.onChange((pod, before) => podSeen(keyOf(pod), before, views.pods.lister.get(keyOf(pod))));
  views.nodes.onChange((node, before) => {
    if (signal.aborted) return;
    const after = views.nodes.lister.get(keyOf(node));
    cache.nodeSeen(node.metadata.name, after);
    queue.notify(() => nodeEvents({ before, after }));
  });
  // The views may have been filled before this scheduler began to listen.
  for (const node of views.nodes.lister.all()) cache.nodeSeen(node.metadata.name, node);
  for (const pod of views.pods.lister.all()) podSeen(keyOf(pod), undefined, pod);
  options.explanations?.provide(
    "scheduling",
    schedulingExplainer({ attempts, cache, queue, context, profileOf }),
    signal,
  );
  const running = extra.run(signal);
  // A half-filled cache would pack nodes that are full.
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
