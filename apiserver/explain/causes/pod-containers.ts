// Why containers of a pod do not run or are not ready: from their statuses and the events about the pod. Pure.
import { restartsAfter } from "../../../api/core/pod/containers.ts";
import type { Cause } from "../../../api/explanation/explanation.ts";
import type { Container, ContainerStatus, CoreV1Event, Pod } from "../../../api/generated/types.ts";
import { command } from "../finding.ts";
import { missingConfig } from "./pod-config.ts";

/** Why a container is not as desired. Without a cause it is only on its way. */
export interface ContainerFinding {
  readonly state: "Progressing" | "Failing";
  readonly message: string;
  readonly cause?: Cause;
}
const onItsWay = (message: string): ContainerFinding => ({ state: "Progressing", message });
const failingFor = (cause: Cause): ContainerFinding => ({ state: "Failing", message: cause.message, cause });

/** A container of a pod, with what is known of it. */
interface Context {
  readonly pod: Pod;
  readonly container: Container;
  readonly status: ContainerStatus;
  readonly events: readonly CoreV1Event[];
}
type State = NonNullable<ContainerStatus["state"]>;
type Terminated = NonNullable<State["terminated"]>;

const whatOf = ({ pod, container }: Context): string =>
  `${pod.spec.initContainers?.includes(container) ? "init container" : "container"} ${container.name}`;
const logsOf = ({ pod, container, status }: Context): string => {
  const previous = status.state?.running === undefined && status.restartCount > 0 ? " --previous" : "";
  return command(`logs ${pod.metadata.name} -c ${container.name}${previous}`, pod.metadata.namespace);
};

const pullBackOff = /^Back-off pulling image ".*?": (?:ErrImagePull: )?/s;
function pullCause(context: Context, message: string): Cause {
  const image = context.container.image ?? "";
  const detail = message.replace(pullBackOff, "");
  const isDenied = /denied|unauthorized|authentication|forbidden/i.test(detail);
  const fix = isDenied
    ? "give the pod credentials of the registry (spec.imagePullSecrets), and check the name of the image"
    : "correct the name or the tag of the image, or put the image where the node finds it";
  return {
    reason: "ErrImagePull",
    message: `the image "${image}" of ${whatOf(context)} cannot be pulled: ${detail}`,
    next: `${fix}: orrery image load ${image || "IMAGE"}`,
  };
}

/** What exit codes mean that a shell or a signal gives. */
const exitCodes: Readonly<Record<number, string>> = {
  126: "the command cannot be executed",
  127: "the command was not found",
  137: "it was killed by SIGKILL",
  139: "it accessed invalid memory (SIGSEGV)",
  143: "it was ended by SIGTERM",
};

const isAbout = (event: CoreV1Event, { name }: Container): boolean =>
  event.involvedObject.fieldPath?.endsWith(`{${name}}`) === true;
