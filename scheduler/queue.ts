// The scheduling queue: pods in the order in which they are decided, and back again when a decision came to nothing.
// Source: the Kubernetes concepts page, "Scheduling Framework"; KEP-4247; KEP-3521.
import TinyQueue from "tinyqueue";
import type { Pod } from "../api/generated/types.ts";
import { instant, type Instant, keyOf, type Key } from "../api/meta.ts";
import { backoff } from "../machinery/workqueue.ts";
import type { Clock } from "../machinery/world.ts";
import type { ClusterEvent, QueueContext, QueuedPod, SchedulerPlugin } from "./framework.ts";
import { type GroupedSet, groupedSet } from "./groups.ts";
import { wakeable } from "../machinery/abort.ts";
import { targetPodEvents, queueingHints, type QueueingHints } from "./cluster-events.ts";

/** How long a pod waits after its first failure, and at most; the time doubles with each failure. */
export interface BackoffLimits {
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
}
const defaultBackoff: BackoffLimits = { initialBackoffMs: 1_000, maxBackoffMs: 10_000 };
/** A rejected pod is retried after at most this time, independent of queueing hints. */
const maxUnschedulableMs = 300_000;
const flushPeriodMs = 30_000;

type Place = "active" | "backoff" | "errorBackoff" | "unschedulable" | "gated" | "inFlight" | "deleted";
/** A queued pod and its state in the queue. */
interface Entry extends QueuedPod {
  pod: Pod;
  timestamp: Instant;
  attempts: number;
  firstAttempt: Instant | undefined;
  place: Place;
  /** Its position in the heap of its place: earlier ones do not count any more. */
  order: number;
  backoffUntil: Instant;
  /** Plugins that rejected it last. */
  rejectors: ReadonlySet<string>;
  /** Kept out of the active queue: the plugin that does so. */
  heldBy: string | undefined;
}

/** Entries in order, the earlier one first among equals. One that was deleted meanwhile is skipped. */
interface Heap {
  push(entry: Entry): void;
  peek(): Entry | undefined;
  pop(): Entry | undefined;
}
function heap(place: Place, compare: (a: Entry, b: Entry) => number): Heap {
  let order = 0;
  const items = new TinyQueue<{ readonly entry: Entry; readonly order: number }>(
    [],
    (a, b) => compare(a.entry, b.entry) || a.order - b.order,
  );
  const peek = (): Entry | undefined => {
    for (let item = items.peek(); item; item = items.peek()) {
      if (item.entry.place === place && item.entry.order === item.order) return item.entry;
      items.pop();
    }
    return undefined;
  };
  return {
    push(entry) {
      entry.place = place;
      entry.order = order++;
      items.push({ entry, order: entry.order });
    },
    peek,
    pop: () => (peek() ? items.pop()?.entry : undefined),
  };
}

interface PendingPods {
  /** The next pod to decide. An idle scheduler does not wait for a back-off to end, except after an error. */
  pop(): Entry | undefined;
  /** Pods that wait for a change. */
  readonly waiting: GroupedSet<Entry>;
  /** To the active queue, unless a PreEnqueue plugin keeps it out. */
  activate(entry: Entry): void;
  /** Out of waiting: to the active queue, or to what is left of its back-off. */
  requeue(entry: Entry): void;
  /** Back from a cycle that failed: because plugins rejected it, or by an error if there are none. */
  rejected(entry: Entry, rejectors: ReadonlySet<string>): void;
  failed(entry: Entry): void;
  remove(entry: Entry): void;
}

/** Timers end with the signal. */
interface PendingOptions extends BackoffLimits {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly pluginsOf: (pod: Pod) => readonly SchedulerPlugin[];
  readonly sort: NonNullable<SchedulerPlugin["queueSort"]>;
  readonly context: QueueContext;
  /** A pod can be popped. */
  readonly notify: () => void;
}

const byExpiry = (a: Entry, b: Entry): number => a.backoffUntil - b.backoffUntil;

