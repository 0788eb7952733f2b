// The metrics of programs in pods, which kubelets scrape: values on request, and the names of metrics that have any.
// The group of an API is served once there is a metric of it.
import { ApiError } from "../../api/errors.ts";
import { apiVersionOf, isStored, qualified, type ResourceDefinition } from "../../api/kinds.ts";
import { parseLabelSelector } from "../../api/label-selector.ts";
import { type ApiObject, key, keyOf } from "../../api/meta.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { type Pod, pods } from "../../api/core/pods.ts";
import { services } from "../../api/core/services.ts";
import type { Service } from "../../api/generated/types.ts";
import {
  customMetrics,
  customMetricsV1beta1,
  type DescribedObjects,
  externalMetrics,
  type MetricQuery,
  type MetricValue,
  type ScrapedPod,
} from "../../api/metrics/values.ts";
import { matches, type Requirement } from "../../api/selector.ts";
import { type MetricNames, noMetrics } from "../discovery/metrics.ts";
import { objectOf } from "../registry/codec.ts";
import { objectsOf } from "../registry/listing.ts";
import { nowhere } from "../registry/refusals.ts";
import { scaleOf } from "../registry/strategies/table.ts";
import type { Registry } from "../registry/verbs.ts";
import type { Kubelets } from "./kubelets.ts";
import { externalSeries, externalValues, type PodWithSeries, sumOf } from "./metric-values.ts";
import { nodeDocuments } from "./node-documents.ts";

/** The metrics of programs. */
export interface ProgramMetrics {
  /** Throws NotFound when nothing of the API, or nothing of the metric, has data. */
  values(query: MetricQuery): Promise<readonly MetricValue[]>;
  /** Names as they were last read; the same object while none appears or disappears. */
  names(): MetricNames;
  /** Reads the names again. */
  refresh(): Promise<void>;
}

function requirementsIn(selector = ""): readonly Requirement[] {
  const parsed = parseLabelSelector(selector);
  if ("wrong" in parsed) throw new ApiError("BadRequest", parsed.wrong);
  return parsed.requirements;
}

/** The pods an object stands for: those a Service selects, or those behind a scale; undefined without a selector. */
function podRequirements(r: ResourceDefinition, object: ApiObject): readonly Requirement[] | undefined {
  const { selector } = (object as Partial<Service>).spec ?? {};
  if (r === services)
    return (
      selector && Object.entries(selector).map(([label, value]) => ({ key: label, operator: "In", values: [value] }))
    );
  return requirementsIn((scaleOf(object) as { readonly status?: { readonly selector?: string } }).status?.selector);
}

/** What an object of a custom metric is called. The core group's version begins with a slash, as adapters write it. */
const describe = (r: ResourceDefinition, { name, namespace }: ApiObject["metadata"]) => ({
  describedObject: {
    kind: r.kind,
    ...(namespace !== undefined && { namespace }),
    name,
    apiVersion: r.group === "" ? `/${r.version}` : apiVersionOf(r),
  },
});

/** The error of a metric without values, in the words of the library that adapters are built on. */
function metricNotFound({ metric, metricSelector = "" }: MetricQuery, { resource, name }: DescribedObjects): ApiError {
  const selector = metricSelector === "" ? "" : ` with selector ${metricSelector}`;
  const object = name === undefined ? "" : ` ${name}${selector}`;
  return new ApiError("NotFound", `the server could not find the metric ${metric} for ${resource}${object}`);
}

const sorted = (names: Iterable<string>): readonly string[] => [...new Set(names)].toSorted();
const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i]);

/** Objects of a custom metric with the pods each stands for. */
type Described = readonly (readonly [object: ApiObject, pods: readonly PodWithSeries[]])[];

