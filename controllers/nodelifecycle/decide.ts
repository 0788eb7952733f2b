// Conditions and taints of a node by its lease and status, and evictions of its pods by NoExecute taints. Pure.
import { withCondition } from "../../api/conditions.ts";
import type { Node, NodeCondition, Pod, PodCondition, Taint } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods as podKind } from "../../api/core/pods.ts";
import { instantOf, keyOf, timestamp, type Instant } from "../../api/meta.ts";
import { conditionOf, isTerminal } from "../../api/core/pod/status.ts";
import { tolerates } from "../../api/core/pod/tolerations.ts";
import { type Action, recordEvent, statusTo } from "../../machinery/action.ts";
import type { Decision } from "../../machinery/controller.ts";

export interface Observed {
  readonly node: Node;
  /** When the node's lease or status last changed in the view; its own clock is not used. */
  readonly lastHeartbeat: Instant;
  /** When a taint without a time was first seen. */
  readonly firstSeen: (taint: Taint) => Instant;
  readonly pods: readonly Pod[];
  /** A node whose lease is not renewed for this long is unreachable. Kubernetes: 50 s. */
  readonly graceMs: number;
  /** When the pods of this node may be evicted because it is lost. Undefined while they may not. */
  readonly turn: Instant | undefined;
  /** Every node of the cluster is lost. */
  readonly allLost: boolean;
}

const unreachable = "node.kubernetes.io/unreachable";
const notReady = "node.kubernetes.io/not-ready";
const managed: Readonly<Record<string, string>> = {
  MemoryPressure: "node.kubernetes.io/memory-pressure",
  DiskPressure: "node.kubernetes.io/disk-pressure",
  PIDPressure: "node.kubernetes.io/pid-pressure",
  NetworkUnavailable: "node.kubernetes.io/network-unavailable",
};
const unschedulable = "node.kubernetes.io/unschedulable";
const ownTaints = new Set([unreachable, notReady, unschedulable, ...Object.values(managed)]);
const reported = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

