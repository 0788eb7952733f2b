// Resource usage of nodes and pods, read from the kubelets on request and cached for a few seconds.
import { type NodeMetrics, nodeMetrics, type PodMetrics, podMetrics, type Usage } from "../../api/metrics/metrics.ts";
import { type Node, nodes } from "../../api/core/nodes.ts";
import { type Pod, pods } from "../../api/core/pods.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Instant, keyOf, timestamp } from "../../api/meta.ts";
import type { World } from "../../machinery/world.ts";
import { type Kubelets, textOf } from "./kubelets.ts";
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
const keptMs = 3_000;
const answerWithinMs = 4_000;
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

/** Reads all kubelets concurrently. One that does not respond in time has no metrics. */
export function metrics(registry: Registry, kubelets: Kubelets, world: World): Measured {
  const { clock } = world;
  const held = new Map<string, { readonly at: Instant; readonly summary: Promise<Summary | undefined> }>();
  const ask = async (node: string): Promise<Summary | undefined> => {
    const responded = new AbortController();
    const late = clock.sleep(answerWithinMs, responded.signal).then(
      () => responded.abort(),
      () => {},
    );
    try {
      const response = await kubelets.get(node, "/stats/summary", `nodes ${node}`, responded.signal);
      return JSON.parse(await textOf(response)) as Summary;
    } catch (e) {
      world.log("no figures from a kubelet", { node, error: (e as Error).message });
      return undefined;
    } finally {
      responded.abort();
      await late;
    }
  };
  const summaryOf = (node: string): Promise<Summary | undefined> => {
    const known = held.get(node);
    const now = clock.now();
    if (known && now - known.at < keptMs) return known.summary;
    const summary = ask(node);
    held.set(node, { at: now, summary });
    return summary;
  };
  const allNodes = async (): Promise<readonly Node[]> => objectsOf<Node>(await registry.list(nodes));
  const gather = async (r: ResourceDefinition, namespace?: string): Promise<readonly ApiObject[]> => {
    const all = await allNodes();
    for (const name of held.keys()) if (!all.some((n) => n.metadata.name === name)) held.delete(name);
    const summaries = await Promise.all(
      all.map(async (node) => ({ node, summary: await summaryOf(node.metadata.name) })),
    );
    const responded = summaries.flatMap(({ node, summary }) => (summary ? [{ node, summary }] : []));
    const now = clock.now();
    if (r.plural === nodeMetrics.plural)
      return responded.flatMap(({ node, summary }) => nodeMetricsOf(node, summary, now));
    const page = await registry.list(pods, namespace === undefined ? {} : { namespace });
    const known = new Map(objectsOf<Pod>(page).map((p) => [p.metadata.uid, p]));
    return responded.flatMap(({ summary }) => podMetricsOf(known, summary, now));
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
