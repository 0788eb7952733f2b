// Where a pod is on its way to a node, and its last decisions: what the scheduler explains about a pod.
import type { SchedulingExplanation, SchedulingState } from "../api/explanation/scheduling.ts";
import { isTerminal } from "../api/core/pod/status.ts";
import type { Pod } from "../api/generated/types.ts";
import { keyOf, timestamp } from "../api/meta.ts";
import type { AttemptLog } from "./attempts.ts";
import type { SchedulerCache } from "./cache.ts";
import { attemptExplanation } from "./explanation.ts";
import type { QueueContext, SchedulerPlugin } from "./framework.ts";
import type { QueueState, SchedulingQueue } from "./queue.ts";

interface Profile {
  readonly name: string;
  readonly plugins: readonly SchedulerPlugin[];
}
interface ExplainerPorts {
  readonly attempts: AttemptLog;
  readonly cache: SchedulerCache;
  readonly queue: SchedulingQueue;
  readonly context: QueueContext;
  readonly profileOf: (pod: Pod) => Profile | undefined;
}

/** The changes after which a pod is tried again that these plugins rejected. */
function waitsFor({ rejectors }: QueueState, plugins: readonly SchedulerPlugin[]): SchedulingState["waitsFor"] {
  return [...rejectors].toSorted().map((name) => {
    const events = plugins.find((plugin) => plugin.name === name)?.events;
    const texts = events?.map(({ resource, actions }) => `${resource} ${actions.join("|")}`);
    return { plugin: name, events: texts ?? ["any change"] };
  });
}

function queuedState(
  queued: QueueState,
  pod: Pod,
  plugins: readonly SchedulerPlugin[],
  context: QueueContext,
): SchedulingState {
  const { place, attempts, backoffUntil, heldBy } = queued;
  if (place === "backoff" || place === "errorBackoff")
    return { phase: "BackingOff", attempts, retryAt: timestamp(backoffUntil) };
  if (place === "unschedulable") return { phase: "Unschedulable", attempts, waitsFor: waitsFor(queued, plugins) };
  if (place !== "gated") return { phase: "Queued", attempts };
  const gate = plugins.find((plugin) => plugin.preEnqueue?.(pod, context));
  const message = heldBy === undefined ? gate?.preEnqueue?.(pod, context)?.reasons.join(", ") : undefined;
  return {
    ...{ phase: "Gated", attempts, heldBy: heldBy ?? gate?.name ?? "" },
    ...(message !== undefined && { message }),
  };
}

/** Explains pods of the profiles; other pods are `Unmanaged`. */
export function schedulingExplainer(ports: ExplainerPorts): (pod: Pod) => SchedulingExplanation {
  const { attempts, cache, queue, context, profileOf } = ports;
  const stateOf = (pod: Pod, profile: Profile | undefined): SchedulingState => {
    const { nodeName } = pod.spec;
    if (nodeName !== undefined) return { phase: "Bound", nodeName };
    const last = attempts.of(pod).at(-1)?.outcome;
    if (cache.isAssumed(pod)) return { phase: "Binding", ...(typeof last === "string" && { nodeName: last }) };
    const queued = queue.stateOf(keyOf(pod));
    if (!profile || !queued || isTerminal(pod)) return { phase: "Unmanaged" };
    return queuedState(queued, pod, profile.plugins, context);
  };
  return (pod) => {
    const profile = profileOf(pod);
    return {
      scheduler: profile?.name ?? pod.spec.schedulerName ?? "",
      state: stateOf(pod, profile),
      attempts: attempts
        .of(pod)
        .map((attempt) => attemptExplanation(attempt, attempt.inputs && cache.snapshotAt(attempt.inputs.position))),
    };
  };
}
