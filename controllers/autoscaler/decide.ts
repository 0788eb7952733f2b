// From measurements to a size, a status and the reason for both. Pure.
import { withCondition } from "../../api/conditions.ts";
import type {
  Pod,
  V2HorizontalPodAutoscalerCondition,
  V2HorizontalPodAutoscalerStatus,
} from "../../api/generated/types.ts";
import type { HorizontalPodAutoscaler } from "../../api/autoscaling/horizontalpodautoscalers.ts";
import { timestamp, type Instant } from "../../api/meta.ts";
import {
  failedReason,
  failureOfAll,
  isFailure,
  measure,
  type Measured,
  metricName,
  metricStatus,
  type Reading,
} from "./measure.ts";
import { limit, type Limited, type Proposal, type ScalingHistory } from "./replicas.ts";

export interface Observed {
  readonly autoscaler: HorizontalPodAutoscaler;
  /** The size in the spec of the scale. */
  readonly current: number;
  /** The size in its status. */
  readonly observed: number;
  readonly pods: readonly Pod[];
  /** One for each metric of the spec, in their order. Undefined for a scale without a selector of pods. */
  readonly readings: readonly Reading[] | undefined;
  readonly history: ScalingHistory;
  readonly shrinkWindowSeconds: number;
}
/** The reason and the message of an event. */
export type Warning = readonly [reason: string, message: string];
export interface Outcome {
  /** The recommendation of the metrics alone, kept for stabilization. Undefined when nothing could be measured. */
  readonly proposal?: number;
  readonly replicas: number;
  readonly reason: string;
  readonly status: V2HorizontalPodAutoscalerStatus;
  readonly warnings: readonly Warning[];
}

type Conditions = readonly V2HorizontalPodAutoscalerCondition[];
const limits: Readonly<Record<NonNullable<Limited["limited"] | Limited["stabilized"]>, string>> = {
  TooManyReplicas: "the desired replica count is more than the maximum replica count",
  TooFewReplicas: "the desired replica count is less than the minimum replica count",
  ScaleUpLimit: "the desired replica count is increasing faster than the maximum scale rate",
  ScaleDownLimit: "the desired replica count is decreasing faster than the maximum scale rate",
  ScaleUpStabilized: "recent recommendations were lower than current one, applying the lowest recent recommendation",
  ScaleDownStabilized:
    "recent recommendations were higher than current one, applying the highest recent recommendation",
};

type NewCondition = readonly [type: string, status: "True" | "False", reason: string, message: string];
/** The conditions with these in them. */
export const withConditions = (
  before: Conditions | undefined,
  now: Instant,
  ...next: readonly NewCondition[]
): Conditions =>
  next.reduce<Conditions>(
    (all, [type, status, reason, message]) =>
      withCondition<V2HorizontalPodAutoscalerCondition>(all, { type, status, reason, message }, now),
    before ?? [],
  );

const gotScale: NewCondition = [
  ...(["AbleToScale", "True", "SucceededGetScale"] as const),
  "the HPA controller was able to get the target's current scale",
];
/** The condition of a size that was written. */
const rescaled = (replicas: number): NewCondition => [
  ...(["AbleToScale", "True", "SucceededRescale"] as const),
  `the HPA controller was able to update the target scale to ${replicas}`,
];

/** The conditions of a size that follows from metrics. */
function conditionsOf(
  { replicas, stabilized, limited }: Limited,
  current: number,
  metric: string,
): readonly NewCondition[] {
  const held: NewCondition = stabilized
    ? ["AbleToScale", "True", stabilized, limits[stabilized]]
    : ["AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"];
  return [
    replicas === current ? held : rescaled(replicas),
    [
      ...(["ScalingActive", "True", "ValidMetricFound"] as const),
      `the HPA was able to successfully calculate a replica count from ${metric}`,
    ],
    limited
      ? ["ScalingLimited", "True", limited, limits[limited]]
      : ["ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"],
  ];
}

interface StatusUpdate {
  readonly desiredReplicas: number;
  readonly conditions: readonly NewCondition[];
  /** Undefined when metrics were not read. */
  readonly measured?: readonly Measured[];
}
/** The next status. */
const statusOf = (
  { autoscaler: { status: before, metadata }, current }: Observed,
  now: Instant,
  { desiredReplicas, conditions, measured }: StatusUpdate,
): V2HorizontalPodAutoscalerStatus => ({
  ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
  ...(before?.lastScaleTime !== undefined && { lastScaleTime: before.lastScaleTime }),
  currentReplicas: current,
  desiredReplicas,
  ...(measured && { currentMetrics: measured.map(metricStatus) }),
  conditions: withConditions(before?.conditions, now, ...conditions),
});

