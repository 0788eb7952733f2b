// Why an autoscaler does not scale, a disruption budget allows no disruption, and a quota refuses objects.
import { horizontalPodAutoscalers } from "../../../api/autoscaling/horizontalpodautoscalers.ts";
import { conditionOf } from "../../../api/core/pod/status.ts";
import { resourceQuotas } from "../../../api/core/resourcequotas.ts";
import { podDisruptionBudgets } from "../../../api/policy/poddisruptionbudgets.ts";
import type { Cause } from "../../../api/explanation/explanation.ts";
import type {
  PodDisruptionBudget,
  ResourceQuota,
  V2HorizontalPodAutoscaler as HorizontalPodAutoscaler,
} from "../../../api/generated/types.ts";
import { unitsOf } from "../../../api/quantity.ts";
import { asDesired, command, failing, type Finding, progressing, referenceTo, waiting } from "../finding.ts";
import { causeRule } from "../rule.ts";

const nextOfScaling: Readonly<Record<string, string>> = {
  FailedGetResourceMetric:
    "give the containers of the target requests for the resource; metrics come half a minute after the start of a pod",
  FailedGetScale: "correct spec.scaleTargetRef",
  ScalingDisabled: "scale the target to at least one",
  InvalidSelector: "correct the selector of the target",
};
const hasCondition = ({ status }: HorizontalPodAutoscaler, type: string, is: string): boolean =>
  conditionOf(status?.conditions, type)?.status === is;
const isScaling = (h: HorizontalPodAutoscaler): boolean =>
  hasCondition(h, "AbleToScale", "True") && hasCondition(h, "ScalingActive", "True");

export function decideAutoscaler(autoscaler: HorizontalPodAutoscaler): Finding {
  const { status, spec } = autoscaler;
  const failed = ["AbleToScale", "ScalingActive"].flatMap((type): readonly Cause[] => {
    const condition = conditionOf(status?.conditions, type);
    if (condition?.status !== "False") return [];
    const { reason = type, message = "" } = condition;
    const next =
      nextOfScaling[reason] ??
      (/Metric/.test(reason) ? "check that something serves the metric that spec.metrics names" : undefined);
    return [{ reason, message, ...(next !== undefined && { next }) }];
  });
  if (failed.length > 0) return failing("does not scale", ...failed);
  const current = `${status?.currentReplicas ?? 0} replicas`;
  if (!isScaling(autoscaler)) return progressing("has not measured its target yet");
  const limited = conditionOf(status?.conditions, "ScalingLimited");
  if (limited?.status === "True" && limited.reason === "TooManyReplicas")
    return waiting(`would have more than ${spec?.maxReplicas} replicas`, {
      reason: "TooManyReplicas",
      message: limited.message ?? "",
      next: "raise spec.maxReplicas, if the cluster has room",
    });
  return asDesired(`keeps its target at ${current}`);
}
export const autoscalerRule = causeRule({
  kind: horizontalPodAutoscalers,
  observe: async () => undefined,
  decide: decideAutoscaler,
  isAsDesired: isScaling,
});

/** Why a budget allows no eviction. */
export function budgetCause(budget: PodDisruptionBudget): Cause {
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = budget.status ?? {};
  const { name, namespace } = budget.metadata;
  const isExact = currentHealthy >= desiredHealthy;
  return {
    reason: "DisruptionsNotAllowed",
    message: `the PodDisruptionBudget "${name}" needs ${desiredHealthy} of ${expectedPods} pods healthy, and ${currentHealthy} are, so none may be evicted`,
    object: referenceTo(budget),
    next: isExact
      ? `add replicas, or let the budget allow a disruption: ${command(`edit pdb ${name}`, namespace)}`
      : `find why its pods are not ready: ${command("why", namespace)}`,
  };
}
const allowsDisruption = ({ status }: PodDisruptionBudget): boolean =>
  (status?.disruptionsAllowed ?? 0) > 0 || (status?.expectedPods ?? 0) === 0;
export const budgetRule = causeRule({
  kind: podDisruptionBudgets,
  observe: async () => undefined,
  decide: (budget: PodDisruptionBudget): Finding =>
    allowsDisruption(budget)
      ? asDesired(`allows ${budget.status?.disruptionsAllowed ?? 0} disruptions`)
      : waiting("allows no disruption", budgetCause(budget)),
  isAsDesired: allowsDisruption,
});

const fullOf = ({ status }: ResourceQuota): readonly string[] =>
  Object.entries(status?.hard ?? {})
    .filter(([name, hard]) => unitsOf(status?.used?.[name]) >= unitsOf(hard))
    .map(([name, hard]) => `${name} ${status?.used?.[name] ?? "0"} of ${hard}`);
export const quotaRule = causeRule({
  kind: resourceQuotas,
  observe: async () => undefined,
  decide(quota: ResourceQuota): Finding {
    const full = fullOf(quota);
    if (full.length === 0) return asDesired("has room");
    const { name, namespace } = quota.metadata;
    return waiting("is used up", {
      reason: "QuotaExhausted",
      message: `used up: ${full.join(", ")}`,
      next: `raise it, or delete what it counts: ${command(`describe quota ${name}`, namespace)}`,
    });
  },
  isAsDesired: (quota: ResourceQuota) => fullOf(quota).length === 0,
});
