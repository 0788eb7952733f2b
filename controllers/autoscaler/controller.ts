// Asks for measurements and carries out the decision. Not a pure controller: measurements are asked for, not watched.
import { ApiError, hasReason } from "../../api/errors.ts";
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { deployments } from "../../api/apps/deployments.ts";
import {
  horizontalPodAutoscalers,
  type HorizontalPodAutoscaler,
} from "../../api/autoscaling/horizontalpodautoscalers.ts";
import { podMetrics, type PodMetrics } from "../../api/metrics/metrics.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { key, keyOf, type Instant, type Key } from "../../api/meta.ts";
import { selects, selectorText } from "../../api/selector.ts";
import type { Client } from "../../machinery/client.ts";
import type { Reconciler } from "../../machinery/controller.ts";
import { eventRecorder } from "../../machinery/events.ts";
import type { World } from "../../machinery/world.ts";
import type { ControllerViews } from "../views.ts";
import type { Past } from "./behavior.ts";
import { decide } from "./decide.ts";

export interface AutoscalerOptions {
  /** How often to measure. Kubernetes: 15 s. */
  readonly periodMs: number;
  /** How long a high wish keeps a target from shrinking when the autoscaler does not say. Kubernetes: 300 s. */
  readonly shrinkWindowSeconds: number;
}
type Scalable = Deployment | ReplicaSet;

/** Wishes and changes older than the longest window anyone may configure are forgotten. */
const memoryMs = 3_600_000;

type Views = Pick<ControllerViews, "horizontalPodAutoscalers" | "deployments" | "replicaSets" | "pods">;

interface Target {
  readonly resource: ResourceDefinition<Deployment> | ResourceDefinition<ReplicaSet>;
  readonly object: Scalable | undefined;
}
function targetOf(views: Views, h: HorizontalPodAutoscaler): Target {
  const k = key(h.metadata.namespace, h.spec.scaleTargetRef.name);
  return h.spec.scaleTargetRef.kind === "ReplicaSet"
    ? { resource: replicaSets, object: views.replicaSets.lister.get(k) }
    : { resource: deployments, object: views.deployments.lister.get(k) };
}

/** Our own status writes are no reason to measure again at once. */
const changed = (h: HorizontalPodAutoscaler, before?: HorizontalPodAutoscaler): readonly Key[] =>
  before && sameJson(before.spec, h.spec) ? [] : [keyOf(h)];

/** What was wished and done, with one more of each. */
function remembering(past: Past, wish: number | undefined, by: number, at: Instant): Past {
  const fresh = <T extends { readonly at: number }>(list: readonly T[]): readonly T[] =>
    list.filter((x) => at - x.at < memoryMs);
  return {
    recommendations: [...fresh(past.recommendations), ...(wish === undefined ? [] : [{ at, replicas: wish }])],
    changes: [...fresh(past.changes), ...(by === 0 ? [] : [{ at, by }])],
  };
}

export function autoscaler(
  views: Pick<ControllerViews, "horizontalPodAutoscalers" | "deployments" | "replicaSets" | "pods">,
  client: Client,
  world: World,
  options: AutoscalerOptions,
): Reconciler {
  const pasts = new Map<Key, Past>();
  const events = eventRecorder(client, world, { component: "horizontal-pod-autoscaler" });
  const measure = async (h: HorizontalPodAutoscaler, target: Scalable): Promise<readonly PodMetrics[]> => {
    try {
      return (
        await client.list(podMetrics, {
          namespace: h.metadata.namespace,
          labelSelector: selectorText(target.spec.selector),
        })
      ).items;
    } catch (e) {
      if (e instanceof ApiError) return [];
      throw e;
    }
  };
  const rescale = async (
    h: HorizontalPodAutoscaler,
    resource: ResourceDefinition,
    replicas: number,
    reason: string,
  ): Promise<void> => {
    const target = key(h.metadata.namespace, h.spec.scaleTargetRef.name);
    await client.patch(resource, target, { type: "merge", patch: { spec: { replicas } } }, "scale");
    events.record(h, "Normal", "SuccessfulRescale", `New size: ${replicas}; reason: ${reason}`);
  };
  return {
    name: "horizontalpodautoscaler",
    watches: [{ informer: views.horizontalPodAutoscalers, keys: changed }],
    async reconcile(k) {
      const h = views.horizontalPodAutoscalers.lister.get(k);
      if (h === undefined || h.metadata.deletionTimestamp !== undefined) {
        pasts.delete(k);
        return undefined;
      }
      const { resource, object } = targetOf(views, h);
      if (object === undefined) return { requeueAfter: options.periodMs };
      const pods = views.pods.lister
        .byIndex("namespace", h.metadata.namespace ?? "")
        .filter((p) => selects(object.spec.selector, p.metadata.labels));
      const current = object.spec.replicas ?? 1;
      const now = world.clock.now();
      const past = pasts.get(k) ?? { recommendations: [{ at: now, replicas: current }], changes: [] };
      const metrics = await measure(h, object);
      const { shrinkWindowSeconds } = options;
      const outcome = decide({ autoscaler: h, current, pods, metrics, past, shrinkWindowSeconds }, now);
      if (outcome.replicas !== current) await rescale(h, resource, outcome.replicas, outcome.reason);
      pasts.set(k, remembering(past, outcome.wish, outcome.replicas - current, now));
      if (!sameJson(outcome.status, h.status))
        await client
          .update(horizontalPodAutoscalers, { ...h, status: outcome.status }, "status")
          .catch((e: unknown) => {
            if (!hasReason(e, "Conflict", "NotFound")) throw e;
          });
      return { requeueAfter: options.periodMs };
    },
  };
}