/** A target that is switched off stays so. */
function disabled(observed: Observed, now: Instant): Outcome {
  const reason = "scaling is disabled since the replica count of the target is zero";
  const conditions = [gotScale, ["ScalingActive", "False", "ScalingDisabled", reason]] as const;
  return {
    replicas: 0,
    reason,
    status: statusOf(observed, now, { desiredReplicas: 0, conditions }),
    warnings: [],
  };
}

/** A target out of its range is brought back whatever its metrics are. */
function broughtBack(observed: Observed, replicas: number, now: Instant): Outcome {
  const bound = replicas > observed.current ? "below Spec.MinReplicas" : "above Spec.MaxReplicas";
  const status = statusOf(observed, now, { desiredReplicas: replicas, conditions: [rescaled(replicas)] });
  const reason = `Current number of replicas ${bound}`;
  return { replicas, reason, status: { ...status, lastScaleTime: timestamp(now) }, warnings: [] };
}

/** A scale whose size cannot be computed stays as it is. */
function unchanged(
  observed: Observed,
  now: Instant,
  active: Warning,
  more: { readonly warnings: readonly Warning[]; readonly measured?: readonly Measured[] },
): Outcome {
  const { autoscaler: h, current } = observed;
  const { measured, warnings } = more;
  const update = {
    desiredReplicas: h.status?.desiredReplicas ?? 0,
    conditions: [gotScale, ["ScalingActive", "False", ...active]] as const,
    ...(measured && { measured }),
  };
  return { replicas: current, reason: active[1], status: statusOf(observed, now, update), warnings };
}

/** The outcome for a scale without pods to measure, for want of a selector. */
function withoutSelector(observed: Observed, now: Instant): Outcome {
  const message = "selector is required";
  const warnings: readonly Warning[] = [
    ["SelectorRequired", message],
    ["FailedComputeMetricsReplicas", message],
  ];
  return unchanged(observed, now, ["InvalidSelector", "the HPA target's scale is missing a selector"], { warnings });
}

interface Computed {
  readonly spec: Measured["spec"];
  readonly result: Proposal;
}
const isComputed = (m: Measured): m is Computed => !isFailure(m.result);

/** What to report of metrics that have no number: an event for each, and the condition of the first. */
function failuresOf(measured: readonly Measured[]) {
  const failed = measured.flatMap(({ spec, result }) => (isFailure(result) ? [{ spec, why: result.failure }] : []));
  const [first] = failed;
  if (!first) return undefined;
  const count = `${failed.length} invalid out of ${measured.length}`;
  return {
    warnings: failed.map(({ spec, why }): Warning => [failedReason(spec), why]),
    condition: [
      failedReason(first.spec),
      `the HPA was unable to compute the replica count: ${first.why}`,
    ] satisfies Warning,
    all: `invalid metrics (${count}), first error is: ${failureOfAll(first.spec, first.why)}`,
  };
}

export function decide(observed: Observed, now: Instant): Outcome {
  const { autoscaler: h, current, pods, readings, history, shrinkWindowSeconds } = observed;
  const range = { min: h.spec.minReplicas ?? 1, max: h.spec.maxReplicas };
  const { behavior } = h.spec;
  if (current === 0) return disabled(observed, now);
  if (current > range.max || current < range.min)
    return broughtBack(observed, Math.min(range.max, Math.max(range.min, current)), now);
  if (!readings) return withoutSelector(observed, now);
  const scaled = { now, current, observed: observed.observed, pods, behavior };
  const measured = (h.spec.metrics ?? []).map((spec, i) => measure(spec, readings[i]!, scaled));
  const [most] = measured.filter(isComputed).toSorted((a, b) => b.result.replicas - a.result.replicas);
  const failures = failuresOf(measured);
  // While a metric is missing the others may raise the scale but not lower it: the missing one might require more.
  if (most === undefined || (failures && most.result.replicas < current)) {
    const { warnings = [], condition, all = "" } = failures ?? {};
    const active: Warning = condition ?? ["FailedGetResourceMetric", "no metrics are specified"];
    return unchanged(observed, now, active, {
      warnings: [...warnings, ["FailedComputeMetricsReplicas", all]],
      measured,
    });
  }
  const proposal = most.result.replicas;
  const limited = limit({ current, proposal, range, behavior, shrinkWindowSeconds }, history, now);
  const { replicas } = limited;
  const name = metricName(most.spec);
  const update = { desiredReplicas: replicas, measured, conditions: conditionsOf(limited, current, name) };
  return {
    proposal,
    replicas,
    reason: replicas > current ? `${name} above target` : "All metrics below target",
    status: {
      ...statusOf(observed, now, update),
      ...(replicas === current ? {} : { lastScaleTime: timestamp(now) }),
    },
    warnings: failures?.warnings ?? [],
  };
}
