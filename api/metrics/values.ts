// Values of metrics that programs expose: custom metrics describe objects, external ones anything else. Each metric is
// a resource of its own, served while there is data. Source: k8s.io/metrics, custom_metrics and external_metrics.
import { define } from "../kinds.ts";
import type { ApiObject } from "../meta.ts";
import type { Labels } from "../selector.ts";

/** Which values of a metric. Selectors in the query string's spelling. */
export interface MetricQuery {
  readonly namespace: string;
  readonly metric: string;
  /** Restricts the series by their labels. */
  readonly metricSelector?: string;
  /** What a custom metric describes; a metric that describes nothing is external. */
  readonly described?: DescribedObjects;
}
/** Objects of one resource, such as `pods` or `deployments.apps`, in the namespace of a query. */
export interface DescribedObjects {
  /** `namespaces` describes the namespace of the query. */
  readonly resource: string;
  /** One object; without it all that `labelSelector` selects. */
  readonly name?: string;
  readonly labelSelector?: string;
}

/** An object that a value describes. */
export interface DescribedObject {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly apiVersion: string;
}
export interface MetricValue {
  /** Of a custom metric. */
  readonly describedObject?: DescribedObject;
  /** Of an external metric: the labels of its series. */
  readonly labels?: Labels;
  readonly timestamp: string;
  /** Of a rate: the seconds it was computed over. */
  readonly windowSeconds?: number;
  /** A quantity. */
  readonly value: string;
}

/** Stands for every metric of a group version in the table of kinds; discovery lists the metrics instead. */
const metrics = (group: string, version: string, kind: string) =>
  define<ApiObject>({
    ...{ group, version, kind },
    plural: "*",
    singular: "",
    scope: "Namespaced",
    virtual: "metric",
    published: `io.k8s.metrics.pkg.apis.${group.split(".")[0]}_metrics.${version}.${kind}`,
    schema: { type: "object" },
  });

export const customMetrics = metrics("custom.metrics.k8s.io", "v1beta2", "MetricValueList");
export const customMetricsV1beta1 = metrics("custom.metrics.k8s.io", "v1beta1", "MetricValueList");
export const externalMetrics = metrics("external.metrics.k8s.io", "v1beta1", "ExternalMetricValueList");

/** One series of a pod: a gauge, or the rate of a counter per second. */
export interface MetricSeries {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
  readonly windowSeconds?: number;
}
/** What a kubelet scraped from a pod, an item of its `/metrics/pods`. */
export interface ScrapedPod {
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly timestamp: string;
  readonly series: readonly MetricSeries[];
  /** Why the last scrape failed; such a pod has no series. */
  readonly error?: string;
}

/** The text that a pod exposed, an item of the kubelet's `/metrics/pods/text`. */
export interface ScrapedText {
  readonly pod: ScrapedPod["pod"];
  /** Where it was scraped: `address:port`. */
  readonly instance: string;
  /** How long ago it was scraped, and how long that took. */
  readonly ageMs: number;
  readonly tookMs: number;
  /** Absent when the last scrape failed. */
  readonly text?: string;
}
