// Which pods may be evicted at all, and why the others may not. Source: the descheduler's user guide, "Pod Evictions".
import { belongsToNode, budgetsOf, isLocalVolume } from "../../api/core/pod/evictions.ts";
import { isActive } from "../../api/core/pod/status.ts";
import type { Pod, PodDisruptionBudget, Volume } from "../../api/generated/types.ts";
import { controllerOf } from "../../api/meta.ts";
import type { Settings } from "./ports.ts";

/** With this annotation a pod may be evicted in spite of what it is; its budget still counts. */
const evict = "descheduler.alpha.kubernetes.io/evict";
/** A pod with this annotation is not evicted. */
const preferNoEviction = "descheduler.alpha.kubernetes.io/prefer-no-eviction";

/** The priority of system-cluster-critical; no other class can have as much. */
const criticalPriority = 2_000_000_000;

/** Whether a pod is there for its own sake: it would have to go elsewhere if its node were freed. */
export const needsNode = (pod: Pod): boolean => isActive(pod) && !belongsToNode(pod);

/** Claims of a pod's own are deleted with it. */
const isLost = (volume: Volume): boolean => isLocalVolume(volume) || volume.ephemeral !== undefined;

function obstacleOf(pod: Pod, { evictsLocalStorage }: Settings): string | undefined {
  const { annotations = {} } = pod.metadata;
  if (belongsToNode(pod)) return "it belongs to its node";
  if (annotations[evict] === "true") return undefined;
  if (annotations[preferNoEviction] !== undefined) return `it has the annotation ${preferNoEviction}`;
  if (controllerOf(pod) === undefined) return "it has no controller that would replace it";
  if ((pod.spec.priority ?? 0) >= criticalPriority) return "it is critical to the system";
  if ((pod.spec.restartPolicy ?? "Always") !== "Always") return "it runs to completion and would begin anew";
  if (pod.spec.schedulingGroup !== undefined) return "it is scheduled together with its group";
  if (!evictsLocalStorage && pod.spec.volumes?.some(isLost)) return "it has local storage, which would be lost";
  return undefined;
}

/** Why the budgets of a pod would refuse its eviction. What enforces them is the eviction API. */
function refusalOf(budgets: readonly PodDisruptionBudget[]): string | undefined {
  const [budget] = budgets;
  if (budget === undefined) return undefined;
  if (budgets.length > 1) return "it has more than one disruption budget";
  return (budget.status?.disruptionsAllowed ?? 0) < 1
    ? `its budget ${budget.metadata.name} allows no disruption`
    : undefined;
}

/** Why a pod must not be evicted; undefined when it may. */
export function evictionObstacle(
  pod: Pod,
  budgets: readonly PodDisruptionBudget[],
  settings: Settings,
): string | undefined {
  if (settings.namespace !== undefined && pod.metadata.namespace !== settings.namespace)
    return `it is not in namespace ${settings.namespace}`;
  return obstacleOf(pod, settings) ?? refusalOf(budgetsOf(pod, budgets));
}
