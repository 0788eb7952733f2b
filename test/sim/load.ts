// The load of a deployment, which its ready pods share: what the metrics API serves in the simulation.
import { deployments } from "../../api/apps/deployments.ts";
import { isReady } from "../../api/core/pod/status.ts";
import { pods } from "../../api/core/pods.ts";
import type { Pod } from "../../api/generated/types.ts";
import { key, timestamp } from "../../api/meta.ts";
import type { PodMetrics } from "../../api/metrics/metrics.ts";
import type { Measured } from "../../apiserver/registry/in-process.ts";
import type { Client } from "../../machinery/client.ts";
import type { Clock } from "../../machinery/world.ts";

/** Of a deployment: the usage of all its pods, in thousandths of a CPU. */
export const loadAnnotation = "example.com/load";

const isServing = (pod: Pod): boolean => isReady(pod) && pod.metadata.deletionTimestamp === undefined;

export function sharedLoad(client: Client, clock: Clock): Measured {
  return {
    async list(_, { namespace, labelSelector = "" }) {
      const [, name = ""] = labelSelector.split("=");
      const { metadata } = await client.get(deployments, key(namespace, name));
      const serving = (await client.list(pods, { namespace, labelSelector })).items.filter(isServing);
      const milli = Math.round(Number(metadata.annotations?.[loadAnnotation] ?? 0) / Math.max(1, serving.length));
      return serving.map((pod) => ({
        ...{ apiVersion: "metrics.k8s.io/v1beta1", kind: "PodMetrics", metadata: pod.metadata },
        ...{
          timestamp: timestamp(clock.now()),
          window: "10s",
          containers: [{ name: "main", usage: { cpu: `${milli}m` } }],
        },
      })) as readonly PodMetrics[];
    },
    get: () => Promise.reject(new Error("not measured one by one")),
  };
}
