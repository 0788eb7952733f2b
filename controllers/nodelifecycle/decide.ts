// What a node's silence means: who stops renewing its lease is unreachable, tainted, and after a while emptied. Pure.
import { withCondition } from "../../api/conditions.ts";
import type { Lease, Node, NodeCondition, Pod, PodCondition, Taint } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods as podKind } from "../../api/core/pods.ts";
import { instantOf, keyOf, timestamp, type Instant } from "../../api/meta.ts";
import { conditionOf, isTerminal } from "../../api/core/pod/status.ts";
import { tolerates } from "../../api/core/pod/tolerations.ts";
import type { Action } from "../../machinery/action.ts";
import type { Decision } from "../../machinery/controller.ts";

export interface Timings {
  /** A lease not renewed for this long means nobody is there. Kubernetes: 50 s. */
  readonly graceMs: number;
}
export interface Observed {
  readonly node: Node;
  /** When the node's lease last changed in our view; a node's own clock is not believed. */
  readonly heardAt: Instant;
  readonly lease: Lease | undefined;
  /** When a taint that does not say since when it stands was first seen. */
  readonly firstSeen: (taint: Taint) => Instant;
  readonly pods: readonly Pod[];
  readonly timings: Timings;
}

const unreachable = "node.kubernetes.io/unreachable";
const notReady = "node.kubernetes.io/not-ready";
const managed: Readonly<Record<string, string>> = {
  MemoryPressure: "node.kubernetes.io/memory-pressure",
  DiskPressure: "node.kubernetes.io/disk-pressure",
  PIDPressure: "node.kubernetes.io/pid-pressure",
  NetworkUnavailable: "node.kubernetes.io/network-unavailable",
};
const cordoned = "node.kubernetes.io/unschedulable";
const ours = new Set([unreachable, notReady, cordoned, ...Object.values(managed)]);
const reported = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

function conditionsOf({ node }: Observed, silent: boolean, now: Instant): readonly NodeCondition[] {
  const before = node.status?.conditions ?? [];
  if (!silent) return before;
  return reported.reduce<readonly NodeCondition[]>(
    (all, type) =>
      withCondition<NodeCondition>(
        all,
        {
          ...conditionOf(before, type),
          type,
          status: "Unknown",
          reason: "NodeStatusUnknown",
          message: "Kubelet stopped posting node status.",
        },
        now,
      ),
    before,
  );
}

const taint = (key: string, effect: Taint["effect"]): Taint => ({ key, effect });

/** Taints follow from conditions; a taint that stands keeps the time it was put up. */
function taintsOf(node: Node, conditions: readonly NodeCondition[], now: Instant): readonly Taint[] {
  const ready = conditionOf(conditions, "Ready")?.status;
  const reason =
    ready === "True" ? undefined : ready === "False" ? notReady : ready === "Unknown" ? unreachable : notReady;
  const pressed = Object.entries(managed).filter(([type]) => conditionOf(conditions, type)?.status === "True");
  const wanted: readonly Taint[] = [
    ...(node.spec.unschedulable === true ? [taint(cordoned, "NoSchedule")] : []),
    ...pressed.map(([, key]) => taint(key, "NoSchedule")),
    ...(reason ? [taint(reason, "NoSchedule"), taint(reason, "NoExecute")] : []),
  ];
  const before = node.spec.taints ?? [];
  const standing = (t: Taint): Taint =>
    before.find((b) => b.key === t.key && b.effect === t.effect) ?? { ...t, timeAdded: timestamp(now) };
  return [...before.filter((t) => !ours.has(t.key)), ...wanted.map(standing)];
}

/** A pod that came to a tainted node bears the taint from then on. */
function bornSince(pod: Pod, since: Instant): Instant {
  const placed = conditionOf(pod.status?.conditions, "PodScheduled")?.lastTransitionTime;
  return placed === undefined ? since : (Math.max(since, instantOf(placed)) as Instant);
}

/** When this pod must leave because of these taints: now, later, or never. `since` says since when one stands. */
export function leavesAt(
  pod: Pod,
  taints: readonly Taint[],
  now: Instant,
  since: (taint: Taint) => Instant,
): Instant | undefined {
  const moments = taints
    .filter((t) => t.effect === "NoExecute")
    .map((taint) => {
      const bearing = (pod.spec.tolerations ?? []).filter((t) => tolerates(t, taint));
      if (bearing.length === 0) return now;
      const limits = bearing.flatMap((t) =>
        t.tolerationSeconds === undefined ? [] : [Math.max(0, t.tolerationSeconds)],
      );
      if (limits.length === 0) return Number.POSITIVE_INFINITY;
      return bornSince(pod, since(taint)) + Math.min(...limits) * 1000;
    });
  const first = Math.min(Number.POSITIVE_INFINITY, ...moments);
  return Number.isFinite(first) ? (first as Instant) : undefined;
}

