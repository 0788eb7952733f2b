// How fast a wish may become true: stabilisation over the recent past, and limits on change within a period. Pure.
import type { V2HorizontalPodAutoscalerBehavior, V2HPAScalingRules } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";

export interface Recommendation {
  readonly at: Instant;
  readonly replicas: number;
}
/** A change of size that took effect; positive when it grew. */
export interface Change {
  readonly at: Instant;
  readonly by: number;
}
export interface Past {
  readonly recommendations: readonly Recommendation[];
  readonly changes: readonly Change[];
}
export interface Limited {
  readonly replicas: number;
  /** Why it is not what was asked, in the words of the ScalingLimited and AbleToScale conditions. */
  readonly reason?:
    | "ScaleUpStabilized"
    | "ScaleDownStabilized"
    | "ScaleUpLimit"
    | "ScaleDownLimit"
    | "TooManyReplicas"
    | "TooFewReplicas";
}
export interface Range {
  readonly min: number;
  readonly max: number;
}

const byPercent = { type: "Percent", value: 100, periodSeconds: 15 } as const;
const growAtOnce: V2HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [byPercent, { type: "Pods", value: 4, periodSeconds: 15 }],
};
/** Kubernetes shrinks only to the highest wish of the last five minutes; both that and the policies can be set. */
const shrinkSlowly = (windowSeconds: number): V2HPAScalingRules => ({
  stabilizationWindowSeconds: windowSeconds,
  selectPolicy: "Max",
  policies: [byPercent],
});

interface Rules {
  readonly up: V2HPAScalingRules;
  readonly down: V2HPAScalingRules;
}

/** Not below the lowest recent wish when growing, not below the highest recent wish when shrinking. */
function stabilized({ current, wish }: Wanted, past: Past, { up, down }: Rules, now: Instant): number {
  const within = (seconds: number): readonly number[] =>
    past.recommendations.filter((r) => now - r.at < seconds * 1000).map((r) => r.replicas);
  const floor = Math.min(wish, ...within(up.stabilizationWindowSeconds ?? 0));
  const ceiling = Math.max(wish, ...within(down.stabilizationWindowSeconds ?? 300));
  return Math.max(floor, Math.min(current, ceiling));
}

/** The furthest size the policies allow in one direction. */
function reach(current: number, past: Past, rules: V2HPAScalingRules, direction: 1 | -1, now: Instant): number {
  if (rules.selectPolicy === "Disabled") return current;
  const limits = (rules.policies ?? []).map((p) => {
    const recent = past.changes.filter((c) => now - c.at < p.periodSeconds * 1000 && Math.sign(c.by) === direction);
    const start = current - recent.reduce((sum, c) => sum + c.by, 0);
    const step = p.type === "Pods" ? p.value : (start * p.value) / 100;
    return direction === 1 ? Math.ceil(start + step) : Math.max(0, Math.floor(start - step));
  });
  if (limits.length === 0) return current;
  const widest = (rules.selectPolicy ?? "Max") === "Max";
  const furthest = (direction === 1) === widest ? Math.max(...limits) : Math.min(...limits);
  return direction === 1 ? Math.max(current, furthest) : Math.min(current, furthest);
}

export interface Wanted {
  readonly current: number;
  readonly wish: number;
  readonly range: Range;
  readonly behavior: V2HorizontalPodAutoscalerBehavior | undefined;
  readonly shrinkWindowSeconds: number;
}

export function limit(wanted: Wanted, past: Past, now: Instant): Limited {
  const { current, wish, range, behavior, shrinkWindowSeconds } = wanted;
  const up = behavior?.scaleUp ?? growAtOnce;
  const down = { ...shrinkSlowly(shrinkWindowSeconds), ...behavior?.scaleDown };
  const calm = stabilized(wanted, past, { up, down }, now);
  const held = calm === wish ? undefined : wish > calm ? "ScaleUpStabilized" : "ScaleDownStabilized";
  const furthest =
    calm > current
      ? Math.min(calm, reach(current, past, up, 1, now))
      : Math.max(calm, reach(current, past, down, -1, now));
  const replicas = Math.min(range.max, Math.max(range.min, furthest));
  if (furthest > range.max) return { replicas, reason: "TooManyReplicas" };
  if (furthest < range.min) return { replicas, reason: "TooFewReplicas" };
  if (furthest !== calm) return { replicas, reason: calm > current ? "ScaleUpLimit" : "ScaleDownLimit" };
  return held ? { replicas, reason: held } : { replicas };
}
