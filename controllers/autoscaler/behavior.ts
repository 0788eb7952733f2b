// How fast a scale may change: stabilization over recent recommendations, and policies per period. Pure.
// Source: "Horizontal Pod Autoscaling", configurable scaling behavior.
import type { V2HorizontalPodAutoscalerBehavior, V2HPAScalingRules } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";

interface Recommendation {
  readonly at: Instant;
  readonly replicas: number;
}
/** A change of size that took effect; positive when it grew. */
export interface Change {
  readonly at: Instant;
  readonly by: number;
}
export interface ScalingHistory {
  readonly recommendations: readonly Recommendation[];
  readonly changes: readonly Change[];
}
export interface Limited {
  readonly replicas: number;
  /** Why it is not the proposed number: the reason of the condition ScalingLimited or AbleToScale. */
  readonly reason?:
    | "ScaleUpStabilized"
    | "ScaleDownStabilized"
    | "ScaleUpLimit"
    | "ScaleDownLimit"
    | "TooManyReplicas"
    | "TooFewReplicas";
}
interface Range {
  readonly min: number;
  readonly max: number;
}

const byPercent = { type: "Percent", value: 100, periodSeconds: 15 } as const;
const defaultScaleUp: V2HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [byPercent, { type: "Pods", value: 4, periodSeconds: 15 }],
};
/** Without a setting, a scale shrinks to the highest recommendation of the last five minutes at most. */
const defaultScaleDown = (windowSeconds: number): V2HPAScalingRules => ({
  stabilizationWindowSeconds: windowSeconds,
  selectPolicy: "Max",
  policies: [byPercent],
});

type Rules = Readonly<Record<"up" | "down", V2HPAScalingRules>>;

/** Grows to the lowest recent recommendation at most, shrinks to the highest at most. */
function stabilized(
  { current, proposal }: ScalingRequest,
  history: ScalingHistory,
  { up, down }: Rules,
  now: Instant,
): number {
  const within = (seconds: number): readonly number[] =>
    history.recommendations.filter((r) => now - r.at < seconds * 1000).map((r) => r.replicas);
  const floor = Math.min(proposal, ...within(up.stabilizationWindowSeconds ?? 0));
  const ceiling = Math.max(proposal, ...within(down.stabilizationWindowSeconds ?? 300));
  return Math.max(floor, Math.min(current, ceiling));
}

/** The furthest size the policies allow in one direction. */
function policyLimit(
  current: number,
  history: ScalingHistory,
  rules: V2HPAScalingRules,
  direction: 1 | -1,
  now: Instant,
): number {
  if (rules.selectPolicy === "Disabled") return current;
  const limits = (rules.policies ?? []).map((p) => {
    const recent = history.changes.filter((c) => now - c.at < p.periodSeconds * 1000 && Math.sign(c.by) === direction);
    const start = current - recent.reduce((sum, c) => sum + c.by, 0);
    const step = p.type === "Pods" ? p.value : (start * p.value) / 100;
    return direction === 1 ? Math.ceil(start + step) : Math.max(0, Math.floor(start - step));
  });
  if (limits.length === 0) return current;
  const widest = (rules.selectPolicy ?? "Max") === "Max";
  const furthest = (direction === 1) === widest ? Math.max(...limits) : Math.min(...limits);
  return direction === 1 ? Math.max(current, furthest) : Math.min(current, furthest);
}

interface ScalingRequest {
  readonly current: number;
  readonly proposal: number;
  readonly range: Range;
  readonly behavior: V2HorizontalPodAutoscalerBehavior | undefined;
  readonly shrinkWindowSeconds: number;
}

export function limit(wanted: ScalingRequest, history: ScalingHistory, now: Instant): Limited {
  const { current, proposal, range, behavior, shrinkWindowSeconds } = wanted;
  const up = behavior?.scaleUp ?? defaultScaleUp;
  const down = { ...defaultScaleDown(shrinkWindowSeconds), ...behavior?.scaleDown };
  const stable = stabilized(wanted, history, { up, down }, now);
  const held = stable === proposal ? undefined : proposal > stable ? "ScaleUpStabilized" : "ScaleDownStabilized";
  const furthest =
    stable > current
      ? Math.min(stable, policyLimit(current, history, up, 1, now))
      : Math.max(stable, policyLimit(current, history, down, -1, now));
  const replicas = Math.min(range.max, Math.max(range.min, furthest));
  if (furthest > range.max) return { replicas, reason: "TooManyReplicas" };
  if (furthest < range.min) return { replicas, reason: "TooFewReplicas" };
  if (furthest !== stable) return { replicas, reason: stable > current ? "ScaleUpLimit" : "ScaleDownLimit" };
  return held ? { replicas, reason: held } : { replicas };
}