/**
 * Services must not send traffic to a pod nobody has heard of. A pod that became ready after its node was lost was
 * heard of: to contradict its kubelet would only be contradicted in turn.
 */
function unready(pod: Pod, lostAt: string | undefined, now: Instant): readonly Action[] {
  const conditions = pod.status?.conditions ?? [];
  const ready = conditionOf(conditions, "Ready");
  // A node that never said how it is was never lost either.
  const since = ready?.lastTransitionTime;
  const heardSince = lostAt === undefined || (since !== undefined && instantOf(since) >= instantOf(lostAt));
  if (ready?.status !== "True" || heardSince) return [];
  const next = withCondition<PodCondition>(conditions, { type: "Ready", status: "False" }, now);
  return [{ do: "status", resource: podKind, object: pod, status: { ...pod.status, conditions: next } }];
}

const disruption = (pod: Pod, now: Instant): Action => ({
  do: "status",
  resource: podKind,
  object: pod,
  status: {
    ...pod.status,
    conditions: withCondition<PodCondition>(
      pod.status?.conditions,
      {
        type: "DisruptionTarget",
        status: "True",
        reason: "DeletionByTaintManager",
        message: "Taint manager: deleting due to NoExecute taint",
      },
      now,
    ),
  },
});

function evictions(
  pod: Pod,
  taints: readonly Taint[],
  now: Instant,
  since: (taint: Taint) => Instant,
): { readonly actions: readonly Action[]; readonly at?: Instant } {
  const at = leavesAt(pod, taints, now, since);
  if (at === undefined || pod.metadata.deletionTimestamp !== undefined) return { actions: [] };
  if (at > now) return { actions: [], at };
  // First say why, then let go: each is one look, so neither can be lost half-way.
  if (conditionOf(pod.status?.conditions, "DisruptionTarget") === undefined && !isTerminal(pod))
    return { actions: [disruption(pod, now)] };
  return {
    actions: [
      {
        do: "event",
        object: pod,
        type: "Normal",
        reason: "TaintManagerEviction",
        message: `Marking for deletion Pod ${keyOf(pod)}`,
      },
      { do: "delete", resource: podKind, object: pod },
    ],
  };
}

export function decide(observed: Observed, now: Instant): Decision {
  const { node, heardAt, firstSeen, pods, timings } = observed;
  const silentIn = heardAt + timings.graceMs - now;
  const silent = silentIn <= 0;
  const conditions = conditionsOf(observed, silent, now);
  const taints = taintsOf(node, conditions, now);
  const fell = silent && conditionOf(node.status?.conditions, "Ready")?.status === "True";
  const live = pods.filter((p) => !isTerminal(p));
  const readyCondition = conditionOf(conditions, "Ready");
  const ready = readyCondition?.status === "True";
  const since = (t: Taint): Instant => (t.timeAdded === undefined ? firstSeen(t) : instantOf(t.timeAdded));
  const leaving = live.map((p) => evictions(p, taints, now, since));
  const unreadied = ready
    ? []
    : live
        .filter((_, i) => leaving[i]!.actions.length === 0)
        .flatMap((p) => unready(p, readyCondition?.lastTransitionTime, now));
  const moments = leaving.flatMap((l) => (l.at === undefined ? [] : [l.at - now]));
  const next = Math.min(...moments, ...(silent ? [] : [silentIn]));
  const changes: readonly Action[] = [
    ...(sameJson(conditions, node.status?.conditions ?? [])
      ? []
      : [{ do: "status", resource: nodes, object: node, status: { ...node.status, conditions } } as const]),
    ...(fell
      ? [
          {
            do: "event",
            object: node,
            type: "Normal",
            reason: "NodeNotReady",
            message: `Node ${node.metadata.name} status is now: NodeNotReady`,
          } as const,
        ]
      : []),
    ...(sameJson(taints, node.spec.taints ?? [])
      ? []
      : [
          {
            do: "patch",
            resource: nodes,
            object: node,
            patch: { type: "merge", patch: { spec: { taints: taints.length > 0 ? taints : null } } },
          } as const,
        ]),
  ];
  return {
    actions: [...changes, ...unreadied, ...leaving.flatMap((l) => l.actions)],
    because: [silent ? "its lease has run out" : "its lease is fresh"],
    ...(Number.isFinite(next) ? { requeueAfter: Math.max(1, next) } : {}),
  };
}
