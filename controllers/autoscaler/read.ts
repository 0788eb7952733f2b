// Reads the metrics of an autoscaler from the three metrics APIs. What cannot be read is a failure, worded as in
// Kubernetes.
import type { HorizontalPodAutoscaler } from "../../api/autoscaling/horizontalpodautoscalers.ts";
import { parseDuration } from "../../api/duration.ts";
import { ApiError } from "../../api/errors.ts";
import type { V2MetricSpec, V2ObjectMetricSource } from "../../api/generated/types.ts";
import { qualified } from "../../api/kinds.ts";
import { type Instant, instant, instantOf } from "../../api/meta.ts";
import { type PodMetrics, podMetrics } from "../../api/metrics/metrics.ts";
import { customMetrics, externalMetrics, type MetricQuery, type MetricValue } from "../../api/metrics/values.ts";
import { milliOf } from "../../api/quantity.ts";
import { selectorText } from "../../api/selector.ts";
import type { Client } from "../../machinery/client.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import { failedUsage, type Reading, selectorAsGo } from "./measure.ts";

/** Where metrics are read, and of which pods. */
export interface Source {
  readonly client: Client;
  readonly kinds: KindRegistry;
  readonly namespace: string;
  /** The selector of the scale's pods. */
  readonly selector: string;
}

/** What was read, or the message of the API error; other errors are thrown. */
async function attempt<T>(read: Promise<T>): Promise<T | string> {
  try {
    return await read;
  } catch (e) {
    if (e instanceof ApiError) return e.message;
    throw e;
  }
}

/** The usage of a resource by each pod all of whose containers, or the one, were measured. */
function usageByPod(metrics: readonly PodMetrics[], resource: string, container: string | undefined): Reading {
  const byPod = new Map<string, number>();
  const sampledSince = new Map<string, Instant>();
  for (const { metadata, containers, timestamp, window } of metrics) {
    const counted = containers.filter((c) => container === undefined || c.name === container);
    if (counted.length === 0 || counted.some((c) => c.usage[resource] === undefined)) continue;
    byPod.set(
      metadata.name,
      counted.reduce((sum, c) => sum + milliOf(c.usage[resource]), 0),
    );
    const windowMs = parseDuration(window);
    sampledSince.set(metadata.name, instant(instantOf(timestamp) - (typeof windowMs === "number" ? windowMs : 0)));
  }
  return { byPod, sampledSince };
}

const unserved = "the server could not find the requested resource";
const unfetched = (api: string, message: string): string =>
  `unable to fetch metrics from ${api} metrics API: ${message}`;
/** The values of a query, or why there are none. */
async function valuesOf({ client }: Source, query: MetricQuery): Promise<readonly MetricValue[] | string> {
  const [api, { group }] = query.described ? ["custom", customMetrics] : ["external", externalMetrics];
  const values = await attempt(client.metricValues(query));
  if (values === unserved) return unfetched(api, `no ${api} metrics API (${group}) registered`);
  if (typeof values === "string") return unfetched(api, values);
  return values.length === 0 ? `no metrics returned from ${api} metrics API` : values;
}

const sum = (values: readonly MetricValue[]): number => values.reduce((total, v) => total + milliOf(v.value), 0);

/** The resource of a described object; a namespace is always the autoscaler's own. */
function describedResource({ kinds }: Source, { apiVersion = "", kind }: V2ObjectMetricSource["describedObject"]) {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  const r = kinds.all().find((k) => k.group === group && k.kind === kind && k.virtual === undefined);
  if (r) return { resource: qualified(r) };
  const named = group === "" ? kind : `${kind}.${group}`;
  return { failure: `unable to map kind ${named} to resource: no matches for kind "${kind}" in group "${group}"` };
}

async function readObject(source: Source, { metric, describedObject }: V2ObjectMetricSource): Promise<Reading> {
  const { namespace } = source;
  const { kind, name } = describedObject;
  const failed = (message: string): Reading => ({
    failure: `unable to get metric ${metric.name}: ${kind} on ${namespace} ${name}/${message}`,
  });
  const mapped = describedResource(source, describedObject);
  if (mapped.failure !== undefined) return failed(unfetched("custom", mapped.failure));
  const described = mapped.resource === "namespaces" ? { resource: mapped.resource } : { ...mapped, name };
  const query = { namespace, metric: metric.name, metricSelector: selectorText(metric.selector), described };
  const values = await valuesOf(source, query);
  return typeof values === "string" ? failed(values) : { total: sum(values) };
}

/** Reads one metric. `usage` reads the resource metrics, once for all metrics. */
async function readMetric(
  spec: V2MetricSpec,
  source: Source,
  usage: () => Promise<readonly PodMetrics[] | string>,
): Promise<Reading> {
  const { namespace, selector: labelSelector } = source;
  const { pods, object, external, containerResource } = spec;
  const resource = spec.resource ?? containerResource;
  if (resource) {
    const { name, target } = resource;
    const read = await usage();
    const why = typeof read === "string" ? read : read.length === 0 && "no metrics returned from resource metrics API";
    if (why || typeof read === "string")
      return failedUsage(target, name, `unable to get metrics for resource ${name}: ${why}`);
    return usageByPod(read, name, containerResource?.container);
  }
  if (object) return readObject(source, object);
  const { metric } = pods ?? external ?? {};
  if (!metric) return { failure: `unknown metric source type "${spec.type}"` };
  const described = pods && { described: { resource: "pods", labelSelector } };
  const query = { namespace, metric: metric.name, metricSelector: selectorText(metric.selector), ...described };
  const values = await valuesOf(source, query);
  if (typeof values !== "string")
    return pods
      ? { byPod: new Map(values.map((v) => [v.describedObject?.name ?? "", milliOf(v.value)])) }
      : { total: sum(values) };
  return pods
    ? { failure: `unable to get metric ${metric.name}: ${values}` }
    : {
        failure: `unable to get external metric ${namespace}/${metric.name}/${selectorAsGo(metric.selector)}: ${values}`,
      };
}

/** Reads all metrics of an autoscaler, in their order. */
export function readMetrics({ spec }: HorizontalPodAutoscaler, source: Source): Promise<readonly Reading[]> {
  const { client, namespace, selector: labelSelector } = source;
  let usage: Promise<readonly PodMetrics[] | string> | undefined;
  const readUsage = async (): Promise<readonly PodMetrics[] | string> => {
    const page = await attempt(client.list(podMetrics, { namespace, labelSelector }));
    return typeof page === "string" ? unfetched("resource", page) : page.items;
  };
  return Promise.all((spec.metrics ?? []).map((metric) => readMetric(metric, source, () => (usage ??= readUsage()))));
}