/** The last failure of a probe of the container: `Readiness probe failed: …`. */
function probeFailure({ events, container }: Context, kind: string): string | undefined {
  const failures = events.filter((e) => e.reason === "Unhealthy" && isAbout(e, container));
  return failures.findLast(({ message = "" }) => message.startsWith(`${kind} probe`))?.message;
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
/** Why a container ended that should not have. */
function endCause(context: Context, end: Terminated): Cause {
  const { container, status } = context;
  const what = whatOf(context);
  const times = status.restartCount > 0 ? `, restarted ${status.restartCount} times` : "";
  const memory = container.resources?.limits?.["memory"];
  if (end.reason === "OOMKilled")
    return {
      reason: "OOMKilled",
      message: `${what} used more memory than its limit${memory === undefined ? "" : ` of ${memory}`} and was killed${times}`,
      next: "raise resources.limits.memory of the container, or make its program use less",
    };
  if (end.reason === "StartError" || end.reason === "ContainerCannotRun")
    return {
      reason: "StartError",
      message: `${what} cannot be started: ${end.message ?? `exit code ${end.exitCode}`}`,
      next: "correct the command and the arguments of the container, which have to exist in its image",
    };
  const probe = probeFailure(context, "Liveness") ?? probeFailure(context, "Startup");
  if (probe !== undefined && (end.exitCode === 137 || end.exitCode === 143))
    return {
      reason: probe.startsWith("Startup") ? "StartupProbeFailed" : "LivenessProbeFailed",
      message: `${what} is restarted because it fails its probe: ${probe}${times}`,
      next: `see what it does: ${logsOf(context)}`,
    };
  const meaning = end.signal ? `signal ${end.signal}` : exitCodes[end.exitCode];
  const words = end.message ? `; it wrote: ${lastLine(end.message)}` : "";
  return {
    reason: "CrashLoopBackOff",
    message: `${what} exits with code ${end.exitCode}${meaning === undefined ? "" : ` (${meaning})`}${times}${words}`,
    next: `read what it wrote before it ended: ${logsOf(context)}`,
  };
}

function waitingFinding(context: Context, { reason = "", message = "" }: NonNullable<State["waiting"]>) {
  const { pod, container, status } = context;
  const what = whatOf(context);
  const last = status.lastState?.terminated;
  switch (reason) {
    case "ErrImagePull":
    case "ImagePullBackOff":
      return failingFor(pullCause(context, message));
    case "ErrImageNeverPull":
      return failingFor({
        reason,
        message: `the image "${container.image}" of ${what} is not on the node, and imagePullPolicy is Never`,
        next: `orrery image load ${container.image}`,
      });
    case "InvalidImageName":
      return failingFor({ reason, message: `${what}: ${message}`, next: "correct spec.containers[].image" });
    case "CrashLoopBackOff":
      return failingFor(
        last ? endCause(context, last) : { reason, message: `${what}: ${message}`, next: logsOf(context) },
      );
    case "CreateContainerConfigError":
    case "CreateContainerError":
    case "RunContainerError":
      return failingFor(
        missingConfig(pod, message) ?? {
          reason,
          message: `${what} cannot be created: ${message}`,
          next: "correct the part of the container's spec that the message names",
        },
      );
    default:
      return onItsWay(`${what} waits: ${reason || "it is created"}`);
  }
}

/** Why a running container is not ready. */
function unreadyFinding(context: Context): ContainerFinding {
  const { container, status } = context;
  const what = whatOf(context);
  const kind = status.started === false && container.startupProbe ? "Startup" : "Readiness";
  const failure = probeFailure(context, kind);
  const crash = status.lastState?.terminated;
  if (failure === undefined && crash && crash.exitCode !== 0 && !container.readinessProbe)
    return failingFor(endCause(context, crash));
  if (failure === undefined) return onItsWay(`${what} runs and is not ready yet`);
  return failingFor({
    reason: `${kind}ProbeFailed`,
    message: `${what} runs, and fails its probe: ${failure}`,
    next: `check the ${kind.toLowerCase()}Probe and what the container says: ${logsOf(context)}`,
  });
}

function findingOf(context: Context): ContainerFinding | undefined {
  const { pod, container, status } = context;
  const { waiting, running, terminated } = status.state ?? {};
  if (waiting) return waitingFinding(context, waiting);
  const isInit = pod.spec.initContainers?.includes(container) && container.restartPolicy !== "Always";
  if (terminated) {
    if (terminated.exitCode === 0 && (isInit || !restartsAfter(container, pod.spec, 0))) return undefined;
    return failingFor(endCause(context, terminated));
  }
  if (running && isInit) return onItsWay(`${whatOf(context)} runs`);
  return running && !status.ready ? unreadyFinding(context) : undefined;
}

/** Containers that are not as desired, in the order in which they start; others wait for an init container. */
export function containerFindings(pod: Pod, events: readonly CoreV1Event[]): readonly ContainerFinding[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const of = (containers: readonly Container[], statuses: readonly ContainerStatus[]): readonly ContainerFinding[] =>
    containers.flatMap((container) => {
      const status = statuses.find(({ name }) => name === container.name);
      const found = status && findingOf({ pod, container, status, events });
      return found ? [found] : [];
    });
  const inits = of(pod.spec.initContainers ?? [], initContainerStatuses);
  // Init containers run one by one: those after the first wait for it.
  const ofInits = inits.filter(({ cause }, i) => i === 0 || cause !== undefined);
  if (ofInits.length > 0 && containerStatuses.every(({ state }) => !state?.running)) return ofInits.slice(0, 1);
  return [...ofInits, ...of(pod.spec.containers, containerStatuses)];
}
