// The pod conditions that the kubelet owns; conditions of other writers are kept. Pure.
import type { ContainerStatus, Pod, PodCondition, PodStatus } from "../../api/generated/types.ts";
import { type Instant, timestamp } from "../../api/meta.ts";
import { initDone } from "./phase.ts";
import { allContainersOf, initContainersOf, isSidecar } from "../podspec/containers.ts";

type Statuses = Readonly<Record<string, ContainerStatus>>;
interface Value {
  readonly status: "True" | "False";
  readonly reason?: string;
  readonly message?: string;
}
const yes: Value = { status: "True" };

const listed = (what: string, names: readonly string[]): string =>
  `containers with ${what} status: [${names.join(" ")}]`;

/** Only ordinary containers and sidecars have to be ready. */
function unready(pod: Pod, statuses: Statuses): readonly string[] {
  return allContainersOf(pod)
    .filter((c) => isSidecar(c) || pod.spec.containers.includes(c))
    .filter((c) => !statuses[c.name]?.ready)
    .map((c) => c.name);
}

function initialized(pod: Pod, phase: string, statuses: Statuses): Value {
  const left = initContainersOf(pod).filter((c) => !initDone(c, statuses[c.name]));
  if (phase === "Succeeded") return { ...yes, reason: "PodCompleted" };
  const begun = pod.spec.containers.some(
    (c) => statuses[c.name]?.state?.running ?? statuses[c.name]?.lastState?.terminated,
  );
  if (left.length === 0 || begun) return yes;
  return {
    status: "False",
    reason: "ContainersNotInitialized",
    message: listed(
      "incomplete",
      left.map((c) => c.name),
    ),
  };
}

function containersReady(pod: Pod, phase: string, statuses: Statuses): Value {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const names = unready(pod, statuses);
  return names.length === 0
    ? yes
    : { status: "False", reason: "ContainersNotReady", message: listed("unready", names) };
}

function ready(pod: Pod, containers: Value): Value {
  if (containers.status === "False") return containers;
  const unmet = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = pod.status?.conditions?.find((c) => c.type === conditionType);
    if (gate === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (gate.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`];
  });
  if (unmet.length === 0) return yes;
  return { status: "False", reason: "ReadinessGatesNotReady", message: unmet.join(", ") };
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
  const ours = Object.entries(values).map(([type, value]): PodCondition => {
    const old = before.find((c) => c.type === type);
    const lastTransitionTime = old?.status === value.status ? old.lastTransitionTime : timestamp(now);
    const observedGeneration = pod.metadata.generation;
    return { type, ...value, lastTransitionTime, ...(observedGeneration === undefined ? {} : { observedGeneration }) };
  });
  const isOver = (type: string): boolean => values[type] === undefined && ofResizes.some((own) => own === type);
  return [...ours, ...before.filter((c) => values[c.type] === undefined && !isOver(c.type))];
}
