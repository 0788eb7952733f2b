// The pod's status, computed afresh from what is there; only times and what is past come from the status before. Pure.
import type { Container, ContainerStatus, Pod, PodStatus } from "../../api/generated/types.ts";
import { startsAgain } from "../../api/core/pod/restarts.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import { timestamp } from "../../api/meta.ts";
import { conditionsOf, type Facts } from "./conditions.ts";
import { containerStatus } from "./container-status.ts";
import type { PodObservation } from "./observation.ts";
import { resizeOf } from "../podspec/resize.ts";
import { phaseOf } from "./phase.ts";
import { ephemeralContainersOf, initContainersOf } from "../podspec/containers.ts";
import { isRunning, liveSandbox, runsOf } from "./runs.ts";
import { isPastDeadline } from "./termination.ts";

const tooLong = {
  phase: "Failed",
  reason: "DeadlineExceeded",
  message: "Pod was active on the node longer than the specified deadline",
} as const;

/** A container that was told of and is gone without a trace ended in a way nobody saw. */
function lost(status: ContainerStatus, now: string): ContainerStatus {
  const { running } = status.state ?? {};
  if (running === undefined && status.state?.waiting === undefined) return status;
  const terminated = {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated",
    startedAt: running?.startedAt,
    finishedAt: now,
  };
  return { ...status, ready: false, started: false, state: running ? { terminated } : status.state };
}

/** Fates that something other than the containers decides. */
function fate(pod: Pod, o: PodObservation): Pick<PodStatus, "phase" | "reason" | "message"> | undefined {
  if (o.rejection)
    return { phase: "Failed", reason: o.rejection.reason, message: `Pod was rejected: ${o.rejection.message}` };
  if (isTerminal(pod)) {
    const { phase, reason, message } = pod.status!;
    return { phase, ...(reason ? { reason } : {}), ...(message ? { message } : {}) };
  }
  return isPastDeadline(pod, o.now) ? tooLong : undefined;
}

/** A pod on its way out whose containers have all ended has reached an end, whatever its restart policy. */
function finalPhase(pod: Pod, o: PodObservation, statuses: readonly ContainerStatus[], phase: string): string {
  if (pod.metadata.deletionTimestamp === undefined || o.containers.some(isRunning)) return phase;
  const exits = statuses.map((s) => s.state?.terminated ?? s.lastState?.terminated);
  return exits.some((e) => e !== undefined && e.exitCode !== 0) || exits.some((e) => e === undefined)
    ? "Failed"
    : "Succeeded";
}

function address(pod: Pod, o: PodObservation): Pick<PodStatus, "podIP" | "podIPs"> {
  const own = pod.spec.hostNetwork ? o.hostIp : liveSandbox(o.sandboxes)?.ip;
  const ip = own ?? pod.status?.podIP;
  return ip ? { podIP: ip, podIPs: [{ ip }] } : {};
}

/** A rejected pod never had containers here, so nothing is said of them. */
function rejected(pod: Pod, o: PodObservation): PodStatus {
  const startTime = pod.status?.startTime ?? timestamp(o.now);
  return { ...pod.status, ...fate(pod, o), startTime, hostIP: o.hostIp, hostIPs: [{ ip: o.hostIp }] };
}

function resizeFacts(pod: Pod, o: PodObservation): Facts["resize"] {
  const moving = pod.spec.containers.find((c) =>
    runsOf(o.containers, c.name).some((run) => isRunning(run) && resizeOf(c, run) !== "none"),
  );
  const refusal = moving && o.resizeRefusals[moving.name];
  return {
    ...(o.pendingResize && { PodResizePending: o.pendingResize }),
    ...(moving && { PodResizeInProgress: refusal ? { reason: "Error", message: refusal.message } : {} }),
  };
}

/** What the API shall say of a pod that this node runs. */
export function podStatus(pod: Pod, o: PodObservation): PodStatus {
  if (o.rejection) return rejected(pod, o);
  const before = pod.status ?? {};
  const sandbox = liveSandbox(o.sandboxes);
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = before;
  const old = [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses];
  const looks = ephemeralContainersOf(pod);
  const isSettled = (c: Container, exitCode: number): boolean =>
    looks.includes(c) || !startsAgain(c, pod.spec, exitCode);
  const statusOf = (c: Container): ContainerStatus => {
    const reported = old.find((s) => s.name === c.name);
    const vanished = reported?.containerID !== undefined && !o.containers.some((r) => r.name === c.name);
    if (vanished && (isTerminal(pod) || pod.metadata.deletionTimestamp !== undefined))
      return lost(reported, timestamp(o.now));
    const status = containerStatus(pod, o, c, { sandbox, before: reported });
    const ended = reported?.state?.terminated;
    // How it ended for good has been told, and is not taken back.
    return reported && ended && !status.state?.terminated && isSettled(c, ended.exitCode) ? reported : status;
  };
  const inits = initContainersOf(pod).map(statusOf);
  const own = pod.spec.containers.map(statusOf);
  const looking = looks.map(statusOf);
  const statuses = Object.fromEntries([...inits, ...own].map((s) => [s.name, s]));
  const decided = fate(pod, o);
  const phase = decided?.phase ?? finalPhase(pod, o, own, phaseOf(pod, statuses));
  const facts = { phase, statuses, sandboxReady: sandbox !== undefined, now: o.now, resize: resizeFacts(pod, o) };
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: conditionsOf(pod, before.conditions ?? [], facts),
    ...(decided?.reason ? { reason: decided.reason } : {}),
    ...(decided?.message ? { message: decided.message } : {}),
    hostIP: o.hostIp,
    hostIPs: [{ ip: o.hostIp }],
    ...address(pod, o),
    startTime: before.startTime ?? timestamp(o.now),
    ...(inits.length > 0 ? { initContainerStatuses: inits } : {}),
    containerStatuses: own,
    ...(looking.length > 0 ? { ephemeralContainerStatuses: looking } : {}),
    ...(before.qosClass ? { qosClass: before.qosClass } : {}),
  };
}
