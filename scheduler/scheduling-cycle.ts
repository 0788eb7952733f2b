// One pod from the queue: decides it with the plugins of its profile, then reports its rejection, or starts its
// binding, which runs beside the decisions for other pods until the API has confirmed it.
import { hasReason } from "../api/errors.ts";
import type { Pod, PodCondition } from "../api/generated/types.ts";
import type { Client } from "../machinery/client.ts";
import { settle } from "../machinery/controller.ts";
import type { Informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import {
  failed as failedStatus,
  skip,
  unschedulable,
  type BindingContext,
  type PluginViews,
  type PluginRejection,
  type Rejection,
  type SchedulerPlugin,
  type QueuedPod,
  type Snapshot,
} from "./framework.ts";
import { type PodInfo, podInfoOf } from "./node-info.ts";
import type { CycleState, Placement } from "./place.ts";
import type { Extender } from "./extenders/extender.ts";
import { extenderBinder, placeWithExtenders } from "./extenders/place.ts";
import { preempting } from "./preempting.ts";
import { preparedPlacer } from "./prepared-place.ts";
import type { NodeScore } from "./rank.ts";
import { withCondition } from "../api/conditions.ts";
import { eventRecorder, type EventRecorder } from "../machinery/events.ts";
import { pods } from "../api/core/pods.ts";
import { conditionOf, isTerminal } from "../api/core/pod/status.ts";
import { keyOf, type Key } from "../api/meta.ts";
import type { AttemptLog } from "./attempts.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { DecisionRecord, DecisionLog } from "../machinery/decisions.ts";
import type { SchedulerCache } from "./cache.ts";
import { assignedPodEvents } from "./cluster-events.ts";
import type { SchedulingQueue } from "./queue.ts";

/** A decision on its way. */
export interface Binding {
  readonly pod: PodInfo;
  readonly nodeName: string;
  readonly state: CycleState;
  readonly plugins: readonly SchedulerPlugin[];
}
/** What the scheduler does about the outcome. */
interface BindingOutcomes {
  /** A plugin rejected it, before the next decision or later. */
  rejected(binding: Binding, rejection: PluginRejection): void;
  /** The API refused, or a plugin threw. */
  failed(binding: Binding): void;
  bound(binding: Binding): void;
}

type Verdict = PluginRejection | undefined;
const rejectedBy = ({ name }: SchedulerPlugin, status: Rejection | undefined): Verdict =>
  status && { plugin: name, status };

function reserve({ plugins, state, pod, nodeName }: Binding): Verdict {
  for (const plugin of plugins) {
    const rejected = rejectedBy(plugin, plugin.reserve?.(state.get(plugin.name), pod, nodeName));
    if (rejected) return rejected;
  }
  return undefined;
}
function unreserve({ plugins, state, pod, nodeName }: Binding, context: BindingContext): void {
  for (const plugin of plugins.toReversed()) plugin.unreserve?.(state.get(plugin.name), pod, nodeName, context);
}

type Waiting = (context: BindingContext) => Promise<Verdict>;
/** Asks every plugin at once; those that hold the pod back are awaited later, beside other decisions. */
function permit({ plugins, state, pod, nodeName }: Binding): { rejected: Verdict; waits: readonly Waiting[] } {
  const waits: Waiting[] = [];
  for (const plugin of plugins) {
    const result = plugin.permit?.(state.get(plugin.name), pod, nodeName);
    if (result === undefined) continue;
    if ("code" in result) return { rejected: rejectedBy(plugin, result), waits };
    const { allowed, timeoutMs } = result;
    waits.push(async ({ clock, signal }) => {
      const expired = clock.sleep(timeoutMs, signal).then(() => unschedulable("timeout"));
      return rejectedBy(plugin, await Promise.race([allowed, expired]));
    });
  }
  return { rejected: undefined, waits };
}

async function bind(binding: Binding, waits: readonly Waiting[], context: BindingContext): Promise<Verdict> {
  const { plugins, state, pod, nodeName } = binding;
  for (const wait of waits) {
    const rejected = await wait(context);
    if (rejected) return rejected;
  }
  for (const plugin of plugins) {
    const status = await plugin.preBind?.(state.get(plugin.name), pod, nodeName, context);
    if (status?.code === "Error")
      return rejectedBy(plugin, failedStatus(`running PreBind plugin "${plugin.name}": ${status.reasons.join(", ")}`));
    if (status) return rejectedBy(plugin, status);
  }
  for (const plugin of plugins) {
    const result = plugin.bind ? await plugin.bind(pod, nodeName, context) : skip;
    if (result === skip) continue;
    if (result) return rejectedBy(plugin, result);
    break;
  }
  for (const plugin of plugins) plugin.postBind?.(pod, nodeName);
  return undefined;
}

/**
 * Starts a binding: Reserve and Permit are called before this returns, the rest runs beside the next decisions.
 */
function binder(
  { view, views, client, world }: CyclePorts,
  { rejected, failed, bound }: BindingOutcomes,
  signal: AbortSignal,
): (binding: Binding) => void {
  const { lister, changed } = views;
  const context: BindingContext = { client, clock: world.clock, lister, changed, signal };
  const reject = (binding: Binding, rejection: PluginRejection): void => {
    unreserve(binding, context);
    rejected(binding, rejection);
  };
  const finish = async (binding: Binding, waits: readonly Waiting[]): Promise<void> => {
    const { key } = binding.pod;
    try {
      const rejection = await bind(binding, waits, context);
      if (rejection) reject(binding, rejection);
      else bound(binding);
    } catch (e) {
      if (signal.aborted) return;
      // Refused perhaps because an earlier try got through: then the view will show it.
      await view.caughtUp(await settle(client, pods, world, signal), signal);
      unreserve(binding, context);
      if (!hasReason(e, "NotFound", "Conflict"))
        world.log("binding refused", { pod: key, error: (e as Error).message });
      failed(binding);
    }
  };
  return (binding) => {
    const reservation = reserve(binding);
    if (reservation) return reject(binding, reservation);
    const { rejected: refusal, waits } = permit(binding);
    if (refusal) return reject(binding, refusal);
    finish(binding, waits).catch((e: unknown) => {
      if (!signal.aborted) throw e;
    });
  };
}

export interface ProfileOptions {
  /** The default profile: the name that pods call it by, and its plugins. */
  readonly name?: string;
  readonly plugins: readonly SchedulerPlugin[];
  /** Further profiles, by the `schedulerName` of their pods. */
  readonly profiles?: Readonly<Record<string, readonly SchedulerPlugin[]>>;
}
interface Profile {
  readonly name: string;
  readonly plugins: readonly SchedulerPlugin[];
  readonly events: EventRecorder;
}
/** Nothing for a pod that another scheduler takes care of. */
type Profiles = (pod: Pod) => Profile | undefined;

/** Events are recorded under the profile's name. */
export function profilesOf(
  { name: defaultName = "default-scheduler", plugins, profiles = {} }: ProfileOptions,
  client: Client,
  world: World,
): Profiles {
  const all = new Map<string, Profile>();
  for (const [name, own] of Object.entries({ ...profiles, [defaultName]: plugins }))
    all.set(name, { name, plugins: own, events: eventRecorder(client, world, { component: name }) });
  return ({ spec }) => all.get(spec.schedulerName ?? defaultName);
}

interface Rejected extends Pick<Diagnosis, "message" | "nominatedNodeName"> {
  /** `Unschedulable` unless an error kept the pod from being bound. */
  readonly reason?: "SchedulerError";
}
/** Nothing is written when the condition is unchanged. */
export type Report = (pod: Pod, rejected: Rejected) => Promise<void>;

/** `retry` is called when the condition could not be written: the pod has to be decided again. */
export function rejectionReport(
  client: Client,
  world: World,
  profileOf: Profiles,
  retry: (key: Key) => void,
  signal: AbortSignal,
): Report {
  return async (pod, { message, nominatedNodeName, reason = "Unschedulable" }) => {
    const isReported = conditionOf(pod.status?.conditions, "PodScheduled")?.message === message;
    const isNominated =
      (nominatedNodeName ?? pod.status?.nominatedNodeName ?? "") === (pod.status?.nominatedNodeName ?? "");
    if (isReported && isNominated) return;
    profileOf(pod)?.events.record(pod, "Warning", "FailedScheduling", message);
    const unschedulable = { type: "PodScheduled", status: "False", reason, message } as const;
    const conditions = withCondition<PodCondition>(pod.status?.conditions, unschedulable, world.clock.now());
    const { nominatedNodeName: before, ...kept } = pod.status ?? {};
    const nominated = nominatedNodeName ?? before;
    const status = { ...kept, conditions, ...(nominated && { nominatedNodeName: nominated }) };
    await client.update(pods, { ...pod, status }, "status").catch((e: unknown) => {
      if (signal.aborted || hasReason(e, "NotFound")) return;
      if (!hasReason(e, "Conflict")) world.log("status not written", { pod: keyOf(pod), error: (e as Error).message });
      retry(keyOf(pod));
    });
  };
}

/** So many nodes are named when none will do; the message counts the others. */
const namedNodes = 10;

const scoreText = ({ nodeName, total, byPlugin }: NodeScore): string =>
  `${nodeName} scored ${total}: ${Object.entries(byPlugin)
    .map(([plugin, score]) => `${plugin} ${score}`)
    .join(", ")}`;

/** The reasons and the action of a decision. */
export function explained(placement: Placement): Pick<DecisionRecord, "because" | "actions"> {
  if (placement.outcome === "unschedulable") {
    const { message, rejections, nominatedNodeName, victims } = placement.diagnosis;
    const named = rejections
      .nodes(namedNodes)
      .map(({ nodeName, plugin, status }) => `${nodeName} rejected by ${plugin}: ${status.reasons.join(", ")}`);
    const evicted = victims.map(({ key }) => key).join(", ");
    return { because: [message, ...named], actions: evicted ? [`preempt ${evicted} on ${nominatedNodeName}`] : [] };
  }
  const { nodeName } = placement;
  const scores = placement.scores();
  return {
    because: scores.length > 0 ? scores.map(scoreText) : [`${nodeName} is the only node that passed`],
    actions: [`bind to ${nodeName}`],
  };
}

export interface CycleOptions {
  /** How many of the nodes must pass before scoring; 0, the default, adapts it to the size of the cluster. */
  readonly percentageOfNodesToScore?: number;
  /** The same by the name of a profile, where it differs. */
  readonly percentages?: Readonly<Record<string, number>>;
  /** Take part in the decisions about pods of all profiles, if they are interested in them. */
  readonly extenders?: readonly Extender[];
  /** Receives every decision, with the best scores or the reasons against some nodes. */
  readonly decisions?: DecisionLog;
}
interface CyclePorts {
  readonly view: Informer<Pod>;
  readonly views: PluginViews;
  readonly client: Client;
  readonly world: World;
  readonly queue: SchedulingQueue;
  readonly cache: SchedulerCache;
  readonly profileOf: Profiles;
  readonly report: Report;
  readonly attempts: AttemptLog;
}

/** Without a node, and neither finished nor on its way out. */
export const isPending = (p: Pod): boolean =>
  p.spec.nodeName === undefined && p.metadata.deletionTimestamp === undefined && !isTerminal(p);

/** Whether a pod is still the one that was decided, and without a node. */
const isSame = (now: Pod | undefined, { metadata }: Pod): boolean =>
  now !== undefined && now.metadata.uid === metadata.uid && isPending(now);

/** Starts bindings, and takes their outcomes back to the cache and the queue. */
function bindings(ports: CyclePorts, signal: AbortSignal): (binding: Binding) => void {
  const { queue, cache, profileOf, report } = ports;
  // A pod that was deleted or bound meanwhile has left the queue, and its name may be another pod's.
  const isCurrent = ({ pod: { pod } }: Binding): boolean => cache.isAssumed(pod);
  /** The room is free again, also that of a deleted pod: pods that wait for it may fit. */
  const release = (binding: Binding): void => {
    const { pod, key } = binding.pod;
    if (isCurrent(binding)) cache.forget(key);
    const before: Pod = { ...pod, spec: { ...pod.spec, nodeName: binding.nodeName } };
    queue.notify(() => assignedPodEvents({ before, after: undefined }));
  };
  const outcomes = {
    rejected(binding: Binding, { plugin, status: { code, reasons } }: PluginRejection): void {
      const { pod, key } = binding.pod;
      const isPendingStill = isCurrent(binding);
      if (isPendingStill && code === "Error") queue.fail(key);
      else if (isPendingStill) queue.reject(key, new Set([plugin]));
      release(binding);
      if (isPendingStill)
        void report(pod, { message: reasons.join(", "), ...(code === "Error" && { reason: "SchedulerError" }) });
    },
    failed(binding: Binding): void {
      if (isCurrent(binding)) queue.fail(binding.pod.key);
      release(binding);
    },
    bound: ({ pod: { pod, key }, nodeName }: Binding): void =>
      profileOf(pod)?.events.record(pod, "Normal", "Scheduled", `Successfully assigned ${key} to ${nodeName}`),
  };
  return binder(ports, outcomes, signal);
}

/** Decides one pod at a time; what it returns settles when the outcome of a rejection is written. */
export function schedulingCycle(
  ports: CyclePorts,
  { percentageOfNodesToScore, percentages = {}, extenders = [], decisions }: CycleOptions,
  signal: AbortSignal,
): (queued: QueuedPod) => Promise<void> {
  const { view, client, world, queue, cache, profileOf, report, attempts } = ports;
  const bind = bindings(ports, signal);
  const place = preparedPlacer();
  const preempt = preempting(ports, signal);
  let startIndex = 0;

  const binders = extenders.some(({ binds }) => binds) ? [extenderBinder(extenders, world.log)] : [];
  // Without extenders nothing is awaited between the snapshot and the assumed binding.
  const decided = (pod: Pod, { plugins, name }: Profile, snapshot: Snapshot): Placement | Promise<Placement> => {
    const options = { startIndex, percentageOfNodesToScore: percentages[name] ?? percentageOfNodesToScore };
    const interested = extenders.filter((extender) => extender.isInterestedIn(pod));
    if (interested.length === 0) return place(pod, snapshot, plugins, options);
    return placeWithExtenders(pod, cache.snapshot, options, { plugins, extenders: interested, log: world.log, signal });
  };
  const isDecidable = (pod: Pod): boolean => isPending(pod) && !cache.isAssumed(pod);
  const decide = async ({ key }: QueuedPod): Promise<void> => {
    const pod = view.lister.get(key);
    const profile = pod && profileOf(pod);
    // Otherwise the view has already taken it out of the queue, or its binding is under way.
    if (!profile || !isDecidable(pod)) return;
    const { plugins, name } = profile;
    const snapshot = cache.snapshot();
    const found = decided(cache.withNomination(pod), profile, snapshot);
    const placement = found instanceof Promise ? await found : found;
    startIndex = (startIndex + placement.nodesVisited) % Math.max(1, snapshot.nodes.length);
    if (found instanceof Promise && !isSame(view.lister.get(key), pod)) return;
    const at = { at: world.clock.now(), revision: view.lister.revision };
    attempts.record(placement, at);
    decisions?.record({ controller: name, key, ...at, reasons: [], ...explained(placement) });
    if (placement.outcome === "unschedulable") {
      const { diagnosis } = placement;
      const { rejectors, nominatedNodeName, victims } = diagnosis;
      if (nominatedNodeName && victims.length > 0)
        preempt({ pod, profile: name, nodeName: nominatedNodeName, victims, events: profile.events });
      else if (nominatedNodeName === "") cache.nominate(pod, undefined);
      queue.reject(key, rejectors);
      await diagnosis.effect?.(client);
      return report(pod, diagnosis);
    }
    const { nodeName, state } = placement;
    cache.assume(pod, nodeName);
    bind({ pod: podInfoOf(pod), nodeName, state, plugins: [...binders, ...plugins] });
  };
  return (queued) =>
    decide(queued).catch(async (e: unknown) => {
      if (signal.aborted) return;
      const { message } = e as Error;
      world.log("scheduling failed", { pod: queued.key, error: message });
      queue.fail(queued.key);
      const pod = view.lister.get(queued.key);
      if (pod && isDecidable(pod)) await report(pod, { message, reason: "SchedulerError" });
    });
}
