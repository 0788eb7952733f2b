// Resource usage of nodes and pods, read from the kubelets on request and cached for a few seconds.
import { type NodeMetrics, nodeMetrics, type PodMetrics, podMetrics, type Usage } from "../../api/metrics/metrics.ts";
import type { Node } from "../../api/core/nodes.ts";
import { type Pod, pods } from "../../api/core/pods.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Instant, keyOf, timestamp } from "../../api/meta.ts";
import type { Kubelets } from "./kubelets.ts";
import { nodeDocuments } from "./node-documents.ts";
import type { Measured } from "../registry/in-process.ts";
import { objectsOf } from "../registry/listing.ts";
import { notFound } from "../registry/refusals.ts";
import type { Registry } from "../registry/verbs.ts";
import { matcherOf } from "../registry/selection.ts";

interface Figures {
  readonly cpu?: { readonly time?: string; readonly usageNanoCores?: number };
  readonly memory?: { readonly workingSetBytes?: number };
}
interface Summary {
  readonly node: Figures;
  readonly pods?: readonly (Figures & {
    readonly podRef: { readonly name: string; readonly namespace: string; readonly uid: string };
    readonly containers?: readonly (Figures & { readonly name: string })[];
  })[];
}
const window = "10s";

/** In the units of the metrics API: nanocores, and whole KiB. */
function usageOf({ cpu, memory }: Figures): Usage | undefined {
  if (cpu?.usageNanoCores === undefined || memory?.workingSetBytes === undefined) return undefined;
  return { cpu: `${Math.round(cpu.usageNanoCores)}n`, memory: `${Math.floor(memory.workingSetBytes / 1024)}Ki` };
}

const measured = (kind: string, of: ApiObject, time: string): object => ({
  kind,
  apiVersion: "metrics.k8s.io/v1beta1",
  metadata: {
    name: of.metadata.name,
    ...(of.metadata.namespace !== undefined && { namespace: of.metadata.namespace }),
    creationTimestamp: time,
    ...(of.metadata.labels && { labels: of.metadata.labels }),
  },
  timestamp: time,
  window,
});

/** The figures of a node, when its kubelet has any yet. */
export function nodeMetricsOf(node: Node, summary: Summary, now: Instant): readonly NodeMetrics[] {
  const usage = usageOf(summary.node);
  return usage
    ? [{ ...measured("NodeMetrics", node, summary.node.cpu?.time ?? timestamp(now)), usage } as NodeMetrics]
    : [];
}

/** The figures of the pods a kubelet runs. A pod of which one container has none has none either. */
export function podMetricsOf(known: ReadonlyMap<string, Pod>, summary: Summary, now: Instant): readonly PodMetrics[] {
  return (summary.pods ?? []).flatMap(({ podRef, containers = [], cpu }) => {
    const pod = known.get(podRef.uid);
    const used = containers.map(({ name, ...figures }) => ({ name, usage: usageOf(figures) }));
    if (!pod || used.length === 0 || used.some((c) => c.usage === undefined)) return [];
    return [{ ...measured("PodMetrics", pod, cpu?.time ?? timestamp(now)), containers: used } as unknown as PodMetrics];
  });
}

/** The usage of nodes and pods, of those kubelets that respond in time. */
export function metrics(registry: Registry, kubelets: Kubelets): Measured {
  const { clock } = registry.world;
  const summaries = nodeDocuments<Summary>(registry, kubelets, "/stats/summary");
  const gather = async (r: ResourceDefinition, namespace?: string): Promise<readonly ApiObject[]> => {
    const all = await summaries();
    const now = clock.now();
    if (r.plural === nodeMetrics.plural) return all.flatMap(({ node, document }) => nodeMetricsOf(node, document, now));
    const page = await registry.list(pods, namespace === undefined ? {} : { namespace });
    const known = new Map(objectsOf<Pod>(page).map((p) => [p.metadata.uid, p]));
    return all.flatMap(({ document }) => podMetricsOf(known, document, now));
  };
  return {
    async list(r, selection) {
      const matches = matcherOf(r, selection);
      const found = await gather(r, r.plural === podMetrics.plural ? selection.namespace : undefined);
      return found.filter((o) => matches?.(o) ?? true).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    },
    async get(r, namespace, name) {
      const found = (await gather(r, namespace)).find((o) => o.metadata.name === name);
      if (!found) throw notFound(r, namespace === undefined ? name : `${namespace}/${name}`);
      return found;
    },
  };
}
