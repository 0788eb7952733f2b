// The status of a deployment: its counts, and the conditions Available and Progressing. Pure.
import { withCondition, withoutCondition } from "../../api/conditions.ts";
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "../../api/generated/types.ts";
import { flatText } from "../../api/flat-text.ts";
import { instantOf, timestamp, type Instant } from "../../api/meta.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import { boundsOf, totalAvailable, totalReplicas } from "./rollout.ts";

type Counts = Pick<
  DeploymentStatus,
  "replicas" | "updatedReplicas" | "readyReplicas" | "availableReplicas" | "unavailableReplicas"
>;
/** Kubernetes leaves zero counts out. */
const orAbsent = (n: number): number | undefined => (n > 0 ? n : undefined);

function countsOf(sets: readonly ReplicaSet[], newest: ReplicaSet | undefined): Counts {
  const available = totalAvailable(sets);
  const total = sets.reduce((n, s) => n + (s.spec.replicas ?? 0), 0);
  return {
    replicas: orAbsent(totalReplicas(sets)),
    updatedReplicas: orAbsent(newest ? totalReplicas([newest]) : 0),
    readyReplicas: orAbsent(sets.reduce((n, s) => n + (s.status?.readyReplicas ?? 0), 0)),
    availableReplicas: orAbsent(available),
    unavailableReplicas: orAbsent(total - available),
  };
}

export const isComplete = (d: Deployment, c: Counts): boolean => {
  const desired = d.spec.replicas ?? 1;
  return [c.updatedReplicas, c.replicas, c.availableReplicas].every((n = 0) => n === desired);
};
function isProgressing(now: Counts, before: DeploymentStatus | undefined): boolean {
  const oldOf = (c: Counts | undefined): number => (c?.replicas ?? 0) - (c?.updatedReplicas ?? 0);
  const growing = ["updatedReplicas", "readyReplicas", "availableReplicas"] as const;
  return oldOf(now) < oldOf(before) || growing.some((count) => (now[count] ?? 0) > (before?.[count] ?? 0));
}

type Conditions = readonly DeploymentCondition[];
const updated = (
  all: Conditions,
  next: Omit<DeploymentCondition, "lastTransitionTime" | "lastUpdateTime">,
  now: Instant,
): Conditions => {
  const changed = withCondition<DeploymentCondition>(all, next, now);
  return changed === all
    ? all
    : changed.map((c) => (c.type === next.type ? { ...c, lastUpdateTime: timestamp(now) } : c));
};

function availableCondition(d: Deployment, counts: Counts, all: Conditions, now: Instant): Conditions {
  const { desired, unavailable } = boundsOf(d);
  const enough = (counts.availableReplicas ?? 0) >= desired - unavailable;
  const condition = enough
    ? { reason: "MinimumReplicasAvailable", message: "Deployment has minimum availability." }
    : { reason: "MinimumReplicasUnavailable", message: "Deployment does not have minimum availability." };
  return updated(all, { type: "Available", status: enough ? "True" : "False", ...condition }, now);
}

/** When the deadline passes, if it is running: counted from the last sign of progress. */
function deadlineOf(d: Deployment, progressing: DeploymentCondition | undefined): Instant | undefined {
  const seconds = d.spec.progressDeadlineSeconds ?? 600;
  if (!progressing?.lastUpdateTime || seconds >= 2147483647 || d.spec.paused === true) return undefined;
  return (instantOf(progressing.lastUpdateTime) + seconds * 1000) as Instant;
}

interface Progress {
  readonly conditions: Conditions;
  readonly deadline?: Instant;
}

function progressCondition(d: Deployment, newest: ReplicaSet | undefined, counts: Counts, now: Instant): Progress {
  const all = d.status?.conditions ?? [];
  const before = conditionOf(all, "Progressing");
  const what = newest ? `ReplicaSet "${newest.metadata.name}"` : `Deployment "${d.metadata.name}"`;
  const progressing = (status: string, reason: string, message: string): Conditions =>
    updated(all, { type: "Progressing", status, reason, message }, now);
  if (d.spec.progressDeadlineSeconds === undefined) return { conditions: withoutCondition(all, "Progressing") };
  const isPaused = before?.reason === "DeploymentPaused";
  if (d.spec.paused === true)
    return { conditions: isPaused ? all : progressing("Unknown", "DeploymentPaused", "Deployment is paused") };
  if (isPaused) return { conditions: progressing("Unknown", "DeploymentResumed", "Deployment is resumed") };
  if (isComplete(d, counts))
    return {
      conditions: progressing("True", "NewReplicaSetAvailable", flatText(what, " has successfully progressed.")),
    };
  // Once rolled out, a deployment that loses pods is less available, but not rolling out again.
  const rolledOut = before?.reason === "NewReplicaSetAvailable" && counts.replicas === counts.updatedReplicas;
  if (rolledOut) return { conditions: all };
  const restarted =
    before === undefined || before.reason === "NewReplicaSetAvailable" || before.reason === "DeploymentResumed";
  if (isProgressing(counts, d.status) || restarted) {
    const moved = all.filter((c) => c.type !== "Progressing");
    const message = flatText(what, " is progressing.");
    const since = before?.status === "True" ? before.lastTransitionTime : timestamp(now);
    // Progress restarts the deadline, also when the message stays the same.
    const condition = {
      ...{ type: "Progressing", status: "True", reason: "ReplicaSetUpdated", message },
      ...{ lastTransitionTime: since, lastUpdateTime: timestamp(now) },
    };
    return { conditions: [...moved, condition], deadline: deadlineOf(d, condition) };
  }
  const deadline = deadlineOf(d, before);
  if (deadline !== undefined && now > deadline && before.reason !== "ProgressDeadlineExceeded")
    return { conditions: progressing("False", "ProgressDeadlineExceeded", `${what} has timed out progressing.`) };
  return { conditions: all, ...(before.reason === "ProgressDeadlineExceeded" ? {} : { deadline }) };
}

/** Whether pods cannot be created, as the newest set says, or else another. */
function failureCondition(
  all: Conditions,
  sets: readonly ReplicaSet[],
  newest: ReplicaSet | undefined,
  now: Instant,
): Conditions {
  const failures = [...(newest ? [newest] : []), ...sets].flatMap(
    ({ status }) => conditionOf(status?.conditions, "ReplicaFailure") ?? [],
  );
  const [failure] = failures;
  if (!failure) return withoutCondition(all, "ReplicaFailure");
  const { type, status, reason, message } = failure;
  return updated(all, { type, status, reason, message }, now);
}

/** The status, and the time of the next reconcile, when a deadline may have passed. */
export function statusOf(d: Deployment, sets: readonly ReplicaSet[], newest: ReplicaSet | undefined, now: Instant) {
  const counts = countsOf(sets, newest);
  const { conditions, deadline } = progressCondition(d, newest, counts, now);
  const terminating = sets.reduce((n, s) => n + (s.status?.terminatingReplicas ?? 0), 0);
  const status: DeploymentStatus = {
    ...d.status,
    ...counts,
    terminatingReplicas: terminating,
    observedGeneration: d.metadata.generation,
    conditions: failureCondition(availableCondition(d, counts, conditions, now), sets, newest, now),
  };
  return { status, deadline };
}
