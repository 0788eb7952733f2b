// Horizontal pod autoscaler. Not a pure controller: measurements and the scale of an arbitrary kind are requested, not
// watched.
import { ApiError, hasReason } from "../../api/errors.ts";
import {
  horizontalPodAutoscalers,
  type HorizontalPodAutoscaler,
} from "../../api/autoscaling/horizontalpodautoscalers.ts";
import { type Pod, pods } from "../../api/core/pods.ts";
import type { Scale } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { parseLabelSelector } from "../../api/label-selector.ts";
import { type Instant, key, keyOf, type Key } from "../../api/meta.ts";
import { matches, type Requirement } from "../../api/selector.ts";
import type { Client } from "../../machinery/client.ts";
import { type Reconciler, type Views, watch } from "../../machinery/controller.ts";
import { eventRecorder } from "../../machinery/events.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import { byLabels, selectedBy } from "../../machinery/selector-index.ts";
import type { World } from "../../machinery/world.ts";
import type { ScalingHistory } from "./replicas.ts";
import { decide, type Outcome, withConditions } from "./decide.ts";
import { readMetrics } from "./read.ts";

export interface AutoscalerOptions {
  /** How often to measure. Kubernetes: 15 s. */
  readonly periodMs: number;
  /** The default stabilization window of scale-down. Kubernetes: 300 s. */
  readonly shrinkWindowSeconds: number;
}

/** Recommendations and changes older than the longest configurable window are dropped. */
const historyMs = 3_600_000;

/** A target as the scale subresource shows it. */
interface Target {
  readonly resource: ResourceDefinition;
  readonly scale: Scale;
}

/** Resolves a scale target by its version and kind. Fails as a client of Kubernetes does for a kind not served. */
async function targetOf(
  { metadata, spec }: HorizontalPodAutoscaler,
  client: Client,
  kinds: KindRegistry,
): Promise<Target> {
  const { apiVersion = "", kind, name } = spec.scaleTargetRef;
  const resource = kinds.ofKind(apiVersion, kind);
  if (!resource) {
    const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
    throw new ApiError("NotFound", `no matches for kind "${kind}" in group "${group}"`);
  }
  return { resource, scale: await client.scale(resource, key(metadata.namespace, name)) };
}

