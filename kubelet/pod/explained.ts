// A decision about a pod in words: what the worker does next, and what it waits for. Pure.
import type { DecisionRecord } from "../../api/explanation/decisions.ts";
import type { ContainerStatus, PodStatus } from "../../api/generated/types.ts";
import type { PodAction } from "./actions.ts";
import type { PodObservation } from "./memory.ts";

const actionText = (action: PodAction): string => {
  const container = "container" in action ? ` ${action.container}` : "";
  return action.do === "stop" ? `stop${container}: ${action.why}` : `${action.do}${container}`;
};
/** Keys of actions that are under way, without the ids of engines. */
const plainKey = (key: string): string => key.replaceAll(/ [0-9a-f]{12,}/g, "").replaceAll(/ \d+$/g, "");

const containerText = ({ name, state, ready }: ContainerStatus): readonly string[] => {
  const { waiting, running } = state ?? {};
  if (waiting) return [`container ${name} waits: ${waiting.message ?? waiting.reason ?? "to be created"}`];
  return running && !ready ? [`container ${name} runs and is not ready`] : [];
};

/** What is recorded of an observation, the actions that were begun, and the status that is reported. */
export function explained(
  o: PodObservation,
  begun: readonly PodAction[],
  status: PodStatus | undefined,
): Pick<DecisionRecord, "because" | "actions"> {
  const { deletionTimestamp } = o.pod?.metadata ?? {};
  const busy = [...o.underWay].map(plainKey);
  return {
    because: [
      ...(o.gone ? ["the pod is gone from the API"] : deletionTimestamp ? ["the pod was deleted"] : []),
      ...(o.rejection ? [`rejected: ${o.rejection.message}`] : []),
      ...(o.eviction ? [`evicted: ${o.eviction.message}`] : []),
      ...(o.volumes.is === "failed" ? [`its volumes failed ${o.volumes.failures} times`] : []),
      ...(o.unmountFailure ? [`unmounting its volumes failed ${o.unmountFailure.failures} times`] : []),
      ...(o.sandboxFailure ? [`its sandbox failed ${o.sandboxFailure.failures} times`] : []),
      ...(status?.containerStatuses ?? []).flatMap(containerText),
      ...(status?.initContainerStatuses ?? []).flatMap((s) => (s.state?.terminated ? [] : containerText(s))),
      ...(busy.length > 0 ? [`under way: ${busy.join(", ")}`] : []),
    ],
    actions: begun.map(actionText),
  };
}