/** The objects that a query describes, and their resource. */
async function describedBy(
  registry: Registry,
  namespace: string,
  { resource, name, labelSelector = "" }: DescribedObjects,
  scraped: readonly PodWithSeries[],
): Promise<{ readonly r: ResourceDefinition; readonly objects: Described }> {
  if (resource === namespaces.plural)
    return { r: namespaces, objects: [[{ metadata: { name: namespace } } as ApiObject, scraped]] };
  const r = registry.kinds.all().find((k) => qualified(k) === resource && isStored(k) && k.scope === "Namespaced");
  if (!r) throw nowhere();
  if (r === pods) {
    const selector = requirementsIn(labelSelector);
    const isDescribed = ({ metadata }: Pod): boolean =>
      (name === undefined || metadata.name === name) && matches(selector, metadata.labels);
    return { r, objects: scraped.filter((s) => isDescribed(s.pod)).map((s) => [s.pod, [s]]) };
  }
  if (r !== services && !r.subresources.includes("scale")) return { r, objects: [] };
  const objects =
    name === undefined
      ? objectsOf<ApiObject>(await registry.list(r, { namespace, labelSelector }))
      : [objectOf(await registry.get(r, key(namespace, name)))];
  return {
    r,
    objects: objects.flatMap((object) => {
      const selector = podRequirements(r, object);
      return selector ? [[object, scraped.filter((s) => matches(selector, s.pod.metadata.labels))]] : [];
    }),
  };
}

/** The values of a custom metric, by the names of the objects. */
async function customValues(
  registry: Registry,
  query: MetricQuery,
  described: DescribedObjects,
  scraped: readonly PodWithSeries[],
): Promise<readonly MetricValue[]> {
  const requirements = requirementsIn(query.metricSelector);
  const { r, objects } = await describedBy(registry, query.namespace, described, scraped);
  const found = objects
    .toSorted(([a], [b]) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .flatMap(([object, ofObject]) => {
      const value = sumOf(ofObject, query.metric, requirements);
      return value ? [{ ...describe(r, object.metadata), ...value }] : [];
    });
  if (found.length === 0 && (described.name !== undefined || r === namespaces)) throw metricNotFound(query, described);
  return found;
}

/** Serves the metrics of the pods of all nodes, and adds the groups of the APIs to the served kinds. */
export function programMetrics(registry: Registry, kubelets: Kubelets): ProgramMetrics {
  const { kinds } = registry;
  const documents = nodeDocuments<{ readonly items: readonly ScrapedPod[] }>(registry, kubelets, "/metrics/pods");
  let names = noMetrics;

  const note = (next: MetricNames): void => {
    if (!same(names.custom, next.custom) || !same(names.external, next.external)) names = next;
    const added = [
      ...(next.custom.length > 0 ? [customMetrics, customMetricsV1beta1] : []),
      ...(next.external.length > 0 ? [externalMetrics] : []),
    ].filter((r) => !kinds.of(r));
    if (added.length > 0) kinds.add(...added);
  };
  const read = async () => {
    const scraped = (await documents()).flatMap(({ document }) => document.items);
    const isAny = scraped.length > 0;
    const known = new Map(isAny ? objectsOf<Pod>(await registry.list(pods)).map((p) => [p.metadata.uid, p]) : []);
    const all = scraped.flatMap((s) => {
      const pod = known.get(s.pod.uid);
      return pod ? [{ pod, scraped: s }] : [];
    });
    const external = isAny ? externalSeries(all, objectsOf<Service>(await registry.list(services))) : [];
    note({
      custom: sorted(all.flatMap((s) => s.scraped.series.map(({ name }) => name))),
      external: sorted(external.map(({ name }) => name)),
    });
    return { all, external };
  };
  return {
    names: () => names,
    refresh: async () => void (await read()),
    async values(query) {
      const { namespace, metric, described } = query;
      const { all, external } = await read();
      if (!kinds.of(described ? customMetrics : externalMetrics)) throw nowhere();
      if (!described) {
        const resource = namespace === "default" ? namespaces.plural : namespace;
        if (!names.external.includes(metric)) throw metricNotFound(query, { resource });
        return externalValues(external, query, requirementsIn(query.metricSelector));
      }
      if (!names.custom.includes(metric)) throw metricNotFound(query, { resource: described.resource });
      const inNamespace = all.filter(({ pod }) => pod.metadata.namespace === namespace);
      return customValues(registry, query, described, inNamespace);
    },
  };
}