/** The labels that the selector of a scale requires by equality. */
const equalities = (requirements: readonly Requirement[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    requirements.flatMap(({ key: name, operator, values: [value, ...others] }) =>
      operator === "In" && value !== undefined && others.length === 0 ? [[name, value]] : [],
    ),
  );

/** The pods behind a scale. */
function podsOf(views: Views, namespace: string | undefined, selector: string): readonly Pod[] {
  const parsed = parseLabelSelector(selector);
  const requirements = "wrong" in parsed ? [] : parsed.requirements;
  return selectedBy(views.of(pods), namespace, { matchLabels: equalities(requirements) }).filter((p) =>
    matches(requirements, p.metadata.labels),
  );
}

/** Our own status writes are no reason to measure again at once. */
const changed = (h: HorizontalPodAutoscaler, before?: HorizontalPodAutoscaler): readonly Key[] =>
  before && sameJson(before.spec, h.spec) ? [] : [keyOf(h)];

/** The recommendations and changes with one more of each. */
function withOutcome(history: ScalingHistory, { proposal }: Outcome, by: number, at: Instant): ScalingHistory {
  const fresh = <T extends { readonly at: number }>(list: readonly T[]): readonly T[] =>
    list.filter((x) => at - x.at < historyMs);
  return {
    recommendations: [
      ...fresh(history.recommendations),
      ...(proposal === undefined ? [] : [{ at, replicas: proposal }]),
    ],
    changes: [...fresh(history.changes), ...(by === 0 ? [] : [{ at, by }])],
  };
}

type Status = HorizontalPodAutoscaler["status"];
/** The status of an autoscaler whose target cannot be read. */
function withoutTarget({ status }: HorizontalPodAutoscaler, message: string, now: Instant): Status {
  const why = `the HPA controller was unable to get the target's current scale: ${message}`;
  const conditions = withConditions(status?.conditions, now, ["AbleToScale", "False", "FailedGetScale", why]);
  return { ...status, desiredReplicas: status?.desiredReplicas ?? 0, conditions };
}

/** The status of an autoscaler whose size could not be written. */
function notRescaled(
  { status: before }: HorizontalPodAutoscaler,
  { status }: Outcome,
  message: string,
  now: Instant,
): Status {
  const { lastScaleTime: _, ...rest } = status;
  const why = `the HPA controller was unable to update the target scale: ${message}`;
  return {
    ...rest,
    ...(before?.lastScaleTime && { lastScaleTime: before.lastScaleTime }),
    desiredReplicas: before?.desiredReplicas ?? 0,
    conditions: withConditions(status.conditions, now, ["AbleToScale", "False", "FailedUpdateScale", why]),
  };
}

export function autoscaler(client: Client, world: World, kinds: KindRegistry, options: AutoscalerOptions): Reconciler {
  const histories = new Map<Key, ScalingHistory>();
  const events = eventRecorder(client, world, { component: "horizontal-pod-autoscaler" });
  const report = async (h: HorizontalPodAutoscaler, status: Status): Promise<void> => {
    if (sameJson(status, h.status)) return;
    await client.update(horizontalPodAutoscalers, { ...h, status }, "status").catch((e: unknown) => {
      if (!hasReason(e, "Conflict", "NotFound")) throw e;
    });
  };
  /** Writes the size of a scale, as the API accepts it, or returns its refusal. */
  const rescale = async ({ resource, scale }: Target, replicas: number): Promise<ApiError | undefined> => {
    try {
      // A request that arrives late must not undo a later change.
      const { resourceVersion } = scale.metadata ?? {};
      const patch = { metadata: { resourceVersion }, spec: { replicas } };
      await client.patch(resource, keyOf(scale), { type: "merge", patch }, "scale");
      return undefined;
    } catch (e) {
      if (e instanceof ApiError) return e;
      throw e;
    }
  };
  return {
    name: "horizontalpodautoscaler",
    reconciles: horizontalPodAutoscalers,
    watches: [watch(horizontalPodAutoscalers, (h, { before }) => changed(h, before)), watch(pods, () => [], byLabels)],
    async reconcile(k, views) {
      const h = views.of(horizontalPodAutoscalers).get(k);
      if (h === undefined || h.metadata.deletionTimestamp !== undefined) {
        histories.delete(k);
        return undefined;
      }
      const { namespace } = h.metadata;
      const target = await targetOf(h, client, kinds).catch((e: unknown) => e as Error);
      if (target instanceof Error) {
        if (!(target instanceof ApiError)) throw target;
        events.record(h, "Warning", "FailedGetScale", target.message);
        await report(h, withoutTarget(h, target.message, world.clock.now()));
        return { requeueAfter: options.periodMs, because: [target.message] };
      }
      const { spec, status } = target.scale;
      const [selector, current] = [status?.selector ?? "", spec.replicas ?? 0];
      const now = world.clock.now();
      const history = histories.get(k) ?? { recommendations: [{ at: now, replicas: current }], changes: [] };
      const source = { client, kinds, namespace: namespace ?? "", selector };
      const readings = selector === "" || current === 0 ? undefined : await readMetrics(h, source);
      const { shrinkWindowSeconds } = options;
      const observed = {
        ...{ autoscaler: h, current, observed: status?.replicas ?? 0, pods: podsOf(views, namespace, selector) },
        ...{ readings, history, shrinkWindowSeconds },
      };
      const outcome = decide(observed, now);
      const { replicas, reason } = outcome;
      for (const [why, message] of outcome.warnings) events.record(h, "Warning", why, message);
      const isScaled = replicas !== current;
      if (isScaled) {
        const error = await rescale(target, replicas);
        if (error) {
          const why = `New size: ${replicas}; reason: ${reason}; error: ${error.message}`;
          events.record(h, "Warning", "FailedRescale", why);
          await report(h, notRescaled(h, outcome, error.message, now));
          throw error;
        }
        events.record(h, "Normal", "SuccessfulRescale", `New size: ${replicas}; reason: ${reason}`);
      }
      histories.set(k, withOutcome(history, outcome, replicas - current, now));
      await report(h, outcome.status);
      const because = [isScaled ? reason : `${current} replicas are right`];
      const done = isScaled ? [`scale ${target.resource.plural} ${keyOf(target.scale)} to ${replicas}`] : [];
      return { requeueAfter: options.periodMs, because, done };
    },
  };
}
