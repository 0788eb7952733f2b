// The status of a pod and of its containers, computed from an observation; times and past exits come from the last
// reported status. A container of an ended pod without a recorded exit counts as failed. Pure.
import type {
  Container,
  ContainerState,
  ContainerStatus,
  Pod,
  PodStatus,
  VolumeMountStatus,
} from "../../api/generated/types.ts";
import { timestamp } from "../../api/meta.ts";
import type { RuntimeContainer, Sandbox } from "../runtime.ts";
import { mustEnd, isPastDeadline } from "./termination.ts";
import { planContainer, type Waiting } from "./container-plan.ts";
import type { PodObservation } from "./memory.ts";
import { amountsOf, resizeOf } from "../podspec/resources.ts";
import {
  containerStatusesOf,
  ephemeralContainersOf,
  initContainersOf,
  isRecursivelyReadOnly,
  isSidecar,
} from "../podspec/containers.ts";
import { type Ended, hasEnded, isRunning, runsOf, liveSandbox } from "./runs.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import { restartsAfter } from "../../api/core/pod/containers.ts";
import { conditionsOf, type Facts, phaseOf } from "./conditions.ts";

/** The containerID of a status. */
const containerReference = (id: string): string => `docker://${id}`;

/** The terminated state of a run that has ended. */
function terminatedState(run: Ended): ContainerState {
  const { exitCode, reason, message, startedAt, finishedAt } = run.status;
  return {
    terminated: {
      exitCode,
      reason,
      ...(message ? { message } : {}),
      // A run whose start was refused took no time.
      startedAt: timestamp(startedAt ?? finishedAt),
      finishedAt: timestamp(finishedAt),
      containerID: containerReference(run.id),
    },
  };
}

const stateOf = (run: RuntimeContainer): ContainerState | undefined =>
  run.status.state === "running"
    ? { running: { startedAt: timestamp(run.status.startedAt) } }
    : hasEnded(run)
      ? terminatedState(run)
      : undefined;

/** The waiting state of a container that does not run yet, or not again; undefined when its last run is its state. */
function waitingFor(pod: Pod, o: PodObservation, c: Container, sandbox: Sandbox | undefined): Waiting | undefined {
  const next = sandbox === undefined || mustEnd(pod, o) ? undefined : planContainer(pod, o, c, sandbox);
  return next?.is === "wait" ? next.as : undefined;
}

function initialWaiting(pod: Pod, c: Container): Waiting {
  const init = initContainersOf(pod).includes(c);
  return { reason: initContainersOf(pod).length > 0 || init ? "PodInitializing" : "ContainerCreating" };
}

function readyOf(pod: Pod, o: PodObservation, c: Container, run: RuntimeContainer | undefined): boolean {
  if (run === undefined || ephemeralContainersOf(pod).includes(c)) return false;
  if (initContainersOf(pod).includes(c) && !isSidecar(c)) return hasEnded(run) && run.status.exitCode === 0;
  return isRunning(run) && (o.health[run.id]?.ready ?? false);
}

/** The fields of the last reported status that a restarted kubelet cannot compute. */
type Before =
  | Pick<ContainerStatus, "restartCount" | "lastState" | "imageID" | "containerID" | "resources" | "allocatedResources">
  | undefined;

/** The resources of a run; while a resize is in progress, those before it. */
function resourcesOf(c: Container, run: RuntimeContainer | undefined, before: Before): Partial<ContainerStatus> {
  if (run === undefined) return {};
  const inSpec = amountsOf(c);
  const isPending = isRunning(run) && resizeOf(c, run) !== "none";
  return {
    ...(inSpec.requests && { allocatedResources: inSpec.requests }),
    resources: isPending ? (before?.resources ?? inSpec) : inSpec,
  };
}

/** How the volumes of a container are mounted (KEP-3857). */
const mountStatuses = (c: Container, recursiveReadOnlyMounts: boolean): readonly VolumeMountStatus[] =>
  (c.volumeMounts ?? []).map((m) => ({
    ...{ name: m.name, mountPath: m.mountPath },
    ...(m.readOnly && {
      readOnly: true,
      recursiveReadOnly: isRecursivelyReadOnly(m, recursiveReadOnlyMounts) ? "Enabled" : "Disabled",
    }),
  }));

