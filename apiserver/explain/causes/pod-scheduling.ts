// Why a pod has no node. Pure.
import type { Cause } from "../../../api/explanation/explanation.ts";
import type { AttemptExplanation, SchedulingExplanation } from "../../../api/explanation/scheduling.ts";
import { conditionOf } from "../../../api/core/pod/status.ts";
import type { Pod } from "../../../api/generated/types.ts";
import { type Instant, instantOf } from "../../../api/meta.ts";
import { type Finding, progressing, waiting, failing } from "../finding.ts";

/** A scheduler that has reported nothing about a pod for so long does not run. */
const silentMs = 30_000;

function remedyOf({ remedies = [] }: AttemptExplanation): string | undefined {
  const [first] = remedies;
  if (!first) return undefined;
  const more = first.count > 1 ? ` and ${first.count - 1} more` : "";
  const where = first.nodes[0] === undefined ? "" : `: then ${first.nodes[0]}${more} would take it`;
  return `${first.changes.join("; ")}${where}`;
}

/** The cause of a pod that fits on no node; `claims` are those of its claims that keep it from a node. */
function unschedulable(
  pod: Pod,
  message: string,
  scheduling: SchedulingExplanation | undefined,
  claims: readonly Cause[],
): Finding {
  const last = scheduling?.attempts.at(-1);
  const remedy = last && remedyOf(last);
  const noNodes = /^0\/0 nodes/.test(message) || message === "no nodes available to schedule pods";
  const next =
    remedy ?? (noNodes ? "add a node: orrery node add" : `see every node: orrery why pod/${pod.metadata.name} -o wide`);
  const cause: Cause = { reason: "Unschedulable", message, next };
  if (claims.length > 0)
    return waiting("has no node, because of its volumes", { reason: "Unschedulable", message, causes: claims });
  return failing("fits on no node", cause);
}

/** Why the pod has no node. */
export function schedulingFinding(
  pod: Pod,
  scheduling: SchedulingExplanation | undefined,
  claims: readonly Cause[],
  now: Instant,
): Finding {
  const { schedulingGates = [], schedulerName = "default-scheduler" } = pod.spec;
  const names = schedulingGates.map(({ name }) => name);
  if (names.length > 0)
    return waiting("is held by scheduling gates", {
      reason: "SchedulingGated",
      message: `the scheduling gates ${names.join(", ")} keep the pod from the scheduler`,
      next: "whatever set the gates has to remove them from spec.schedulingGates",
    });
  const { status, reason, message = "" } = conditionOf(pod.status?.conditions, "PodScheduled") ?? {};
  if (status === "False" && reason === "Unschedulable") return unschedulable(pod, message, scheduling, claims);
  if (scheduling?.state.phase === "Gated")
    return waiting("is kept out of the queue", {
      reason: "SchedulingGated",
      message: scheduling.state.message ?? `kept out of the queue by ${scheduling.state.heldBy}`,
    });
  if (now - instantOf(pod.metadata.creationTimestamp) < silentMs) return progressing("is about to be scheduled");
  return waiting("waits for its scheduler", {
    reason: "NoScheduler",
    message: `no scheduler called "${schedulerName}" has reported anything about the pod since it was created`,
    next:
      schedulerName === "default-scheduler"
        ? "check that the control plane runs: orrery status"
        : `start the scheduler "${schedulerName}", or leave spec.schedulerName out of the pod`,
  });
}
