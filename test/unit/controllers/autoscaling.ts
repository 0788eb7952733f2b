// One decision of an autoscaler about a Deployment of pods, by what the metrics APIs have.
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import {
  horizontalPodAutoscalers,
  type HorizontalPodAutoscaler,
} from "../../../api/autoscaling/horizontalpodautoscalers.ts";
import type { Pod } from "../../../api/generated/types.ts";
import type { PodMetrics } from "../../../api/metrics/metrics.ts";
import type { MetricQuery, MetricValue } from "../../../api/metrics/values.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { decide, type Outcome } from "../../../controllers/autoscaler/decide.ts";
import { readMetrics } from "../../../controllers/autoscaler/read.ts";
import type { ScalingHistory } from "../../../controllers/autoscaler/replicas.ts";
import { kindRegistry } from "../../../machinery/kind-registry.ts";
import { seeded, virtualClock } from "../../sim/virtual-clock.ts";
import { asStored, now } from "./world.ts";

export const autoscaler = (spec: object = {}): HorizontalPodAutoscaler =>
  asStored<HorizontalPodAutoscaler>(
    horizontalPodAutoscalers.defaults({
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "web", namespace: "default" },
      spec: {
        minReplicas: 1,
        maxReplicas: 10,
        behavior: {},
        scaleTargetRef: { kind: "Deployment", name: "web" },
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } },
        ],
        ...spec,
      },
    } as never),
  );

/** What the metrics APIs respond. */
export interface Apis {
  readonly usage?: readonly PodMetrics[];
  readonly values?: (query: MetricQuery) => Promise<readonly MetricValue[]>;
}
export const noHistory: ScalingHistory = { recommendations: [], changes: [] };

const world = { clock: virtualClock(), random: seeded(1), log: () => {} };
const registry = clusterRegistry(memoryStorage(), world, {
  serviceCidr: "10.96.0.0/16",
  nodePorts: { from: 30_000, to: 32_767 },
});
const kinds = kindRegistry(builtinKinds);

/** The outcome for an autoscaler whose target has these pods. */
export async function look(pods: readonly Pod[], { usage = [], values }: Apis, spec: object = {}): Promise<Outcome> {
  const h = autoscaler(spec);
  const measured = { list: async () => usage, get: async () => usage[0]! };
  const client = inProcessClient(registry, { measured, ...(values && { metricValues: values }) });
  const readings = await readMetrics(h, { client, kinds, namespace: "default", selector: "app=web" });
  const scale = { current: pods.length, observed: pods.length, pods };
  return decide({ autoscaler: h, ...scale, readings, history: noHistory, shrinkWindowSeconds: 0 }, now);
}
