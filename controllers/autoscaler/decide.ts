// From measurements to a size, a status and the reason for both. Pure.
import { withCondition } from "../../api/conditions.ts";
import type {
  Pod,
  V2HorizontalPodAutoscalerCondition,
  V2HorizontalPodAutoscalerStatus,
  V2MetricSpec,
  V2MetricStatus,
} from "../../api/generated/types.ts";
import type { HorizontalPodAutoscaler } from "../../api/autoscaling/horizontalpodautoscalers.ts";
import type { PodMetrics } from "../../api/metrics/metrics.ts";
import { timestamp, type Instant } from "../../api/meta.ts";
import { formatQuantity, milliOf } from "../../api/quantity.ts";
import {
  limit,
  type Limited,
  type ScalingHistory,
  byAverage,
  byUtilization,
  type UsageByPod,
  type Proposal,
} from "./replicas.ts";

export interface Observed {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly current: number;
  readonly pods: readonly Pod[];
  readonly metrics: readonly PodMetrics[];
  readonly history: ScalingHistory;
  readonly shrinkWindowSeconds: number;
}
export interface Outcome {
  /** The recommendation of the metrics alone, kept for stabilization. Undefined when nothing could be measured. */
  readonly proposal?: number;
  readonly replicas: number;
  readonly reason: string;
  readonly status: V2HorizontalPodAutoscalerStatus;
}

type Conditions = readonly V2HorizontalPodAutoscalerCondition[];
const usageOf = (metrics: readonly PodMetrics[], resource: string, container: string | undefined): UsageByPod =>
  new Map(
    metrics.map((m) => [
      m.metadata.name,
      m.containers
        .filter((c) => container === undefined || c.name === container)
        .reduce((sum, c) => sum + milliOf(c.usage[resource]), 0),
    ]),
  );

interface Measured {
  readonly spec: V2MetricSpec;
  readonly proposal: Proposal | undefined;
}
function measure({ autoscaler, current, pods, metrics }: Observed, spec: V2MetricSpec): Measured {
  const source = spec.resource ?? spec.containerResource;
  if (source === undefined) return { spec, proposal: undefined };
  const usage = usageOf(metrics, source.name, spec.containerResource?.container);
  const load = { current, pods, resource: source.name, usage, behavior: autoscaler.spec.behavior };
  const { averageUtilization: percent, averageValue } = source.target;
  const proposal = percent === undefined ? byAverage(load, milliOf(averageValue)) : byUtilization(load, percent);
  return { spec, proposal };
}

const metricStatus = ({ spec: { resource, containerResource }, proposal }: Measured): readonly V2MetricStatus[] => {
  if (proposal === undefined) return [];
  const averageValue = formatQuantity({ nano: BigInt(Math.round(proposal.average)) * 1_000_000n, family: "decimal" });
  const current = { averageValue, averageUtilization: proposal.utilization };
  if (resource) return [{ type: "Resource", resource: { name: resource.name, current } }];
  if (!containerResource) return [];
  const { name, container } = containerResource;
  return [{ type: "ContainerResource", containerResource: { name, container, current } }];
};

const noCustomMetrics =
  "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";
/** Why a metric cannot be had. Metrics of other programs wait for API aggregation. */
function unmeasured({ pods, object, external, containerResource }: V2MetricSpec): string {
  if (pods) return `unable to get metric ${pods.metric.name}: ${noCustomMetrics}`;
  if (object) {
    const { kind, name } = object.describedObject;
    return `unable to get metric ${object.metric.name}: ${kind} on ${name}: ${noCustomMetrics}`;
  }
  if (external)
    return `unable to get external metric ${external.metric.name}: unable to fetch metrics from external metrics API: no external metrics API (external.metrics.k8s.io) registered`;
  if (containerResource)
    return `failed to get ${containerResource.name} usage: unable to get metrics for resource ${containerResource.name}: no metrics returned from resource metrics API`;
  return "no metrics returned from resource metrics API";
}

const limits: Readonly<Record<NonNullable<Limited["reason"]>, string>> = {
  TooManyReplicas: "the desired replica count is more than the maximum replica count",
  TooFewReplicas: "the desired replica count is less than the minimum replica count",
  ScaleUpLimit: "the desired replica count is increasing faster than the maximum scale rate",
  ScaleDownLimit: "the desired replica count is decreasing faster than the maximum scale rate",
  ScaleUpStabilized: "recent recommendations were lower than current one, applying the lowest recent recommendation",
  ScaleDownStabilized:
    "recent recommendations were higher than current one, applying the highest recent recommendation",
};

