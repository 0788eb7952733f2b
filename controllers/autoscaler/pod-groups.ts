// Which pods' usage predicts that of their scale; starting pods, and pods without a sample, are set apart. Pure.
// Source: "Horizontal Pod Autoscaling", algorithm details; flags of kube-controller-manager.
import { conditionOf, isTerminal } from "../../api/core/pod/status.ts";
import type { Pod } from "../../api/generated/types.ts";
import { type Instant, instantOf } from "../../api/meta.ts";

/** Thousandths of the metric's unit, by pod name. */
export type UsageByPod = ReadonlyMap<string, number>;

export interface PodUsage {
  readonly now: Instant;
  readonly pods: readonly Pod[];
  readonly usage: UsageByPod;
  /** When the window of each pod's sample began, by pod name; absent for a metric of programs. */
  readonly sampledSince?: ReadonlyMap<string, Instant>;
  /** `cpu` or `memory`; undefined for a metric of programs. */
  readonly resource?: string;
}

export interface Groups {
  readonly measured: readonly Pod[];
  /** Pending, or starting: their usage now does not predict their usage later. */
  readonly unready: readonly Pod[];
  readonly missing: readonly Pod[];
}

/** --horizontal-pod-autoscaler-cpu-initialization-period: how long a pod may use more CPU than later. */
const cpuInitializationMs = 300_000;
/** --horizontal-pod-autoscaler-initial-readiness-delay: what became unready this soon after a start never was ready. */
const initialReadinessDelayMs = 30_000;

/**
 * Whether the CPU that a pod uses is still that of its start: while it initializes, it must have been ready for a full
 * window of samples; later, only a pod that was never ready counts as starting.
 */
function isStarting(pod: Pod, { now, sampledSince }: PodUsage): boolean {
  const ready = conditionOf(pod.status?.conditions, "Ready");
  const { startTime } = pod.status ?? {};
  if (!ready || startTime === undefined) return true;
  const [startedAt, changedAt] = [instantOf(startTime), instantOf(ready.lastTransitionTime ?? startTime)];
  const isUnready = ready.status === "False";
  if (now < startedAt + cpuInitializationMs)
    return isUnready || (sampledSince?.get(pod.metadata.name) ?? now) < changedAt;
  return isUnready && changedAt < startedAt + initialReadinessDelayMs;
}

/** Pods that end count in no group. */
export function groupsOf(load: PodUsage): Groups {
  const { pods, usage, resource } = load;
  const live = pods.filter((p) => !isTerminal(p) && p.metadata.deletionTimestamp === undefined);
  const groups = Map.groupBy(live, (p): keyof Groups => {
    if (p.status?.phase === "Pending") return "unready";
    if (!usage.has(p.metadata.name)) return "missing";
    return resource === "cpu" && isStarting(p, load) ? "unready" : "measured";
  });
  return {
    measured: groups.get("measured") ?? [],
    unready: groups.get("unready") ?? [],
    missing: groups.get("missing") ?? [],
  };
}