const silent = { status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." };
const neverReported = {
  status: "Unknown",
  reason: "NodeStatusNeverUpdated",
  message: "Kubelet never posted node status.",
};

function conditionsOf({ node }: Observed, isUnreachable: boolean, now: Instant): readonly NodeCondition[] {
  const before = node.status?.conditions ?? [];
  if (!isUnreachable) return before;
  const { creationTimestamp } = node.metadata;
  return reported.reduce<readonly NodeCondition[]>((all, type) => {
    const last = conditionOf(before, type);
    const unknown = last ? silent : { ...neverReported, lastHeartbeatTime: creationTimestamp };
    return last?.status === "Unknown" ? all : withCondition<NodeCondition>(all, { ...last, type, ...unknown }, now);
  }, before);
}

const taint = (key: string, effect: Taint["effect"]): Taint => ({ key, effect });

/** Taints of a lost node that evict its pods. */
export const isEvicting = ({ key, effect }: Taint): boolean =>
  effect === "NoExecute" && (key === unreachable || key === notReady);

/** The taints the conditions require. One that exists already keeps its time. */
function taintsOf(observed: Observed, conditions: readonly NodeCondition[], now: Instant): readonly Taint[] {
  const { node, turn, allLost } = observed;
  const ready = conditionOf(conditions, "Ready")?.status;
  const reason = ready === "True" ? undefined : ready === "Unknown" ? unreachable : notReady;
  const before = node.spec.taints ?? [];
  const pressed = Object.entries(managed).filter(([type]) => conditionOf(conditions, type)?.status === "True");
  const desired: readonly Taint[] = [
    ...(node.spec.unschedulable === true ? [taint(unschedulable, "NoSchedule")] : []),
    ...pressed.map(([, key]) => taint(key, "NoSchedule")),
    ...(reason ? [taint(reason, "NoSchedule")] : []),
    // A node whose pods are being evicted had its turn, whatever is wrong with it now.
    ...(reason && !allLost && (before.some(isEvicting) || (turn !== undefined && turn <= now))
      ? [taint(reason, "NoExecute")]
      : []),
  ];
  const withTime = (t: Taint): Taint =>
    before.find((b) => b.key === t.key && b.effect === t.effect) ?? { ...t, timeAdded: timestamp(now) };
  return [...before.filter((t) => !ownTaints.has(t.key)), ...desired.map(withTime)];
}

/** A pod scheduled to a tainted node tolerates the taint from then on. */
function taintedSince(pod: Pod, since: Instant): Instant {
  const placed = conditionOf(pod.status?.conditions, "PodScheduled")?.lastTransitionTime;
  return placed === undefined ? since : (Math.max(since, instantOf(placed)) as Instant);
}

/** When this pod is evicted by these taints: now, later, or never. `since` is when a taint was added. */
export function leavesAt(
  pod: Pod,
  taints: readonly Taint[],
  now: Instant,
  since: (taint: Taint) => Instant,
): Instant | undefined {
  const moments = taints
    .filter((t) => t.effect === "NoExecute")
    .map((taint) => {
      const tolerating = (pod.spec.tolerations ?? []).filter((t) => tolerates(t, taint));
      if (tolerating.length === 0) return now;
      const limits = tolerating.flatMap(({ tolerationSeconds: s }) => (s === undefined ? [] : [Math.max(0, s)]));
      if (limits.length === 0) return Number.POSITIVE_INFINITY;
      return taintedSince(pod, since(taint)) + Math.min(...limits) * 1000;
    });
  const first = Math.min(Number.POSITIVE_INFINITY, ...moments);
  return Number.isFinite(first) ? (first as Instant) : undefined;
}

/**
 * Marks a pod of a lost node as not ready, so that services send it no traffic. A pod that became ready after its node
 * was lost is left alone: its kubelet reported that, and would report it again.
 */
function markUnready(pod: Pod, lostAt: string | undefined, now: Instant): readonly Action[] {
  const ready = conditionOf(pod.status?.conditions, "Ready");
  // A node that never reported a status was never lost.
  const since = ready?.lastTransitionTime;
  const wasHeardSince = lostAt === undefined || (since !== undefined && instantOf(since) >= instantOf(lostAt));
  if (ready?.status !== "True" || wasHeardSince) return [];
  return [withPodCondition(pod, { type: "Ready", status: "False" }, now)];
}

const withPodCondition = (pod: Pod, condition: Omit<PodCondition, "lastTransitionTime">, now: Instant): Action => {
  const conditions = withCondition<PodCondition>(pod.status?.conditions, condition, now);
  return { do: "status", resource: podKind, object: pod, status: { ...pod.status, conditions } };
};
const disruption: PodCondition = {
  ...{ type: "DisruptionTarget", status: "True", reason: "DeletionByTaintManager" },
  message: "Taint manager: deleting due to NoExecute taint",
};

interface Eviction {
  readonly actions: readonly Action[];
  /** When the pod leaves, if it is not yet time. */
  readonly at?: Instant;
}
function evict(pod: Pod, taints: readonly Taint[], now: Instant, since: (taint: Taint) => Instant): Eviction {
  const at = leavesAt(pod, taints, now, since);
  if (at === undefined || pod.metadata.deletionTimestamp !== undefined) return { actions: [] };
  if (at > now) return { actions: [], at };
  // First the condition with the reason, then the deletion in the next reconcile, so that neither is lost.
  if (conditionOf(pod.status?.conditions, "DisruptionTarget") === undefined && !isTerminal(pod))
    return { actions: [withPodCondition(pod, disruption, now)] };
  const event = recordEvent(pod, "Normal", "TaintManagerEviction", `Marking for deletion Pod ${keyOf(pod)}`);
  return { actions: [event, { do: "delete", resource: podKind, object: pod }] };
}

export function decide(observed: Observed, now: Instant): Decision {
  const { node, lastHeartbeat, firstSeen, pods, graceMs, turn } = observed;
  const graceLeft = lastHeartbeat + graceMs - now;
  const isUnreachable = graceLeft <= 0;
  const conditions = conditionsOf(observed, isUnreachable, now);
  const taints = taintsOf(observed, conditions, now);
  const becameUnreachable = isUnreachable && conditionOf(node.status?.conditions, "Ready")?.status === "True";
  const live = pods.filter((p) => !isTerminal(p));
  const readyCondition = conditionOf(conditions, "Ready");
  const ready = readyCondition?.status === "True";
  const since = (t: Taint): Instant => (t.timeAdded === undefined ? firstSeen(t) : instantOf(t.timeAdded));
  const evicted = live.map((p) => evict(p, taints, now, since));
  const markedUnready = ready
    ? []
    : live
        .filter((_, i) => evicted[i]!.actions.length === 0)
        .flatMap((p) => markUnready(p, readyCondition?.lastTransitionTime, now));
  const moments = evicted.flatMap((l) => (l.at === undefined ? [] : [l.at - now]));
  const waits = turn !== undefined && turn > now ? [turn - now] : [];
  const next = Math.min(...moments, ...waits, ...(isUnreachable ? [] : [graceLeft]));
  const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
  const patch = { spec: { taints: taints.length > 0 ? taints : null } };
  const changes: readonly Action[] = [
    ...(isUnreachable ? statusTo<Node>(nodes, node, { ...node.status, conditions }) : []),
    ...(becameUnreachable ? [recordEvent(node, "Normal", "NodeNotReady", message)] : []),
    ...(sameJson(taints, node.spec.taints ?? [])
      ? []
      : [{ do: "patch", resource: nodes, object: node, patch: { type: "merge", patch } } as const]),
  ];
  return {
    actions: [...changes, ...markedUnready, ...evicted.flatMap((l) => l.actions)],
    because: [isUnreachable ? "its lease has run out" : "its lease is fresh"],
    ...(Number.isFinite(next) ? { requeueAfter: Math.max(1, next) } : {}),
  };
}