/** The status of one container; `before` is the last reported one. */
function containerStatus(
  pod: Pod,
  o: PodObservation,
  c: Container,
  more: { readonly sandbox: Sandbox | undefined; readonly before: Before },
): ContainerStatus {
  const runs = runsOf(o.containers, c.name).filter((r) => r.status.state !== "created");
  const [last, previous] = runs;
  const waiting = waitingFor(pod, o, c, more.sandbox);
  const own = last && stateOf(last);
  const showsWaiting = waiting !== undefined && (last === undefined || !isRunning(last));
  const started = last !== undefined && isRunning(last) && (o.health[last.id]?.started ?? false);
  const state = showsWaiting ? { waiting } : (own ?? { waiting: initialWaiting(pod, c) });
  const ended = showsWaiting ? last : previous;
  const lastState = ended && hasEnded(ended) ? terminatedState(ended) : (more.before?.lastState ?? {});
  const volumeMounts = mountStatuses(c, o.recursiveReadOnlyMounts);
  return {
    name: c.name,
    ...(volumeMounts.length > 0 && { volumeMounts }),
    state,
    lastState,
    ready: readyOf(pod, o, c, last),
    restartCount: last?.attempt ?? more.before?.restartCount ?? 0,
    image: c.image ?? "",
    imageID: last === undefined ? (more.before?.imageID ?? "") : containerReference(last.imageId),
    ...(last === undefined ? {} : { containerID: containerReference(last.id) }),
    ...(ephemeralContainersOf(pod).includes(c) ? {} : resourcesOf(c, last, more.before)),
    ...(ephemeralContainersOf(pod).includes(c) ? {} : { started }),
  };
}

interface Statuses {
  readonly inits: readonly ContainerStatus[];
  readonly own: readonly ContainerStatus[];
}

/** Whether nothing of the pod runs, or will run again. */
const isOver = (pod: Pod, o: PodObservation): boolean =>
  (mustEnd(pod, o) || isTerminal(pod)) &&
  o.sandboxes.length === 0 &&
  o.containers.every((run) => run.status.state === "exited");

const unknownExit = {
  exitCode: 137,
  reason: "ContainerStatusUnknown",
  message: "The container could not be located when the pod was terminated",
};
const withExit = (status: ContainerStatus): ContainerStatus =>
  status.state?.terminated ? status : { ...status, ready: false, started: false, state: { terminated: unknownExit } };

const hasBegun = (s: ContainerStatus): boolean =>
  s.state?.waiting === undefined || s.lastState?.terminated !== undefined;

function isInitialized(pod: Pod, { inits, own }: Statuses): boolean {
  const spec = initContainersOf(pod).at(-1);
  const last = inits.at(-1);
  if (spec === undefined || own.some(hasBegun)) return true;
  if (isSidecar(spec)) return last?.state?.running !== undefined && last.started === true;
  return [last?.state, last?.lastState].some((state) => state?.terminated?.exitCode === 0);
}

/**
 * Gives each container that may have run an exit. Init containers after the last one that began, and all others of a
 * pod that was never initialized, keep waiting: they certainly did not run.
 */
export function ended(pod: Pod, { inits, own }: Statuses): Statuses {
  const begun = Math.max(1, inits.findLastIndex(hasBegun) + 1);
  return {
    inits: inits.map((s, i) => (i < begun ? withExit(s) : s)),
    own: isInitialized(pod, { inits, own }) ? own.map(withExit) : own,
  };
}

const tooLong = {
  phase: "Failed",
  reason: "DeadlineExceeded",
  message: "Pod was active on the node longer than the specified deadline",
} as const;

/** A phase that something other than the containers decides. */
function fate(pod: Pod, o: PodObservation): Pick<PodStatus, "phase" | "reason" | "message"> | undefined {
  if (o.rejection)
    return { phase: "Failed", reason: o.rejection.reason, message: `Pod was rejected: ${o.rejection.message}` };
  if (isTerminal(pod)) {
    return pod.status!;
  }
  if (o.eviction) return { phase: "Failed", ...o.eviction };
  return isPastDeadline(pod, o.now) ? tooLong : undefined;
}

/** A deleted pod that has ended reaches a terminal phase, whatever its restart policy. */
function finalPhase(pod: Pod, statuses: readonly ContainerStatus[], phase: Facts["phase"]): Facts["phase"] {
  if (pod.metadata.deletionTimestamp === undefined) return phase;
  const exits = statuses.map((s) => s.state?.terminated ?? s.lastState?.terminated);
  return exits.every((e) => e?.exitCode === 0) ? "Succeeded" : "Failed";
}

