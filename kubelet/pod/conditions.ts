// The phase of a pod, from the statuses of its containers, and the conditions that the kubelet owns; conditions of
// other writers are kept. Pure.
import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from "../../api/generated/types.ts";
import { initContainersOf, isSidecar, restarts } from "../podspec/containers.ts";
import { type Instant, timestamp } from "../../api/meta.ts";

type Statuses = Readonly<Record<string, ContainerStatus>>;

/** An init container is done after a success, a sidecar once it has started. */
function initDone(c: Container, status: ContainerStatus | undefined): boolean {
  if (isSidecar(c)) return status?.started === true;
  return status?.state?.terminated?.exitCode === 0;
}

const failedForGood = (pod: Pod, c: Container, status: ContainerStatus | undefined): boolean => {
  const exit = status?.state?.terminated;
  return exit !== undefined && exit.exitCode !== 0 && !restarts(pod, c, exit.exitCode);
};

/** A container that waits for a restart has run. */
const hasRun = (s: ContainerStatus | undefined): boolean =>
  s?.state?.running !== undefined || s?.state?.terminated !== undefined || s?.lastState?.terminated !== undefined;

/** The phase of a pod whose containers have these statuses. */
export function phaseOf(pod: Pod, statuses: Statuses): "Pending" | "Running" | "Succeeded" | "Failed" {
  const inits = initContainersOf(pod);
  if (inits.some((c) => failedForGood(pod, c, statuses[c.name]))) return "Failed";
  const own = pod.spec.containers.map((c) => statuses[c.name]);
  const begun = own.some(hasRun);
  if (!begun && inits.some((c) => !initDone(c, statuses[c.name]))) return "Pending";
  if (!own.every(hasRun)) return "Pending";
  const exits = own.map((s) => (s?.state?.running ? undefined : (s?.state?.terminated ?? s?.lastState?.terminated)));
  if (pod.spec.containers.some((c, i) => !exits[i] || restarts(pod, c, exits[i].exitCode))) return "Running";
  return exits.every((e) => e?.exitCode === 0) ? "Succeeded" : "Failed";
}

interface Value {
  readonly status: "True" | "False";
  readonly reason?: string;
  readonly message?: string;
}
const yes: Value = { status: "True" };
const no = (reason: string, message?: string): Value => ({ status: "False", reason, message });

const listed = (what: string, containers: readonly Container[]): string =>
  `containers with ${what} status: [${containers.map((c) => c.name).join(" ")}]`;

/** Only ordinary containers and sidecars have to be ready. */
const unready = (pod: Pod, statuses: Statuses): readonly Container[] =>
  [...initContainersOf(pod).filter(isSidecar), ...pod.spec.containers].filter((c) => !statuses[c.name]?.ready);

function initialized(pod: Pod, phase: string, statuses: Statuses): Value {
  const left = initContainersOf(pod).filter((c) => !initDone(c, statuses[c.name]));
  if (phase === "Succeeded") return { ...yes, reason: "PodCompleted" };
  const begun = pod.spec.containers.some(
    (c) => statuses[c.name]?.state?.running ?? statuses[c.name]?.lastState?.terminated,
  );
  return left.length === 0 || begun ? yes : no("ContainersNotInitialized", listed("incomplete", left));
}

function containersReady(pod: Pod, phase: string, statuses: Statuses): Value {
  if (phase === "Succeeded") return no("PodCompleted");
  if (phase === "Failed") return no("PodFailed");
  const left = unready(pod, statuses);
  return left.length === 0 ? yes : no("ContainersNotReady", listed("unready", left));
}

function ready(pod: Pod, containers: Value): Value {
  if (containers.status === "False") return containers;
  const unmet = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = pod.status?.conditions?.find((c) => c.type === conditionType);
    if (gate === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (gate.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`];
  });
  return unmet.length === 0 ? yes : no("ReadinessGatesNotReady", unmet.join(", "));
}

export interface Facts {
  readonly phase: NonNullable<PodStatus["phase"]>;
  readonly statuses: Statuses;
  readonly sandboxReady: boolean;
  readonly now: Instant;
  /** Why a resize is pending or in progress. */
  readonly resize: Readonly<Partial<Record<ResizeCondition, Omit<Value, "status">>>>;
}
/** Conditions that are removed once they are no longer true. */
const ofResizes = ["PodResizePending", "PodResizeInProgress"] as const;
type ResizeCondition = (typeof ofResizes)[number];

/** All conditions, each with the time of its last transition. */
export function conditionsOf(pod: Pod, before: readonly PodCondition[], facts: Facts): readonly PodCondition[] {
  const { phase, statuses, now } = facts;
  const containers = containersReady(pod, phase, statuses);
  const values: Readonly<Record<string, Value>> = {
    PodReadyToStartContainers: facts.sandboxReady ? yes : { status: "False" },
    Initialized: initialized(pod, phase, statuses),
    Ready: ready(pod, containers),
    ContainersReady: containers,
    PodScheduled: yes,
    ...Object.fromEntries(Object.entries(facts.resize).map(([type, why]) => [type, { ...yes, ...why }])),
  };
  const own = Object.entries(values).map(([type, value]): PodCondition => {
    const old = before.find((c) => c.type === type);
    const lastTransitionTime = old?.status === value.status ? old.lastTransitionTime : timestamp(now);
    return { type, ...value, lastTransitionTime, observedGeneration: pod.metadata.generation };
  });
  const isOver = (type: string): boolean => values[type] === undefined && ofResizes.some((own) => own === type);
  return [...own, ...before.filter((c) => values[c.type] === undefined && !isOver(c.type))];
}
