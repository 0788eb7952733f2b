// The pod's conditions that the kubelet answers for, in Kubernetes' words; those of others are left as they are. Pure.
import type { ContainerStatus, Pod, PodCondition, PodStatus } from "../../api/generated/types.ts";
import { type Instant, timestamp } from "../../api/meta.ts";
import { initDone } from "./phase.ts";
import { allContainersOf, initContainersOf, isSidecar } from "../podspec/containers.ts";

type Statuses = Readonly<Record<string, ContainerStatus>>;
interface Answer {
  readonly status: "True" | "False";
  readonly reason?: string;
  readonly message?: string;
}
const yes: Answer = { status: "True" };

const listed = (what: string, names: readonly string[]): string =>
  `containers with ${what} status: [${names.join(" ")}]`;

/** Containers whose readiness counts: the ordinary ones and the sidecars. */
function unready(pod: Pod, statuses: Statuses): readonly string[] {
  return allContainersOf(pod)
    .filter((c) => isSidecar(c) || pod.spec.containers.includes(c))
    .filter((c) => !statuses[c.name]?.ready)
    .map((c) => c.name);
}

function initialized(pod: Pod, phase: string, statuses: Statuses): Answer {
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

function containersReady(pod: Pod, phase: string, statuses: Statuses): Answer {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const names = unready(pod, statuses);
  return names.length === 0
    ? yes
    : { status: "False", reason: "ContainersNotReady", message: listed("unready", names) };
}

function ready(pod: Pod, containers: Answer): Answer {
  if (containers.status === "False") return containers;
  const complaints = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = pod.status?.conditions?.find((c) => c.type === conditionType);
    if (gate === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (gate.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`];
  });
  if (complaints.length === 0) return yes;
  return { status: "False", reason: "ReadinessGatesNotReady", message: complaints.join(", ") };
}

export interface Facts {
  readonly phase: NonNullable<PodStatus["phase"]>;
  readonly statuses: Statuses;
  /** The sandbox runs and has its network. */
  readonly sandboxReady: boolean;
  readonly now: Instant;
  /** What keeps the pod from what it asks for, or from having it already. */
  readonly resize: Readonly<Partial<Record<ResizeCondition, Omit<Answer, "status">>>>;
}
/** There are these only for as long as they are true. */
const ofResizes = ["PodResizePending", "PodResizeInProgress"] as const;
type ResizeCondition = (typeof ofResizes)[number];

/** All conditions, each with the time of its last change. */
export function conditionsOf(pod: Pod, before: readonly PodCondition[], facts: Facts): readonly PodCondition[] {
  const { phase, statuses, now } = facts;
  const containers = containersReady(pod, phase, statuses);
  const answers: Readonly<Record<string, Answer>> = {
    PodReadyToStartContainers: facts.sandboxReady ? yes : { status: "False" },
    Initialized: initialized(pod, phase, statuses),
    Ready: ready(pod, containers),
    ContainersReady: containers,
    PodScheduled: yes,
    ...Object.fromEntries(Object.entries(facts.resize).map(([type, why]) => [type, { ...yes, ...why }])),
  };
  const ours = Object.entries(answers).map(([type, answer]): PodCondition => {
    const old = before.find((c) => c.type === type);
    const lastTransitionTime = old?.status === answer.status ? old.lastTransitionTime : timestamp(now);
    const observedGeneration = pod.metadata.generation;
    return { type, ...answer, lastTransitionTime, ...(observedGeneration === undefined ? {} : { observedGeneration }) };
  });
  const isOver = (type: string): boolean => answers[type] === undefined && ofResizes.some((own) => own === type);
  return [...ours, ...before.filter((c) => answers[c.type] === undefined && !isOver(c.type))];
}
