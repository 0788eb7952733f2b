// One pod from the queue: decides it with the plugins of its profile, then starts its binding or reports its rejection.
import type { Pod, PodCondition } from "../api/generated/types.ts";
import { withCondition } from "../api/conditions.ts";
import type { Client } from "../machinery/client.ts";
import { eventRecorder, type EventRecorder } from "../machinery/events.ts";
import type { World } from "../machinery/world.ts";
import type { SchedulerPlugin, QueuedPod } from "./framework.ts";
import { hasReason } from "../api/errors.ts";
import { pods } from "../api/core/pods.ts";
import { conditionOf, isTerminal } from "../api/core/pod/status.ts";
import { keyOf, type Key } from "../api/meta.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { DecisionRecord, DecisionLog } from "../machinery/decisions.ts";
import { type Placement, type NodeScore, place } from "./place.ts";
import type { Informer } from "../machinery/informer.ts";
import { binder, type Binding } from "./binding.ts";
import type { SchedulerCache } from "./cache.ts";
import { assignedPodEvents } from "./cluster-events.ts";
import { podInfoOf } from "./node-info.ts";
import type { SchedulingQueue } from "./queue.ts";

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

/** Nothing is written when the condition already says so. */
export type Report = (pod: Pod, diagnosis: Pick<Diagnosis, "message" | "nominatedNodeName">) => Promise<void>;

/** `retry` is called when the condition could not be written: the pod has to be decided again. */
export function rejectionReport(
  client: Client,
  world: World,
  profileOf: Profiles,
  retry: (key: Key) => void,
  signal: AbortSignal,
): Report {
  return async (pod, { message, nominatedNodeName }) => {
    if (conditionOf(pod.status?.conditions, "PodScheduled")?.message === message) return;
    profileOf(pod)?.events.record(pod, "Warning", "FailedScheduling", message);
    const unschedulable = { type: "PodScheduled", status: "False", reason: "Unschedulable", message } as const;
    const conditions = withCondition<PodCondition>(pod.status?.conditions, unschedulable, world.clock.now());
    const status = { ...pod.status, conditions, ...(nominatedNodeName !== undefined && { nominatedNodeName }) };
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
    const { message, nodeStatuses } = placement.diagnosis;
    const named = nodeStatuses
      .slice(0, namedNodes)
      .map(({ nodeName, plugin, status }) => `${nodeName} rejected by ${plugin}: ${status.reasons.join(", ")}`);
    return { because: [message, ...named], actions: [] };
  }
  const { nodeName, scores } = placement;
  return {
    because: scores.length > 0 ? scores.map(scoreText) : [`${nodeName} is the only node that passed`],
    actions: [`bind to ${nodeName}`],
  };
}

export interface CycleOptions {
  /** How many of the nodes must pass before scoring; 0, the default, adapts it to the size of the cluster. */
  readonly percentageOfNodesToScore?: number;
  /** Keeps the last decisions about every pod, with the scores or the reasons against each node. */
  readonly decisions?: DecisionLog;
  /** Only the simulation turns this off, to show what it is for. */
  readonly assume?: boolean;
}
interface CyclePorts {
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