/** No pods yet. */
function pendingPods({ clock, signal, pluginsOf, sort, context, notify, ...limits }: PendingOptions): PendingPods {
  const active = heap("active", sort);
  const backingOff = heap("backoff", byExpiry);
  const errors = heap("errorBackoff", byExpiry);
  // A change is compared with the plugins of a group before it is compared with its pods.
  const waiting = groupedSet<Entry>(({ pod, rejectors }) => [pod.spec.schedulerName, ...rejectors].join("\n"));
  const later = (ms: number, then: () => void): void => {
    clock.sleep(ms, signal).then(then, () => {});
  };
  const flush = periodically(later, () => {
    for (const entry of waiting.all())
      if (entry.place === "unschedulable" && clock.now() - entry.timestamp >= maxUnschedulableMs) requeue(entry);
    return waiting.size > 0;
  });
  const park = (entry: Entry, place: "unschedulable" | "gated"): void => {
    entry.place = place;
    waiting.add(entry);
    flush();
  };
  const activate = (entry: Entry): void => {
    waiting.delete(entry);
    const gate = entry.heldBy ?? pluginsOf(entry.pod).find((plugin) => plugin.preEnqueue?.(entry.pod, context))?.name;
    if (gate) entry.rejectors = new Set([gate]);
    else active.push(entry);
    if (gate) park(entry, "gated");
    else notify();
  };
  const expire = (): void => {
    for (const each of [backingOff, errors])
      while ((each.peek()?.backoffUntil ?? Number.POSITIVE_INFINITY) <= clock.now()) activate(each.pop()!);
  };
  const postpone = (entry: Entry, to: Heap): void => {
    waiting.delete(entry);
    to.push(entry);
    later(entry.backoffUntil - clock.now(), expire);
    notify();
  };
  const requeue = (entry: Entry): void => {
    entry.timestamp = clock.now();
    // An idle scheduler does not wait for a back-off to end: one that is held must not be among them.
    if (entry.backoffUntil > entry.timestamp && !entry.heldBy) postpone(entry, backingOff);
    else activate(entry);
  };
  const penalize = (entry: Entry, rejectors: ReadonlySet<string>): void => {
    entry.rejectors = rejectors;
    entry.timestamp = clock.now();
    const backoffMs = backoff(entry.attempts, limits.initialBackoffMs, limits.maxBackoffMs);
    entry.backoffUntil = instant(entry.timestamp + backoffMs);
  };
  return {
    pop: () => active.pop() ?? backingOff.pop(),
    waiting,
    activate,
    requeue,
    rejected(entry, rejectors) {
      penalize(entry, rejectors);
      park(entry, "unschedulable");
    },
    failed(entry) {
      penalize(entry, new Set());
      postpone(entry, errors);
    },
    remove(entry) {
      entry.place = "deleted";
      waiting.delete(entry);
    },
  };
}

/** Runs every flush period, from the first call until `run` returns that nothing is left. */
function periodically(later: (ms: number, then: () => void) => void, run: () => boolean): () => void {
  let isPlanned = false;
  const start = (): void => {
    if (isPlanned) return;
    isPlanned = true;
    later(flushPeriodMs, () => {
      isPlanned = false;
      if (run()) start();
    });
  };
  return start;
}

/** What a queued pod waits for. */
export interface QueueState extends Pick<QueuedPod, "attempts"> {
  readonly place: Place;
  readonly backoffUntil: Instant;
  readonly rejectors: ReadonlySet<string>;
  readonly heldBy: string | undefined;
}

export interface SchedulingQueue {
  /** Undefined for a pod that is not in the queue. */
  stateOf(key: Key): QueueState | undefined;
  /** A pending pod in its current state. */
  add(pod: Pod): void;
  delete(key: Key): void;
  /** Pods in order, each in flight until {@link delete}, {@link reject} or {@link fail}. */
  take(signal: AbortSignal): AsyncIterable<QueuedPod>;
  /** Those of these pods that wait and may be decided, in flight at once whatever they wait for. */
  takeAlong(keys: Iterable<Key>): readonly QueuedPod[];
  /** No node passed: the pod waits for a change that may satisfy these plugins; for any change if there are none. */
  reject(key: Key, rejectors: ReadonlySet<string>): void;
  /** An error: the pod, in flight or waiting, is tried again after its back-off. */
  fail(key: Key): void;
  /** Keeps a pod out of the active queue on behalf of a plugin, until it is released; then it is tried again. */
  hold(key: Key, plugin: string): void;
  release(key: Key): void;
  /** Something changed that may help pods that wait; what it was is computed only if some do. */
  notify(change: () => readonly ClusterEvent[]): void;
}