function address(pod: Pod, o: PodObservation): Pick<PodStatus, "podIP" | "podIPs"> {
  const own = pod.spec.hostNetwork ? o.hostIp : liveSandbox(o.sandboxes)?.ip;
  const ip = own ?? pod.status?.podIP;
  return ip ? { podIP: ip, podIPs: [{ ip }] } : {};
}

/** A rejected pod has no container statuses. */
function rejected(pod: Pod, o: PodObservation): PodStatus {
  const startTime = pod.status?.startTime ?? timestamp(o.now);
  return { ...pod.status, ...fate(pod, o), startTime, hostIP: o.hostIp, hostIPs: [{ ip: o.hostIp }] };
}

function resizeFacts(pod: Pod, o: PodObservation): Facts["resize"] {
  const moving = pod.spec.containers.find((c) =>
    runsOf(o.containers, c.name).some((run) => isRunning(run) && resizeOf(c, run) !== "none"),
  );
  const refusal = moving && o.resizeRefusals.get(moving.name);
  return {
    ...(o.pendingResize && { PodResizePending: o.pendingResize }),
    ...(moving && { PodResizeInProgress: refusal ? { reason: "Error", message: refusal.message } : {} }),
  };
}

/** The statuses of every container, from the engine's runs and the status reported last. */
function statusesOf(pod: Pod, o: PodObservation): Statuses & { readonly ephemeral: readonly ContainerStatus[] } {
  const sandbox = liveSandbox(o.sandboxes);
  const reportedBefore = containerStatusesOf(pod);
  const ephemeral = ephemeralContainersOf(pod);
  const isSettled = (c: Container, exitCode: number): boolean =>
    ephemeral.includes(c) || !restartsAfter(c, pod.spec, exitCode);
  const statusOf = (c: Container): ContainerStatus => {
    const reported = reportedBefore.find((s) => s.name === c.name);
    const vanished = reported?.containerID !== undefined && !o.containers.some((r) => r.name === c.name);
    if (vanished && (isTerminal(pod) || pod.metadata.deletionTimestamp !== undefined)) return reported;
    const status = containerStatus(pod, o, c, { sandbox, before: reported });
    const ended = reported?.state?.terminated;
    // A final exit that was reported stays, also when the engine no longer has the run.
    return reported && ended && !status.state?.terminated && isSettled(c, ended.exitCode) ? reported : status;
  };
  const [inits, own] = [initContainersOf(pod).map(statusOf), pod.spec.containers.map(statusOf)];
  return { ...(isOver(pod, o) ? ended(pod, { inits, own }) : { inits, own }), ephemeral: ephemeral.map(statusOf) };
}

/** What is reported of an observation: a sandbox that runs ahead of the volumes is not, as it ends when they fail. */
const reportedOf = (o: PodObservation): PodObservation =>
  (o.volumes.is === "mounting" || o.volumes.is === "failed") && o.containers.length === 0 ? { ...o, sandboxes: [] } : o;

/** The status that this node reports for the pod. */
export function podStatus(pod: Pod, observed: PodObservation): PodStatus {
  const o = reportedOf(observed);
  if (o.rejection) return rejected(pod, o);
  const before = pod.status ?? {};
  const { inits, own, ephemeral } = statusesOf(pod, o);
  const statuses = Object.fromEntries([...inits, ...own].map((s) => [s.name, s]));
  const decided = fate(pod, o);
  const computed = phaseOf(pod, statuses);
  const phase = decided?.phase ?? (isOver(pod, o) ? finalPhase(pod, own, computed) : computed);
  const sandboxReady = liveSandbox(o.sandboxes) !== undefined;
  const facts = { phase, statuses, sandboxReady, now: o.now, resize: resizeFacts(pod, o) };
  return {
    observedGeneration: pod.metadata.generation,
    phase,
    conditions: conditionsOf(pod, before.conditions ?? [], facts),
    reason: decided?.reason || undefined,
    message: decided?.message || undefined,
    hostIP: o.hostIp,
    hostIPs: [{ ip: o.hostIp }],
    ...address(pod, o),
    startTime: before.startTime ?? timestamp(o.now),
    ...(inits.length > 0 ? { initContainerStatuses: inits } : {}),
    containerStatuses: own,
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    qosClass: before.qosClass || undefined,
  };
}
