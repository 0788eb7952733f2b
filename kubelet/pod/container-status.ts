// The status of one container, from its runs and its next step. Pure.
import type { Container, ContainerState, ContainerStatus, Pod } from "../../api/generated/types.ts";
import { timestamp } from "../../api/meta.ts";
import type { RuntimeContainer, Sandbox } from "../runtime.ts";
import { mustEnd } from "./termination.ts";
import { planContainer, type Waiting } from "./container-plan.ts";
import type { PodObservation } from "./memory.ts";
import { amountsOf, resizeOf } from "../podspec/resources.ts";
import { ephemeralContainersOf, initContainersOf, isSidecar } from "../podspec/containers.ts";
import { type Ended, hasEnded, isRunning, runsOf } from "./runs.ts";

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
  const wanted = amountsOf(c);
  const isPending = isRunning(run) && resizeOf(c, run) !== "none";
  return {
    ...(wanted.requests && { allocatedResources: wanted.requests }),
    resources: isPending ? (before?.resources ?? wanted) : wanted,
  };
}

/** The status of one container; `before` is the last reported one. */
export function containerStatus(
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
  return {
    name: c.name,
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
