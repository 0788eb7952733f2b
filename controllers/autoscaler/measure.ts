// From what was read about one metric to a number of replicas, the metric's status, or the reason why there is none,
// worded for conditions and events. Pure.
import type {
  Pod,
  V2HorizontalPodAutoscalerBehavior,
  V2MetricSpec,
  V2MetricStatus,
  V2MetricTarget,
  V2MetricValueStatus,
} from "../../api/generated/types.ts";
import type { LabelSelectorLike } from "../../api/selector.ts";
import { formatQuantity, milliOf } from "../../api/quantity.ts";
import type { Instant } from "../../api/meta.ts";
import type { PodUsage, UsageByPod } from "./pod-groups.ts";
import { byAverage, byTotal, byTotalPerPod, byUtilization, type Failure, type Proposal } from "./replicas.ts";

/** What the metrics APIs have of one metric: an amount per pod, or one altogether, in thousandths. */
export type Reading =
  | ({ readonly byPod: UsageByPod } & Pick<PodUsage, "sampledSince">)
  | { readonly total: number }
  | Failure;

/** A scale, and its pods. */
export interface Scaled {
  readonly now: Instant;
  readonly current: number;
  /** The size in the status of the scale. */
  readonly observed: number;
  readonly pods: readonly Pod[];
  readonly behavior: V2HorizontalPodAutoscalerBehavior | undefined;
}
export interface Measured {
  readonly spec: V2MetricSpec;
  readonly result: Proposal | Failure;
}

const map = (entries: readonly string[]): string => `map[string]string{${entries.map((e) => `${e},`).join("")}}`;
/** A selector as Go prints it, which events and conditions contain. */
export function selectorAsGo(selector: LabelSelectorLike | undefined): string {
  if (selector === undefined) return "nil";
  const labels = Object.entries(selector.matchLabels ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}: ${value}`);
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  return `&LabelSelector{MatchLabels:${map(labels)},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`;
}

/** The name of a metric in reasons and conditions. */
export function metricName({ resource, containerResource, pods, object, external, type }: V2MetricSpec): string {
  const usage = resource ?? containerResource;
  if (usage) {
    if (usage.target.averageValue !== undefined) return `${usage.name} resource`;
    return `${usage.name} ${containerResource ? "container " : ""}resource utilization (percentage of request)`;
  }
  if (pods) return `pods metric ${pods.metric.name}`;
  // Kubernetes names the average of an object's metric as an external one.
  if (object && object.target.averageValue === undefined)
    return `${object.describedObject.kind} metric ${object.metric.name}`;
  const { metric } = object ?? external ?? {};
  return metric ? `external metric ${metric.name}(${selectorAsGo(metric.selector)})` : type;
}

/** The reason of the condition and the event of a metric that cannot be had. */
export const failedReason = ({ type }: V2MetricSpec): string => `FailedGet${type}Metric`;

/** The failure as the event about all metrics words it. */
export function failureOfAll(
  { resource, containerResource, pods, object, external }: V2MetricSpec,
  why: string,
): string {
  if (resource) return `failed to get ${resource.name} resource metric value: ${why}`;
  if (containerResource) return `failed to get ${containerResource.container} container metric value: ${why}`;
  if (pods) return `failed to get pods metric value: ${why}`;
  const { metric, target } = object ?? external!;
  const isAverage = target.averageValue !== undefined;
  if (object)
    return `failed to get object metric value: ${isAverage ? `failed to get ${metric.name} object metric: ` : ""}${why}`;
  const inner = isAverage ? `${metric.name} external metric` : `external metric ${metric.name}`;
  return `failed to get ${metric.name} external metric value: failed to get ${inner}: ${why}`;
}

export const isFailure = (value: object): value is Failure => "failure" in value;

function usageResult(
  { resource, containerResource }: V2MetricSpec,
  target: V2MetricTarget,
  { byPod: usage, sampledSince }: Extract<Reading, { readonly byPod: UsageByPod }>,
  scaled: Scaled,
): Proposal | Failure {
  const { name } = resource ?? containerResource ?? {};
  const sampled = { ...scaled, usage, ...(sampledSince && { sampledSince }) };
  const load = { ...sampled, ...(name && { resource: name, container: containerResource?.container }) };
  const { averageUtilization: percent, averageValue } = target;
  const isAmount = name === undefined || averageValue !== undefined || percent === undefined;
  const result = isAmount ? byAverage(load, milliOf(averageValue)) : byUtilization(load, percent);
  return name && isFailure(result) ? failedUsage(target, name, result.failure) : result;
}

/** The failure of a resource's metric. */
export const failedUsage = ({ averageValue }: V2MetricTarget, resource: string, why: string): Failure => ({
  failure: `failed to get ${resource} ${averageValue === undefined ? "utilization" : "usage"}: ${why}`,
});

const targetOf = ({ resource, containerResource, pods, object, external }: V2MetricSpec): V2MetricTarget | undefined =>
  (resource ?? containerResource ?? pods ?? object ?? external)?.target;

/** The replicas that follow from one metric. */
export function measure(spec: V2MetricSpec, reading: Reading, scaled: Scaled): Measured {
  const target = targetOf(spec);
  if (isFailure(reading) || target === undefined)
    return { spec, result: isFailure(reading) ? reading : { failure: `unknown metric source type "${spec.type}"` } };
  if ("byPod" in reading) return { spec, result: usageResult(spec, target, reading, scaled) };
  const { averageValue, value } = target;
  const isPerPod = averageValue !== undefined;
  const result = isPerPod
    ? byTotalPerPod(scaled, reading.total, milliOf(averageValue))
    : byTotal(scaled, reading.total, milliOf(value));
  return { spec, result };
}

const amount = (milli: number | undefined, family: "decimal" | "binary" = "decimal"): string | undefined =>
  milli === undefined ? undefined : formatQuantity({ nano: BigInt(Math.round(milli)) * 1_000_000n, family });

/** Keeps the place of a metric without a value, because clients match metrics by their order. */
const noStatus = { type: "" } as unknown as V2MetricStatus;

/** The status of a metric. */
export function metricStatus({ spec, result }: Measured): V2MetricStatus {
  if (isFailure(result)) return noStatus;
  const { resource, containerResource, pods, object, external, type } = spec;
  const name = resource?.name ?? containerResource?.name;
  const current: V2MetricValueStatus = {
    ...(result.utilization !== undefined && { averageUtilization: result.utilization }),
    ...(result.average !== undefined && {
      averageValue: amount(result.average, name === "memory" ? "binary" : "decimal"),
    }),
    ...(result.total !== undefined && { value: amount(result.total) }),
  };
  if (resource) return { type, resource: { name: resource.name, current } };
  if (containerResource)
    return {
      type,
      containerResource: { name: containerResource.name, container: containerResource.container, current },
    };
  if (pods) return { type, pods: { metric: pods.metric, current } };
  if (object) return { type, object: { metric: object.metric, describedObject: object.describedObject, current } };
  return external ? { type, external: { metric: external.metric, current } } : noStatus;
}
