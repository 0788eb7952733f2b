// The replicas a load requires: current usage over target, conservative about pods without measurements; and how fast a
// scale may change: stabilization over recent recommendations, and policies per period. Pure.
// Source: "Horizontal Pod Autoscaling", algorithm details and configurable scaling behavior.
import type { Pod, V2HorizontalPodAutoscalerBehavior, V2HPAScalingRules } from "../../api/generated/types.ts";
import { isReady, isTerminal } from "../../api/core/pod/status.ts";
import { milliOf } from "../../api/quantity.ts";
import type { Instant } from "../../api/meta.ts";

/** Thousandths of the resource's unit, by pod name. */
export type UsageByPod = ReadonlyMap<string, number>;
interface Load {
  readonly current: number;
  readonly pods: readonly Pod[];
  readonly usage: UsageByPod;
  /** `cpu` or `memory`. */
  readonly resource: string;
  readonly behavior?: V2HorizontalPodAutoscalerBehavior | undefined;
}
export interface Proposal {
  readonly replicas: number;
  /** Percent of requests, or undefined when the target is an amount. */
  readonly utilization?: number;
  /** Mean per pod, in thousandths. */
  readonly average: number;
}

/** Ratios this close to 1 change nothing, so that the scale does not follow noise. A behavior may say otherwise. */
const defaultTolerance = "100m";

const requestOf = (p: Pod, resource: string): number =>
  [...p.spec.containers, ...(p.spec.initContainers ?? []).filter((c) => c.restartPolicy === "Always")].reduce(
    (sum, c) => sum + milliOf(c.resources?.requests?.[resource]),
    0,
  );

interface Groups {
  readonly measured: readonly Pod[];
  /** Running but not ready: their usage now does not predict their usage later. */
  readonly unready: readonly Pod[];
  readonly missing: readonly Pod[];
}
function groupsOf({ pods, usage, resource }: Load): Groups {
  const live = pods.filter((p) => !isTerminal(p) && p.metadata.deletionTimestamp === undefined);
  const waiting = (p: Pod): boolean => p.status?.phase === "Pending" || (resource === "cpu" && !isReady(p));
  const unready = live.filter(waiting);
  const rest = live.filter((p) => !waiting(p));
  return {
    unready,
    measured: rest.filter((p) => usage.has(p.metadata.name)),
    missing: rest.filter((p) => !usage.has(p.metadata.name)),
  };
}

/** Whether a ratio of usage to target changes nothing (KEP-4951, configurable tolerance). */
function isNear({ behavior }: Load, ratio: number): boolean {
  const [up, down] = [behavior?.scaleUp, behavior?.scaleDown].map(
    (rules) => milliOf(rules?.tolerance ?? defaultTolerance) / 1000,
  );
  return ratio >= 1 - down! && ratio <= 1 + up!;
}

/**
 * `request` is what one pod should use. Pods not measured count as if they used all of it when we would shrink and
 * nothing when we would grow; pods not ready count as nothing when we would grow. Neither may turn the direction
 * around.
 */
function replicasFor(load: Load, groups: Groups, request: (p: Pod) => number): number {
  const { measured, unready, missing } = groups;
  const ratioOf = (list: readonly (readonly [Pod, number])[]): number => {
    const goal = list.reduce((sum, [p]) => sum + request(p), 0);
    return goal === 0 ? 1 : list.reduce((sum, [, used]) => sum + used, 0) / goal;
  };
  const known = measured.map((p) => [p, load.usage.get(p.metadata.name)!] as const);
  const ratio = ratioOf(known);
  if (unready.length === 0 && missing.length === 0)
    return isNear(load, ratio) ? load.current : Math.ceil(ratio * measured.length);
  const assumed = [
    ...missing.map((p) => [p, ratio < 1 ? request(p) : 0] as const),
    ...(ratio > 1 ? unready.map((p) => [p, 0] as const) : []),
  ];
  const guessed = ratioOf([...known, ...assumed]);
  if (isNear(load, guessed) || (ratio < 1 && guessed > 1) || (ratio > 1 && guessed < 1)) return load.current;
  const replicas = Math.ceil(guessed * (known.length + assumed.length));
  return (guessed < 1 && replicas > load.current) || (guessed > 1 && replicas < load.current) ? load.current : replicas;
}

/** Undefined without metrics, or when a pod has no request. */
export function byUtilization(load: Load, percent: number): Proposal | undefined {
  const groups = groupsOf(load);
  const { measured } = groups;
  if (measured.length === 0 || measured.some((p) => requestOf(p, load.resource) === 0)) return undefined;
  const used = measured.reduce((sum, p) => sum + load.usage.get(p.metadata.name)!, 0);
  const requested = measured.reduce((sum, p) => sum + requestOf(p, load.resource), 0);
  return {
    replicas: replicasFor(load, groups, (p) => (requestOf(p, load.resource) * percent) / 100),
    utilization: Math.floor((100 * used) / requested),
    average: used / measured.length,
  };
}

/** `milli` is what each pod should use on average. */
export function byAverage(load: Load, milli: number): Proposal | undefined {
  const groups = groupsOf(load);
  if (groups.measured.length === 0) return undefined;
  const used = groups.measured.reduce((sum, p) => sum + load.usage.get(p.metadata.name)!, 0);
  return { replicas: replicasFor(load, groups, () => milli), average: used / groups.measured.length };
}

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

export function limit(request: ScalingRequest, history: ScalingHistory, now: Instant): Limited {
  const { current, proposal, range, behavior, shrinkWindowSeconds } = request;
  const up = behavior?.scaleUp ?? defaultScaleUp;
  const down = { ...defaultScaleDown(shrinkWindowSeconds), ...behavior?.scaleDown };
  const stable = stabilized(request, history, { up, down }, now);
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