/** The conditions with these in them. */
export const withConditions = (
  before: Conditions | undefined,
  now: Instant,
  ...next: readonly (readonly [type: string, status: "True" | "False", reason: string, message: string])[]
): Conditions =>
  next.reduce<Conditions>(
    (all, [type, status, reason, message]) =>
      withCondition<V2HorizontalPodAutoscalerCondition>(all, { type, status, reason, message }, now),
    before ?? [],
  );

function conditionsOf(before: Conditions | undefined, { reason }: Limited, metric: string, now: Instant): Conditions {
  const [stabilized, scalingLimited] = reason?.endsWith("Stabilized") ? [reason, undefined] : [undefined, reason];
  return withConditions(
    before,
    now,
    stabilized
      ? ["AbleToScale", "True", stabilized, limits[stabilized]]
      : ["AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"],
    [
      ...(["ScalingActive", "True", "ValidMetricFound"] as const),
      `the HPA was able to successfully calculate a replica count from ${metric}`,
    ],
    scalingLimited
      ? ["ScalingLimited", "True", scalingLimited, limits[scalingLimited]]
      : ["ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"],
  );
}

const nameOf = (s: V2MetricSpec): string => {
  const source = s.resource ?? s.containerResource;
  const kind = source?.target.averageUtilization === undefined ? "" : " utilization (percentage of request)";
  return `${source?.name ?? s.type} resource${kind}`;
};

const statusOf = ({ autoscaler: h, current }: Observed, desiredReplicas: number): V2HorizontalPodAutoscalerStatus => ({
  ...h.status,
  observedGeneration: h.metadata.generation,
  currentReplicas: current,
  desiredReplicas,
});

/** Replicas of a target that is switched off, out of range, or cannot be measured. */
function withoutMetrics(observed: Observed, missing: V2MetricSpec | undefined, now: Instant): Outcome {
  const { autoscaler: h, current } = observed;
  const [reason, message] =
    current === 0
      ? ["ScalingDisabled", "scaling is disabled since the replica count of the target is zero"]
      : [
          `FailedGet${missing?.type ?? "Resource"}Metric`,
          `the HPA was unable to compute the replica count: ${unmeasured(missing ?? { type: "Resource" })}`,
        ];
  const able = "the HPA controller was able to get the target's current scale";
  const conditions = withConditions(
    h.status?.conditions,
    now,
    ["AbleToScale", "True", "SucceededGetScale", able],
    ["ScalingActive", "False", reason!, message!],
  );
  const bounded = current === 0 ? 0 : Math.min(h.spec.maxReplicas, Math.max(h.spec.minReplicas ?? 1, current));
  return {
    replicas: bounded,
    reason: `Current number of replicas ${bounded > current ? "below Spec.MinReplicas" : "above Spec.MaxReplicas"}`,
    status: { ...statusOf(observed, bounded), conditions },
  };
}

export function decide(observed: Observed, now: Instant): Outcome {
  const { autoscaler: h, current } = observed;
  const measured = (h.spec.metrics ?? []).map((spec) => measure(observed, spec));
  const known = measured.filter((m) => m.proposal !== undefined);
  const most = known.toSorted((a, b) => b.proposal!.replicas - a.proposal!.replicas)[0];
  // While a metric is missing the others may raise the scale but not lower it: the missing one might require more.
  if (current === 0 || most === undefined || (known.length < measured.length && most.proposal!.replicas < current))
    return withoutMetrics(observed, measured.find((m) => m.proposal === undefined)?.spec, now);
  const proposal = most.proposal!.replicas;
  const range = { min: h.spec.minReplicas ?? 1, max: h.spec.maxReplicas };
  const { history, shrinkWindowSeconds } = observed;
  const limited = limit({ current, proposal, range, behavior: h.spec.behavior, shrinkWindowSeconds }, history, now);
  const { replicas } = limited;
  return {
    proposal,
    replicas,
    reason: replicas > current ? `${nameOf(most.spec)} above target` : "All metrics below target",
    status: {
      ...statusOf(observed, replicas),
      currentMetrics: measured.flatMap(metricStatus),
      conditions: conditionsOf(h.status?.conditions, limited, nameOf(most.spec), now),
      ...(replicas === current ? {} : { lastScaleTime: timestamp(now) }),
    },
  };
}
