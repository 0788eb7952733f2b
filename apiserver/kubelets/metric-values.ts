// From scraped series to the values of the custom and the external metrics API. Pure.
import type { Pod } from "../../api/core/pods.ts";
import type { Service } from "../../api/generated/types.ts";
import type { MetricQuery, MetricSeries, MetricValue, ScrapedPod } from "../../api/metrics/values.ts";
import { formatQuantity } from "../../api/quantity.ts";
import { matches, type Requirement, selects } from "../../api/selector.ts";

/** A pod with what its kubelet scraped from it. */
export interface PodWithSeries {
  readonly pod: Pod;
  readonly scraped: ScrapedPod;
}

/** Marks a Service whose pods report about something else than themselves: their series are external metrics. */
const externalAnnotation = "metrics.orrery.dev/external";

const mostMilli = 2n ** 63n - 1n;
/** In thousandths, within what 64 bits hold. */
function quantityOf(value: number): string {
  const milli = BigInt(Math.round(value * 1000));
  const bounded = milli > mostMilli ? mostMilli : milli < -mostMilli ? -mostMilli : milli;
  return formatQuantity({ nano: bounded * 1_000_000n, family: "decimal" });
}

/** The sum of one metric over the series of some pods; undefined when no series meets the requirements. */
export function sumOf(
  pods: readonly PodWithSeries[],
  metric: string,
  requirements: readonly Requirement[],
): MetricValue | undefined {
  const found = pods.flatMap(({ scraped: { series, timestamp } }) =>
    series.filter((s) => s.name === metric && matches(requirements, s.labels)).map((s) => ({ ...s, timestamp })),
  );
  if (found.length === 0) return undefined;
  const windows = found.flatMap((s) => s.windowSeconds ?? []);
  return {
    timestamp: found.map((s) => s.timestamp).toSorted()[0]!,
    ...(windows.length > 0 && { windowSeconds: Math.max(...windows) }),
    value: quantityOf(found.reduce((sum, s) => sum + s.value, 0)),
  };
}

/** A series of an external metric, and when it was scraped. */
interface ExternalSeries extends MetricSeries {
  readonly namespace: string | undefined;
  readonly timestamp: string;
}

/** The series of the pods of external Services, labelled with the pod and the Service unless they have these labels. */
export const externalSeries = (
  pods: readonly PodWithSeries[],
  services: readonly Service[],
): readonly ExternalSeries[] =>
  services
    .filter(({ metadata, spec }) => metadata.annotations?.[externalAnnotation] === "true" && spec.selector)
    .flatMap(({ metadata: { name: service, namespace }, spec: { selector: matchLabels = {} } }) =>
      pods
        .filter(
          ({ pod: { metadata } }) => metadata.namespace === namespace && selects({ matchLabels }, metadata.labels),
        )
        .flatMap(({ pod, scraped: { series, timestamp } }) =>
          series.map((s) => ({ ...s, namespace, timestamp, labels: { pod: pod.metadata.name, service, ...s.labels } })),
        ),
    );

/** One value for each series of an external metric that meets the requirements. */
export const externalValues = (
  series: readonly ExternalSeries[],
  { namespace, metric }: MetricQuery,
  requirements: readonly Requirement[],
): readonly MetricValue[] =>
  series
    .filter((s) => s.namespace === namespace && s.name === metric && matches(requirements, s.labels))
    .map(({ labels, timestamp, windowSeconds, value }) => ({
      ...{ labels, timestamp, value: quantityOf(value) },
      ...(windowSeconds !== undefined && { windowSeconds }),
    }));
