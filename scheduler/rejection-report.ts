// Reports that no node takes a pod: an event, and the condition PodScheduled.
import { hasReason } from "../api/errors.ts";
import { pods } from "../api/core/pods.ts";
import { conditionOf } from "../api/core/pod/status.ts";
import type { Pod, PodCondition } from "../api/generated/types.ts";
import { keyOf, timestamp, type Instant, type Key } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import type { World } from "../machinery/world.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { Profiles } from "./profiles.ts";

function unschedulableConditions(pod: Pod, message: string, now: Instant): readonly PodCondition[] {
  const before = conditionOf(pod.status?.conditions, "PodScheduled");
  const since = before?.status === "False" ? before.lastTransitionTime : undefined;
  const condition: PodCondition = {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message,
    lastTransitionTime: since ?? timestamp(now),
  };
  return [...(pod.status?.conditions ?? []).filter((c) => c.type !== "PodScheduled"), condition];
}

/** Nothing is written when the condition already says so. */
export type Report = (pod: Pod, diagnosis: Pick<Diagnosis, "message" | "nominatedNodeName">) => Promise<void>;

/** `retry` is called when the condition could not be written: the pod has to be decided again. */
export function rejectionReport(
  client: Client,
  world: World,
  profileOf: Profiles,
  retry: (key: Key) => void,
  signal: AbortSignal,
): Report {
  return async (pod, { message, nominatedNodeName }) => {
    if (conditionOf(pod.status?.conditions, "PodScheduled")?.message === message) return;
    profileOf(pod)?.events.record(pod, "Warning", "FailedScheduling", message);
    const conditions = unschedulableConditions(pod, message, world.clock.now());
    const status = { ...pod.status, conditions, ...(nominatedNodeName !== undefined && { nominatedNodeName }) };
    await client.update(pods, { ...pod, status }, "status").catch((e: unknown) => {
      if (signal.aborted || hasReason(e, "NotFound")) return;
      if (!hasReason(e, "Conflict")) world.log("status not written", { pod: keyOf(pod), error: (e as Error).message });
      retry(keyOf(pod));
    });
  };
}
