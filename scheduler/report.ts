// Reports of decisions: the condition and the event of a pod that was rejected, and the reasons of any decision.
import { withCondition } from "../api/conditions.ts";
import { conditionOf } from "../api/core/pod/status.ts";
import { pods } from "../api/core/pods.ts";
import { hasReason } from "../api/errors.ts";
import type { Pod, PodCondition } from "../api/generated/types.ts";
import { keyOf, type Key } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import type { DecisionRecord } from "../api/explanation/decisions.ts";
import type { World } from "../machinery/world.ts";
import type { AttemptSpan } from "./attempt-span.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { Placement } from "./place.ts";
import type { Profiles } from "./profiles.ts";
import type { NodeScore } from "./rank.ts";

export interface Rejected extends Pick<Diagnosis, "message" | "nominatedNodeName"> {
  /** `Unschedulable` unless an error kept the pod from being bound. */
  readonly reason?: "SchedulerError";
}
/** Nothing is written when the condition is unchanged. */
export type Report = (pod: Pod, rejected: Rejected, span?: AttemptSpan) => Promise<void>;

/** `retry` is called when the condition could not be written: the pod has to be decided again. */
export function rejectionReport(
  client: Client,
  world: World,
  profileOf: Profiles,
  retry: (key: Key) => void,
  signal: AbortSignal,
): Report {
  return async (pod, { message, nominatedNodeName, reason = "Unschedulable" }, span) => {
    const isReported = conditionOf(pod.status?.conditions, "PodScheduled")?.message === message;
    const isNominated =
      (nominatedNodeName ?? pod.status?.nominatedNodeName ?? "") === (pod.status?.nominatedNodeName ?? "");
    if (isReported && isNominated) return;
    profileOf(pod)?.events.record(pod, "Warning", "FailedScheduling", message);
    const unschedulable = { type: "PodScheduled", status: "False", reason, message } as const;
    const conditions = withCondition<PodCondition>(pod.status?.conditions, unschedulable, world.clock.now());
    const { nominatedNodeName: before, ...kept } = pod.status ?? {};
    const nominated = nominatedNodeName ?? before;
    const status = { ...kept, conditions, ...(nominated && { nominatedNodeName: nominated }) };
    const writer = span?.writing("report rejection", client) ?? client;
    await writer.update(pods, { ...pod, status }, "status").catch((e: unknown) => {
      if (signal.aborted || hasReason(e, "NotFound")) return;
      if (!hasReason(e, "Conflict")) world.log("status not written", { pod: keyOf(pod), error: (e as Error).message });
      retry(keyOf(pod));
    });
  };
}

/** So many nodes are named when none will do; the message counts the others. */
const namedNodes = 10;

const scoreText = ({ nodeName, total, byPlugin }: NodeScore): string =>
  `${nodeName} scored ${total}: ${Object.entries(byPlugin)
    .map(([plugin, score]) => `${plugin} ${score}`)
    .join(", ")}`;

/** The reasons and the action of a decision. */
export function explained(placement: Placement): Pick<DecisionRecord, "because" | "actions"> {
  if (placement.outcome === "unschedulable") {
    const { message, rejections, nominatedNodeName, victims } = placement.diagnosis;
    const named = rejections
      .nodes(namedNodes)
      .map(({ nodeName, plugin, status }) => `${nodeName} rejected by ${plugin}: ${status.reasons.join(", ")}`);
    const evicted = victims.map(({ key }) => key).join(", ");
    return { because: [message, ...named], actions: evicted ? [`preempt ${evicted} on ${nominatedNodeName}`] : [] };
  }
  const { nodeName } = placement;
  const scores = placement.scores();
  return {
    because: scores.length > 0 ? scores.map(scoreText) : [`${nodeName} is the only node that passed`],
    actions: [`bind to ${nodeName}`],
  };
}
