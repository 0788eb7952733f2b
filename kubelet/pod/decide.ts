// Decides the next actions for a pod from its spec and what the engine has. Pure.
import type { Container, Pod } from "../../api/generated/types.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import type { RuntimeContainer, Sandbox } from "../runtime.ts";
import { type PodAction, type PodDecision, removeAll, stop } from "./actions.ts";
import { waitMs, type ContainerPlan, planContainer, refusalRetryMs } from "./container-plan.ts";
import type { PodObservation } from "./memory.ts";
import { ephemeralContainersOf, initContainersOf, isSidecar, restarts } from "../podspec/containers.ts";
import { hasEnded, isRunning, latestSandbox, liveSandbox, runsOf } from "./runs.ts";
import { volumeBackoff } from "../volumes/volume-backoff.ts";
import { deadlineOf, decideEnd, graceMsOf, mustEnd } from "./termination.ts";

/** Ended runs kept per container: the latest for its state, the one before for its logs. */
const keptDead = 2;

/** The run whose PID namespace an ephemeral container joins; it has to be running. */
function targetOf(pod: Pod, o: PodObservation, c: Container): { readonly target?: string } | "missing" {
  const name = pod.spec.ephemeralContainers?.find((e) => e.name === c.name)?.targetContainerName;
  if (!name) return {};
  const run = runsOf(o.containers, name).find(isRunning);
  return run === undefined ? "missing" : { target: run.id };
}

/** Ephemeral containers, without those that ran before and whose runs the engine no longer has. */
function pendingEphemeral(pod: Pod, o: PodObservation): readonly Container[] {
  const reported = pod.status?.ephemeralContainerStatuses ?? [];
  return ephemeralContainersOf(pod).filter(
    (c) => o.containers.some((r) => r.name === c.name) || !reported.some((s) => s.name === c.name && s.containerID),
  );
}

/** A refused resize is retried after a while. */
function resizeStep(o: PodObservation, c: Container, { id }: RuntimeContainer): PodDecision {
  const refusal = o.resizeRefusals.get(c.name);
  const retryAt = refusal && refusal.at + refusalRetryMs;
  if (retryAt !== undefined && o.now < retryAt) return { actions: [], requeueAt: retryAt };
  return { actions: [{ do: "resize", container: c.name, id }] };
}

function step(pod: Pod, o: PodObservation, c: Container, sandbox: Sandbox): PodDecision {
  const next: ContainerPlan = planContainer(pod, o, c, sandbox);
  switch (next.is) {
    case "running":
      return next.resize ? resizeStep(o, c, next.run) : { actions: [] };
    case "start":
      return { actions: [{ do: "start", container: c.name, id: next.run.id }] };
    case "make": {
      const { attempt, backoff } = next;
      const target = targetOf(pod, o, c);
      if (target === "missing") return { actions: [] };
      return { actions: [{ do: "create", container: c.name, attempt, backoff, sandboxId: sandbox.id, ...target }] };
    }
    case "fetch":
      return { actions: [{ do: "getImage", container: c.name, attempt: next.attempt }] };
    case "stop":
      return { actions: [stop(next.run, next.graceMs ?? graceMsOf(pod), "restart", next.why)] };
    case "discard":
      return { actions: [{ do: "remove", id: next.run.id }] };
    case "wait": {
      const { until, backoff: kind } = next;
      const isNew = kind !== undefined && o.backoffEvents.get(c.name) !== until;
      return { actions: isNew ? [{ do: "recordBackoff", container: c.name, kind, until }] : [], requeueAt: until };
    }
    default:
      return { actions: [] };
  }
}

/** Whether the containers after this init container may start. */
const letsOthersStart = (o: PodObservation, c: Container, next: ContainerPlan): boolean =>
  isSidecar(c)
    ? next.is === "running" && (o.health[next.run.id]?.started ?? false)
    : next.is === "done" && next.run.status.exitCode === 0;

/** Ordinary containers ran in this sandbox, so its init containers are done even if the engine has no runs of them. */
const isInitialized = (pod: Pod, o: PodObservation, sandbox: Sandbox): boolean =>
  o.containers.some((c) => c.sandboxId === sandbox.id && pod.spec.containers.some((m) => m.name === c.name));

