// Which pods of a node stop its removal, and which move elsewhere. Source: the cluster autoscaler's FAQ, "What types of
// pods can prevent CA from removing a node?".
import { isTerminal } from "../../api/core/pod/status.ts";
import { belongsToNode, budgetsOf, isLocalVolume } from "../../api/core/pod/evictions.ts";
import type { Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import { controllerOf, keyOf } from "../../api/meta.ts";

/** "stays": it goes with its node, and nothing replaces it elsewhere. */
export type Mobility = "moves" | "stays" | { readonly blockedBy: string };

const annotation = (pod: Pod, name: string): string | undefined =>
  pod.metadata.annotations?.[`cluster-autoscaler.kubernetes.io/${name}`];

function hasLocalStorage(pod: Pod): boolean {
  const safe = annotation(pod, "safe-to-evict-local-volumes")?.split(",") ?? [];
  return (pod.spec.volumes ?? []).some((volume) => isLocalVolume(volume) && !safe.includes(volume.name));
}

/** Why a pod must not be evicted, in Kubernetes' words. */
function blockOf(pod: Pod, budgets: readonly PodDisruptionBudget[]): string | undefined {
  const { namespace, name } = pod.metadata;
  const own = budgetsOf(pod, budgets);
  if (annotation(pod, "safe-to-evict") !== "true") {
    if (controllerOf(pod) === undefined) return `${keyOf(pod)} is not replicated`;
    if (namespace === "kube-system" && own.length === 0)
      return `non-daemonset, non-mirrored, non-pdb-assigned kube-system pod present: ${name}`;
    if (hasLocalStorage(pod)) return `pod with local storage present: ${name}`;
    if (annotation(pod, "safe-to-evict") === "false") return `pod annotated as not safe to evict present: ${name}`;
  }
  return own.some(({ status }) => (status?.disruptionsAllowed ?? 0) < 1)
    ? `not enough pod disruption budget to move ${keyOf(pod)}`
    : undefined;
}

/** What becomes of a pod when its node is removed. A pod that is being deleted is replaced without an eviction. */
export function mobilityOf(pod: Pod, budgets: readonly PodDisruptionBudget[]): Mobility {
  if (belongsToNode(pod) || isTerminal(pod) || pod.metadata.deletionTimestamp !== undefined) return "stays";
  const blockedBy = blockOf(pod, budgets);
  return blockedBy === undefined ? "moves" : { blockedBy };
}

/** Whether a node has to wait for the end of a pod. */
export const isAwaited = (pod: Pod): boolean => !belongsToNode(pod) && !isTerminal(pod);
