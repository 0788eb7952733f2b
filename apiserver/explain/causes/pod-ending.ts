// Why a pod failed, and why one that was deleted is still there. Pure.
import type { Cause } from "../../../api/explanation/explanation.ts";
import type { ContainerStatus, CoreV1Event, Pod } from "../../../api/generated/types.ts";
import { type Instant, instantOf } from "../../../api/meta.ts";
import { command, failing, type Finding, progressing, waiting } from "../finding.ts";
import { containerFindings } from "./pod-containers.ts";

/** So long after its grace period a pod may still be ending: its node has to report. */
const slackMs = 10_000;

/** A deleted pod; `node` is why its node does not work, `kubelet` what its kubelet says. */
export function terminatingFinding(pod: Pod, node: Cause | undefined, kubelet: string, now: Instant): Finding {
  const { name, namespace, finalizers = [], deletionTimestamp = "" } = pod.metadata;
  const hasEnded = (pod.status?.containerStatuses ?? []).every(({ state }) => state?.running === undefined);
  if (finalizers.length > 0 && (hasEnded || pod.spec.nodeName === undefined))
    return waiting("was deleted and is kept by finalizers", {
      reason: "FinalizersPending",
      message: `the finalizers ${finalizers.join(", ")} have not been removed`,
      next: `their controllers remove them; by hand, if these do not exist any more: ${command(`edit pod ${name}`, namespace)}`,
    });
  if (node)
    return waiting("was deleted, and its node does not confirm that it has ended", {
      ...node,
      next: `bring the node back, or remove the pod without knowing: ${command(`delete pod ${name} --grace-period=0 --force`, namespace)}`,
    });
  // The deletion timestamp is the end of the grace period.
  if (now - instantOf(deletionTimestamp) <= slackMs) return progressing(`is ending${kubelet}`);
  return failing("was deleted and has not ended after its grace period", {
    reason: "TerminationStuck",
    message: `the kubelet of ${pod.spec.nodeName} has not ended it${kubelet}`,
    next: "see the log of the node's agent: orrery component-logs",
  });
}

const named: Readonly<Record<string, string>> = {
  Evicted: "the node was short of a resource: give the pod requests, or the node more",
  Preempting: "a pod of higher priority took its place",
  DeadlineExceeded: "raise spec.activeDeadlineSeconds, or make it faster",
  NodeShutdown: "its controller starts another one",
  Terminated: "its node was shut down; its controller starts another one",
  NodeLost: "bring the node back, or delete it",
};
const isOutOf = (reason: string): boolean => reason.startsWith("OutOf");

const exitOf = ({ state, lastState }: ContainerStatus) => state?.terminated ?? lastState?.terminated;

/** A pod whose phase is Failed. */
export function endedFinding(pod: Pod, events: readonly CoreV1Event[]): Finding {
  const { reason = "", message = "" } = pod.status ?? {};
  const target = (pod.status?.conditions ?? []).find(
    ({ type, status }) => type === "DisruptionTarget" && status === "True",
  );
  if (reason !== "") {
    const next =
      named[reason] ?? (isOutOf(reason) ? "free resources of the node, or add nodes: orrery node add" : undefined);
    return failing(`has failed: ${reason}`, { reason, message, ...(next !== undefined && { next }) });
  }
  const causes = containerFindings(pod, events).flatMap(({ cause }) => (cause ? [cause] : []));
  const ofFailed = causes.map(
    (cause): Cause => (cause.reason === "CrashLoopBackOff" ? { ...cause, reason: "Error" } : cause),
  );
  const isKilled = [...(pod.status?.containerStatuses ?? [])].some(
    (s) => exitOf(s)?.reason === "ContainerStatusUnknown",
  );
  if (target && (isKilled || ofFailed.length === 0))
    return failing("has failed: it was disrupted", {
      reason: target.reason ?? "Disrupted",
      message: target.message ?? "",
    });
  return failing("has failed", ...ofFailed);
}
