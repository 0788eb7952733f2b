// Discovery of the metrics of programs: each is a resource of its own while it has data, and only its values are read.
import { customMetrics, externalMetrics } from "../../api/metrics/values.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiResource } from "./api-resource.ts";

/** Names of metrics, sorted. */
export interface MetricNames {
  readonly custom: readonly string[];
  readonly external: readonly string[];
}
export const noMetrics: MetricNames = { custom: [], external: [] };

/** What the custom metrics of pods describe: the pods, and the sums over the pods of these. */
const described = [
  { resource: "namespaces", namespaced: false },
  { resource: "pods", namespaced: true },
  { resource: "services", namespaced: true },
];

/** The resources of a version of either API. */
export function metricResources({ group, kind }: ResourceDefinition, names: MetricNames): readonly ApiResource[] {
  const value = { singularName: "", kind, verbs: ["get"] };
  if (group === externalMetrics.group) return names.external.map((name) => ({ name, namespaced: true, ...value }));
  return described.flatMap(({ resource, namespaced }) =>
    names.custom.map((name) => ({ name: `${resource}/${name}`, namespaced, ...value })),
  );
}

/** The same as lists of a resource and its subresources. What a custom metric describes is no resource of the API. */
export function metricResourceGroups(r: ResourceDefinition, names: MetricNames): readonly (readonly ApiResource[])[] {
  const all = metricResources(r, names);
  if (r.group !== customMetrics.group) return all.map((resource) => [resource]);
  return [...Map.groupBy(all, ({ name }) => name.slice(0, name.indexOf("/")))].map(([name, inside]) => [
    { name, singularName: "", namespaced: inside[0]!.namespaced, kind: "", verbs: [] },
    ...inside,
  ]);
}