/** Containers that may run now: init containers one by one beside sidecars, then the rest; ephemeral ones always. */
function activeContainers(pod: Pod, o: PodObservation, sandbox: Sandbox): readonly Container[] {
  const inits = initContainersOf(pod);
  const ephemeral = pendingEphemeral(pod, o);
  if (isInitialized(pod, o, sandbox)) return [...inits.filter(isSidecar), ...pod.spec.containers, ...ephemeral];
  const turn: Container[] = [...ephemeral];
  for (const c of inits) {
    const next = planContainer(pod, o, c, sandbox);
    if (isSidecar(c) || !letsOthersStart(o, c, next)) turn.push(c);
    if (!letsOthersStart(o, c, next)) return turn;
  }
  return [...turn, ...pod.spec.containers];
}

const isFetch = (action: PodAction): boolean => action.do === "getImage";

/** Whether containers still have to run: not after all have ended, nor after an init container failed, for good. */
function hasWork(pod: Pod, o: PodObservation): boolean {
  /** The exit code of a container that does not run again. */
  const exitCode = (c: Container): number | undefined => {
    const last = runsOf(o.containers, c.name)[0];
    return last && hasEnded(last) && !restarts(pod, c, last.status.exitCode) ? last.status.exitCode : undefined;
  };
  if (initContainersOf(pod).some((c) => !isSidecar(c) && (exitCode(c) ?? 0) !== 0)) return false;
  return !pod.spec.containers.every((c) => exitCode(c) !== undefined);
}

const spent = (pod: Pod, o: PodObservation): readonly RuntimeContainer[] =>
  [...initContainersOf(pod), ...pod.spec.containers].flatMap((c) =>
    runsOf(o.containers, c.name)
      .filter((r) => !isRunning(r))
      .slice(keptDead),
  );

/** When volumes have to be prepared again: after a failure, or when a token expires. */
function volumesDue({ volumes }: PodObservation): number | undefined {
  if (volumes.is === "ready") return volumes.until;
  return volumes.is === "failed" ? volumes.at + volumeBackoff(volumes.failures) : undefined;
}

/** Without a running sandbox: stops containers that lost their network, then prepares volumes and a new sandbox. */
function withoutSandbox(pod: Pod, o: PodObservation): PodDecision {
  const stranded = o.containers.filter((c) => c.status.state === "running");
  if (stranded.length > 0) return { actions: stranded.map((run) => stop(run, graceMsOf(pod), "sandbox")) };
  const due = volumesDue(o);
  if (o.volumes.is === "failed" && due !== undefined && o.now < due) return { actions: [], requeueAt: due };
  // The engine runs the sandbox while drivers mount.
  if (o.volumes.is !== "ready" && o.volumes.is !== "mounting") return { actions: [{ do: "mountVolumes" }] };
  if (o.sandboxFailure) {
    const retryAt = o.sandboxFailure.at + Math.max(1_000, waitMs(o.sandboxFailure.failures - 1));
    if (o.now < retryAt) return { actions: [], requeueAt: retryAt };
  }
  const dead = latestSandbox(o.sandboxes);
  const attempt = dead === undefined ? 0 : dead.attempt + (dead.state === "created" ? 0 : 1);
  return { actions: [{ do: "runSandbox", attempt }] };
}

const soonest = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((t) => t !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};

function keepRunning(pod: Pod, o: PodObservation): PodDecision {
  const sandbox = liveSandbox(o.sandboxes);
  if (sandbox === undefined) return withoutSandbox(pod, o);
  // After a restart of the kubelet the state of the volumes is unknown.
  if (o.volumes.is === "unknown") return { actions: [{ do: "mountVolumes" }] };
  // A pod that waits for its volumes has no address.
  if (o.volumes.is === "failed" && o.containers.length === 0) return { actions: removeAll([sandbox]) };
  const steps = activeContainers(pod, o, sandbox).map((c) => step(pod, o, c, sandbox));
  if (o.volumes.is === "mounting") return { actions: steps.flatMap((s) => s.actions).filter(isFetch) };
  const spare = [...spent(pod, o), ...o.sandboxes.filter((s) => s.id !== sandbox.id)];
  const due = volumesDue(o);
  const isDue = due !== undefined && due <= o.now;
  const refresh: readonly PodAction[] = isDue ? [{ do: "mountVolumes" }] : [];
  return {
    actions: [...refresh, ...steps.flatMap((s) => s.actions), ...removeAll(spare)],
    requeueAt: soonest([...steps.map((s) => s.requeueAt), deadlineOf(pod), isDue ? undefined : due]),
  };
}

/** The next actions; none while there is only something to wait for. */
export function decidePod(o: PodObservation): PodDecision {
  const { pod } = o;
  if (pod === undefined || mustEnd(pod, o) || isTerminal(pod) || !hasWork(pod, o)) return decideEnd(o);
  return keepRunning(pod, o);
}
