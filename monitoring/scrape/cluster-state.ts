// The state metrics of the whole cluster, from the views of its objects.
import type { Service } from "../../api/generated/types.ts";
import type { ApiObject } from "../../api/meta.ts";
import { selectorsOf } from "../../machinery/selector-index.ts";
import { Labels, metricName } from "../series/labels.ts";
import type { MetricStore } from "../store/store.ts";
import { type ClusterViews, selectorOf } from "./cluster-views.ts";
import {
  daemonSetMetrics,
  deploymentMetrics,
  type Emit,
  nodeMetrics,
  podMetrics,
  serviceMetrics,
  slicesByService,
  statefulSetMetrics,
} from "./state-metrics.ts";

/** How many pods the workloads behind each service should have, by `namespace/name`. */
function desiredPods({ services, deployments, statefulSets, daemonSets }: ClusterViews): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  const add = ({ metadata }: ApiObject, labels: Readonly<Record<string, string>> | undefined, count: number): void => {
    const pod = { metadata: { name: "", namespace: metadata.namespace, labels } } as ApiObject;
    for (const { metadata: of } of selectorsOf<Service>(services.lister, selectorOf, pod)) {
      const name = `${of.namespace}/${of.name}`;
      sums.set(name, (sums.get(name) ?? 0) + count);
    }
  };
  for (const set of deployments.lister.all()) add(set, set.spec.template.metadata?.labels, set.spec.replicas ?? 1);
  for (const set of statefulSets.lister.all()) add(set, set.spec.template.metadata?.labels, set.spec.replicas ?? 1);
  for (const set of daemonSets.lister.all())
    add(set, set.spec.template.metadata?.labels, set.status?.desiredNumberScheduled ?? 0);
  return sums;
}

/** Emits the state of every object. */
export function emitClusterState(views: ClusterViews, emit: Emit): void {
  for (const pod of views.pods.lister.all()) podMetrics(pod, emit);
  for (const node of views.nodes.lister.all()) nodeMetrics(node, emit);
  for (const deployment of views.deployments.lister.all()) deploymentMetrics(deployment, emit);
  for (const set of views.statefulSets.lister.all()) statefulSetMetrics(set, emit);
  for (const set of views.daemonSets.lister.all()) daemonSetMetrics(set, emit);
  const slices = slicesByService(views.slices.lister.all());
  const desired = desiredPods(views);
  for (const service of views.services.lister.all()) {
    const name = `${service.metadata.namespace}/${service.metadata.name}`;
    serviceMetrics({ service, slices: slices.get(name) ?? [], desired: desired.get(name) }, emit);
  }
}

/** Adds samples of the same series again and again, and ends those that are left out. */
export function sampler(store: MetricStore, job: string): (time: number, emitAll: (emit: Emit) => void) => void {
  let before = new Map<string, number>();
  return (time, emitAll) => {
    const [references, values] = [[] as number[], [] as number[]];
    const current = new Map<string, number>();
    emitAll((name, labels, value) => {
      let id = name;
      for (const label in labels) id += `\u0000${label}\u0000${labels[label]}`;
      const reference =
        before.get(id) ?? store.reference(Labels.of([...Object.entries(labels), ["job", job], [metricName, name]]));
      if (reference === undefined) return;
      current.set(id, reference);
      references.push(reference);
      values.push(value);
    });
    const ended = [...before].filter(([id]) => !current.has(id)).map(([, reference]) => reference);
    before = current;
    store.add({ time, references, values, ended });
  };
}
