// The custom and the external metrics API: GET of the values of one metric, in the versions of both.
import { parseLabelSelector } from "../../api/label-selector.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import {
  customMetrics,
  customMetricsV1beta1,
  externalMetrics,
  type MetricQuery,
  type MetricValue,
} from "../../api/metrics/values.ts";
import type { Clock } from "../../machinery/world.ts";
import type { ProgramMetrics } from "../kubelets/program-metrics.ts";
import { methodNotServed, nowhere } from "../registry/refusals.ts";
import type { ResourcePath } from "../request/path.ts";
import { type ApiRequest, type Extension, reply } from "../request/request-response.ts";

/** A selector as an object: equalities are labels, other requirements expressions. */
function selectorObject(text: string): object | null {
  const parsed = parseLabelSelector(text);
  if (text === "" || "wrong" in parsed) return null;
  const [equal, others] = [true, false].map((isEqual) =>
    parsed.requirements.filter((r) => (r.operator === "In" && r.values.length === 1) === isEqual),
  );
  return {
    ...(equal!.length > 0 && { matchLabels: Object.fromEntries(equal!.map((r) => [r.key, r.values[0]])) }),
    ...(others!.length > 0 && { matchExpressions: others }),
  };
}

type Encode = (query: MetricQuery, value: MetricValue) => object;
/** An item of a list, by the version that is served. */
const encoders: ReadonlyMap<ResourceDefinition, Encode> = new Map<ResourceDefinition, Encode>([
  [
    customMetrics,
    ({ metric: name, metricSelector = "" }, { describedObject, timestamp, windowSeconds, value }) => ({
      describedObject,
      metric: { name, selector: selectorObject(metricSelector) },
      ...{ timestamp, windowSeconds, value },
    }),
  ],
  [
    customMetricsV1beta1,
    ({ metric: metricName, metricSelector = "" }, { describedObject, timestamp, windowSeconds: window, value }) => ({
      ...{ describedObject, metricName, timestamp, window, value },
      selector: selectorObject(metricSelector),
    }),
  ],
  [
    externalMetrics,
    ({ metric: metricName }, { labels: metricLabels, timestamp, windowSeconds: window, value }) => ({
      ...{ metricName, metricLabels, timestamp, window, value },
    }),
  ],
]);

/** The query of a path; undefined when the path is none of a metric. */
function queryOf({ group, plural, namespace, name, subresource }: ResourcePath, query: URLSearchParams) {
  const labelSelector = query.get("labelSelector") ?? "";
  if (group === externalMetrics.group) {
    if (namespace === undefined || name !== undefined) return undefined;
    return { namespace, metric: plural, metricSelector: labelSelector };
  }
  const metricSelector = query.get("metricLabelSelector") ?? "";
  if (plural === "metrics" && namespace !== undefined && name !== undefined && subresource === undefined)
    return { namespace, metric: name, metricSelector, described: { resource: "namespaces" } };
  if (name === undefined || subresource === undefined) return undefined;
  const described = { resource: plural, labelSelector, ...(name !== "*" && { name }) };
  return { namespace: namespace ?? "", metric: subresource, metricSelector, described };
}

const groups: readonly string[] = [customMetrics.group, externalMetrics.group];
/** Whether a path is the discovery of one of the APIs. */
const isDiscovery = (path: string): boolean => groups.some((group) => path.startsWith(`/apis/${group}`));

/** How seldom the names of metrics are read for discovery of all groups, which does not wait for them. */
const refreshMs = 30_000;

/** Serves the values, and keeps the names of metrics current for discovery. */
export function metricApis(metrics: ProgramMetrics, clock: Clock): Extension {
  let refreshedAt = Number.NEGATIVE_INFINITY;
  return async ({ method, path, place, query }: ApiRequest) => {
    if (/^\/apis\/?$/.test(path) && clock.now() - refreshedAt > refreshMs) {
      refreshedAt = clock.now();
      void metrics.refresh().catch(() => {});
    }
    if (place === undefined || !groups.includes(place.group)) {
      if (isDiscovery(path)) await metrics.refresh();
      return undefined;
    }
    const [served, encode] = [...encoders].find(([r]) => r.group === place.group && r.version === place.version) ?? [];
    const requested = queryOf(place, query);
    if (!served || !encode || !requested) throw nowhere();
    if (method !== "GET") throw methodNotServed();
    const values = await metrics.values(requested);
    const items = values.map((value) => encode(requested, value));
    return reply({ kind: served.kind, apiVersion: apiVersionOf(served), metadata: {}, items });
  };
}
