// What an eviction concerns: pods that have a node of their own, volumes whose content is lost, disruption budgets, and
// the pod that takes the place of an evicted one.
import type { Pod, PodDisruptionBudget, Volume } from "../../generated/types.ts";
import { controllerOf } from "../../meta.ts";
import { selects } from "../../selector.ts";
import { isMirrorPod } from "./mirror.ts";

/** Whether a pod has a node of its own: a daemon's, or one that the kubelet reads from a file. */
export const belongsToNode = (pod: Pod): boolean => controllerOf(pod)?.kind === "DaemonSet" || isMirrorPod(pod);

/** Whether a volume's content is lost with the node. */
export const isLocalVolume = ({ emptyDir, hostPath }: Volume): boolean =>
  hostPath !== undefined || (emptyDir !== undefined && emptyDir.medium !== "Memory");

/** Disruption budgets that select a pod. */
export const budgetsOf = ({ metadata }: Pod, budgets: readonly PodDisruptionBudget[]): readonly PodDisruptionBudget[] =>
  budgets.filter(
    ({ metadata: { namespace }, spec: { selector } }) =>
      namespace === metadata.namespace && selector !== undefined && selects(selector, metadata.labels),
  );

/** The pod as its controller would create it again: without a node. */
export const replacementOf = (pod: Pod): Pod => {
  const { nodeName: _, ...spec } = pod.spec;
  return { ...pod, spec, status: {} };
};
