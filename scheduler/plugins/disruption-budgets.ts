// Which pods may not be evicted without violating a disruption budget. Source: the API reference of
// PodDisruptionBudgetStatus.
import type { PodDisruptionBudget } from "../../api/generated/types.ts";
import { matches, requirementsOf } from "../../api/selector.ts";
import type { PodInfo } from "../node-info.ts";

/** Whether a budget counts this pod, and has not counted its disruption already. */
function isCounted({ metadata, spec, status }: PodDisruptionBudget, { pod }: PodInfo): boolean {
  const { name, namespace, labels = {} } = pod.metadata;
  if (namespace !== metadata.namespace || Object.keys(labels).length === 0) return false;
  const requirements = spec.selector ? requirementsOf(spec.selector) : [];
  return requirements.length > 0 && matches(requirements, labels) && status?.disruptedPods?.[name] === undefined;
}

/** Of pods that are evicted in this order, those for which a budget allows no disruption any more. */
export function violating(pods: readonly PodInfo[], budgets: readonly PodDisruptionBudget[]): ReadonlySet<PodInfo> {
  if (budgets.length === 0) return new Set();
  const allowed = new Map(budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]));
  const found = new Set<PodInfo>();
  for (const pod of pods)
    for (const budget of budgets) {
      if (!isCounted(budget, pod)) continue;
      const left = allowed.get(budget)! - 1;
      allowed.set(budget, left);
      if (left < 0) found.add(pod);
    }
  return found;
}
