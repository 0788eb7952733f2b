// One pod from the queue: decides it, alone or with its pod group, then reports its rejection, or starts its binding,
// which runs beside the decisions for other pods until the API has confirmed it.
import type { Pod } from "../api/generated/types.ts";
import { attemptSpan } from "./attempt-span.ts";
import { type Binder, binder, type Binding } from "./binding.ts";
import { assignedPodEvents } from "./cluster-events.ts";
import { type CycleOptions, podDecider } from "./decider.ts";
import type { PluginRejection, QueuedPod } from "./framework.ts";
import { groupCycle, isGrouped } from "./pod-groups/cycle.ts";
import { type CyclePorts, isPending, isSame } from "./ports.ts";
import { preempting } from "./preempting.ts";
import { explained } from "./report.ts";

/** Takes the outcomes of bindings back to the cache and the queue. */
function bindings(ports: CyclePorts, signal: AbortSignal): Binder & { readonly bind: (binding: Binding) => void } {
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
  const stages = binder(ports, outcomes, signal);
  return {
    ...stages,
    bind(binding) {
      const prepared = stages.prepare(binding);
      if ("plugin" in prepared) outcomes.rejected(binding, prepared);
      else stages.start(prepared);
    },
  };
}

/** Decides one pod or group at a time; what it returns settles when the outcome of a rejection is written. */
export function schedulingCycle(
  ports: CyclePorts,
  options: CycleOptions,
  signal: AbortSignal,
): (queued: QueuedPod) => Promise<void> {
  const { view, client, world, queue, cache, profileOf, report } = ports;
  const stages = bindings(ports, signal);
  const decider = podDecider(ports, options, signal);
  const preempt = preempting(ports, signal);
  const decideGroup = groupCycle(ports, { decider, binder: stages, preempt }, signal);

  const isDecidable = (pod: Pod): boolean => isPending(pod) && !cache.isAssumed(pod);
  const decide = async (queued: QueuedPod): Promise<void> => {
    const { key } = queued;
    const pod = view.lister.get(key);
    const profile = pod && profileOf(pod);
    // Otherwise the view has already taken it out of the queue, or its binding is under way.
    if (!profile || !isDecidable(pod)) return;
    if (isGrouped(pod, profile)) return decideGroup(queued, pod);
    const span = world.tracer && attemptSpan(world.tracer, queued, pod);
    const found = decider.place(pod, profile);
    const placement = found instanceof Promise ? await found : found;
    if (found instanceof Promise && !isSame(view.lister.get(key), pod)) return;
    decider.record(key, profile, { placement, explanation: () => explained(placement) });
    if (placement.outcome === "unschedulable") {
      const { diagnosis } = placement;
      const { rejectors, nominatedNodeName, victims } = diagnosis;
      span?.decided(diagnosis.message);
      if (nominatedNodeName && victims.length > 0)
        preempt({
          preemptor: { type: "pod", uid: pod.metadata.uid, priority: pod.spec.priority ?? 0 },
          ...{ expected: [[pod, nominatedNodeName]], place: nominatedNodeName, victims },
          ...{ profile: profile.name, events: profile.events },
        });
      else if (nominatedNodeName === "") cache.nominate(pod, undefined);
      queue.reject(key, rejectors);
      await diagnosis.effect?.(client);
      return report(pod, diagnosis, span).finally(() => span?.end(diagnosis.message));
    }
    const { nodeName } = placement;
    span?.decided(nodeName);
    cache.assume(pod, nodeName);
    stages.bind({ ...decider.bindingOf(pod, profile, placement), span });
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
