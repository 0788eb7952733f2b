// The scheduling queue: pods in the order in which they are decided, and back again when a decision came to nothing.
// Source: the Kubernetes concepts page, "Scheduling Framework"; KEP-4247; KEP-3521.
import type { Pod } from "../api/generated/types.ts";
import { instant, keyOf, type Key } from "../api/meta.ts";
import { wakeable } from "../machinery/abort.ts";
import type { Clock } from "../machinery/world.ts";
import { targetPodEvents } from "./cluster-events.ts";
import type { ClusterEvent, QueuedPod, SchedulerPlugin } from "./framework.ts";
import { pendingPods, type Entry } from "./pending-pods.ts";
import { queueingHints, type QueueingHints } from "./queueing-hints.ts";

export interface SchedulingQueue {
  /** A pending pod as it is now. */
  add(pod: Pod): void;
  delete(key: Key): void;
  /** Pods in order, each in flight until {@link delete}, {@link reject} or {@link fail}. */
  take(signal: AbortSignal): AsyncIterable<QueuedPod>;
  /** No node passed: the pod waits for a change that may satisfy these plugins; for any change if there are none. */
  reject(key: Key, rejectors: ReadonlySet<string>): void;
  /** An error: the pod, in flight or waiting, is tried again after its back-off. */
  fail(key: Key): void;
  /** Something changed that may help pods that wait; what it was is computed only if some do. */
  notify(change: () => readonly ClusterEvent[]): void;
}

/** `pluginsOf` are the plugins of the profile that schedules a pod; `sort` orders the active queue. */
export function schedulingQueue(
  clock: Clock,
  pluginsOf: (pod: Pod) => readonly SchedulerPlugin[],
  sort: NonNullable<SchedulerPlugin["queueSort"]>,
  signal: AbortSignal,
): SchedulingQueue {
  const entries = new Map<Key, Entry>();
  const hints = new Map<readonly SchedulerPlugin[], QueueingHints>();
  let wake = (): void => {};
  const pending = pendingPods({ clock, signal, pluginsOf, sort, notify: () => wake() });

  const hintsFor = (pod: Pod): QueueingHints => {
    const plugins = pluginsOf(pod);
    const known = hints.get(plugins) ?? queueingHints(plugins);
    hints.set(plugins, known);
    return known;
  };
  const notifyOne = (entry: Entry, events: readonly ClusterEvent[]): void => {
    if (hintsFor(entry.pod)(entry.pod, entry.rejectors, events)) pending.requeue(entry);
  };
  const remove = (key: Key): void => {
    const entry = entries.get(key);
    if (entry) pending.remove(entry);
    entries.delete(key);
  };
  const enter = (pod: Pod, key: Key): void => {
    const entry: Entry = {
      pod,
      key,
      timestamp: clock.now(),
      attempts: 0,
      place: "active",
      backoffUntil: instant(0),
      rejectors: new Set(),
    };
    entries.set(key, entry);
    pending.activate(entry);
  };

  return {
    add(pod) {
      const key = keyOf(pod);
      const known = entries.get(key);
      if (known && known.pod.metadata.uid === pod.metadata.uid) {
        const before = known.pod;
        known.pod = pod;
        if (pending.waiting.has(known)) notifyOne(known, targetPodEvents(before, pod));
        return;
      }
      remove(key);
      enter(pod, key);
    },
    delete: remove,
    async *take(until) {
      while (!until.aborted) {
        const entry = pending.pop();
        if (entry) {
          entry.place = "inFlight";
          entry.attempts++;
          yield entry;
          continue;
        }
        const sleeping = wakeable(until);
        wake = sleeping.wake;
        await sleeping.slept;
        wake = () => {};
      }
    },
    reject(key, rejectors) {
      const entry = entries.get(key);
      if (entry?.place === "inFlight") pending.rejected(entry, rejectors);
    },
    fail(key) {
      const entry = entries.get(key);
      if (entry && (entry.place === "inFlight" || pending.waiting.has(entry))) pending.failed(entry);
    },
    notify(change) {
      const events = pending.waiting.size > 0 ? change() : [];
      // One that is kept out by PreEnqueue comes back at once: the set must not be iterated while it changes.
      if (events.length > 0) for (const entry of [...pending.waiting]) notifyOne(entry, events);
    },
  };
}