function hintsByProfile(pluginsOf: PendingOptions["pluginsOf"]): (pod: Pod) => QueueingHints {
  const hints = new Map<readonly SchedulerPlugin[], QueueingHints>();
  return (pod) => {
    const plugins = pluginsOf(pod);
    const known = hints.get(plugins) ?? queueingHints(plugins);
    hints.set(plugins, known);
    return known;
  };
}

const newEntry = (pod: Pod, key: Key, timestamp: Instant): Entry => ({
  ...{ pod, key, timestamp, attempts: 0, firstAttempt: undefined, place: "active", order: 0 },
  ...{ backoffUntil: instant(0), rejectors: new Set(), heldBy: undefined },
});

function taken(entry: Entry, now: Instant): Entry {
  entry.place = "inFlight";
  entry.attempts++;
  entry.firstAttempt ??= now;
  return entry;
}

const takeAlong = (entries: readonly Entry[], pending: PendingPods, now: Instant): readonly Entry[] =>
  entries.flatMap((entry) => {
    if (entry.place === "inFlight") return [];
    if (entry.place !== "active") pending.activate(entry);
    // A gate may keep it out.
    return entry.place === "active" ? [taken(entry, now)] : [];
  });

const hold = (entry: Entry | undefined, plugin: string | undefined): void => {
  if (entry) entry.heldBy = plugin;
};

function release(entry: Entry | undefined, pending: PendingPods): void {
  hold(entry, undefined);
  if (entry?.place === "gated") pending.activate(entry);
}

/** `pluginsOf` are the plugins of the profile that schedules a pod; `sort` orders the active queue. */
export function schedulingQueue(
  clock: Clock,
  { pluginsOf, sort, context }: Pick<PendingOptions, "pluginsOf" | "sort" | "context">,
  signal: AbortSignal,
  limits: BackoffLimits = defaultBackoff,
): SchedulingQueue {
  const entries = new Map<Key, Entry>();
  const hintsFor = hintsByProfile(pluginsOf);
  let wake = (): void => {};
  const pending = pendingPods({ clock, signal, pluginsOf, sort, context, notify: () => wake(), ...limits });

  const notifyOne = (entry: Entry, events: readonly ClusterEvent[]): void => {
    if (hintsFor(entry.pod).isHelped(entry.pod, entry.rejectors, events)) pending.requeue(entry);
  };
  const remove = (key: Key): void => {
    const entry = entries.get(key);
    if (entry) pending.remove(entry);
    entries.delete(key);
  };
  const enter = (pod: Pod, key: Key): void => {
    const entry = newEntry(pod, key, clock.now());
    entries.set(key, entry);
    pending.activate(entry);
  };

  return {
    stateOf: (key) => entries.get(key),
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
          yield taken(entry, clock.now());
          continue;
        }
        const sleeping = wakeable(until);
        wake = sleeping.wake;
        await sleeping.slept;
        wake = () => {};
      }
    },
    takeAlong: (keys) =>
      takeAlong(
        [...keys].flatMap((key) => entries.get(key) ?? []),
        pending,
        clock.now(),
      ),
    reject(key, rejectors) {
      const entry = entries.get(key);
      if (entry?.place === "inFlight") pending.rejected(entry, rejectors);
    },
    fail(key) {
      const entry = entries.get(key);
      if (entry && (entry.place === "inFlight" || pending.waiting.has(entry))) pending.failed(entry);
    },
    hold: (key, plugin) => hold(entries.get(key), plugin),
    release: (key) => release(entries.get(key), pending),
    notify(change) {
      const events = pending.waiting.size > 0 ? change() : [];
      if (events.length === 0) return;
      for (const one of pending.waiting.samples())
        if (hintsFor(one.pod).concern(one.rejectors, events))
          for (const entry of pending.waiting.likeOf(one)) notifyOne(entry, events);
    },
  };
}
