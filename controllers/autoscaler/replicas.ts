// The replicas a load requires: current usage over target, conservative about pods without measurements; and how fast a
// scale may change: stabilization over recent recommendations, and policies per period. Pure.
// Source: "Horizontal Pod Autoscaling", algorithm details and configurable scaling behavior.
import type { Pod, V2HorizontalPodAutoscalerBehavior, V2HPAScalingRules } from "../../api/generated/types.ts";
import { isReady } from "../../api/core/pod/status.ts";
import { milliOf } from "../../api/quantity.ts";
import type { Instant } from "../../api/meta.ts";
import { type Groups, groupsOf, type PodUsage, type UsageByPod } from "./pod-groups.ts";

interface Load {
  readonly current: number;
  readonly pods: readonly Pod[];
  readonly behavior?: V2HorizontalPodAutoscalerBehavior | undefined;
}
interface PodLoad extends Load, PodUsage {
  /** The container whose usage it is; undefined for that of the pod. */
  readonly container?: string | undefined;
}
export interface Proposal {
  readonly replicas: number;
  /** Percent of requests, or undefined when the target is an amount. */
  readonly utilization?: number;
  /** Mean per pod, in thousandths. */
  readonly average?: number;
  /** Of a metric that is not divided by the pods, in thousandths. */
  readonly total?: number;
}
/** Why no number follows from a metric. */
export interface Failure {
  readonly failure: string;
}

/** Ratios this close to 1 change nothing, so that the scale does not follow noise. A behavior may say otherwise. */
const defaultTolerance = "100m";

/** What a pod, or one of its containers, requests. Sidecars count; a request set for the pod has precedence. */
function requestOf({ metadata, spec }: Pod, { resource = "", container }: PodLoad): number | Failure {
  const { requests } = spec.resources ?? {};
  if (requests !== undefined && container === undefined)
    return requests[resource] === undefined
      ? { failure: `missing pod-level request for ${resource} in Pod ${metadata.name}` }
      : milliOf(requests[resource]);
  const all = [...spec.containers, ...(spec.initContainers ?? []).filter((c) => c.restartPolicy === "Always")];
  const counted = all.filter((c) => container === undefined || c.name === container);
  if (counted.length === 0) return { failure: `container ${container} not found in Pod ${metadata.name}` };
  const without = counted.find((c) => c.resources?.requests?.[resource] === undefined);
  if (without)
    return { failure: `missing request for ${resource} in container ${without.name} of Pod ${metadata.name}` };
  return counted.reduce((sum, c) => sum + milliOf(c.resources?.requests?.[resource]), 0);
}

/** Whether a ratio of usage to target changes nothing (KEP-4951, configurable tolerance). */
function isNear({ behavior }: Load, ratio: number): boolean {
  const [up, down] = [behavior?.scaleUp, behavior?.scaleDown].map(
    (rules) => milliOf(rules?.tolerance ?? defaultTolerance) / 1000,
  );
  return ratio >= 1 - down! && ratio <= 1 + up!;
}

/** How the usage of pods relates to the target, and what a pod without a measurement is taken to use. */
interface Comparison {
  ratioOf(usage: UsageByPod): number;
  assumedUsage(pod: Pod): number;
}

/**
 * Pods not measured count with their assumed usage when the scale would shrink and with nothing when it would grow;
 * pods not ready count with nothing when it would grow. Neither may turn the direction around.
 */
function replicasFor(load: PodLoad, { measured, unready, missing }: Groups, c: Comparison): number {
  const known: UsageByPod = new Map(measured.map((p) => [p.metadata.name, load.usage.get(p.metadata.name)!]));
  const ratio = c.ratioOf(known);
  const growsWithUnready = unready.length > 0 && ratio > 1;
  if (!growsWithUnready && missing.length === 0)
    return isNear(load, ratio) ? load.current : Math.ceil(ratio * measured.length);
  const assumed: UsageByPod = new Map([
    ...known,
    ...(ratio === 1 ? [] : missing.map((p) => [p.metadata.name, ratio < 1 ? c.assumedUsage(p) : 0] as const)),
    ...(growsWithUnready ? unready.map((p) => [p.metadata.name, 0] as const) : []),
  ]);
  const guessed = c.ratioOf(assumed);
  if (isNear(load, guessed) || (ratio < 1 && guessed > 1) || (ratio > 1 && guessed < 1)) return load.current;
  const replicas = Math.ceil(guessed * assumed.size);
  return (guessed < 1 && replicas > load.current) || (guessed > 1 && replicas < load.current) ? load.current : replicas;
}

const noPods = "no pods returned by selector while calculating replica count";
const noUsage = "did not receive metrics for targeted pods (pods might be unready)";

const sumOf = (amounts: Iterable<number>): number => [...amounts].reduce((sum, amount) => sum + amount, 0);
const mean = (usage: UsageByPod): number => Math.trunc(sumOf(usage.values()) / usage.size);
const usageOf = (groups: Groups, usage: UsageByPod): UsageByPod =>
  new Map(groups.measured.map(({ metadata: { name } }) => [name, usage.get(name)!]));

/** The replicas with which pods use this percentage of what they request. */
export function byUtilization(load: PodLoad, percent: number): Proposal | Failure {
  if (load.pods.length === 0) return { failure: noPods };
  const groups = groupsOf(load);
  if (groups.measured.length === 0) return { failure: noUsage };
  const requests = new Map<string, number>();
  for (const pod of load.pods) {
    const request = requestOf(pod, load);
    if (typeof request !== "number") return request;
    requests.set(pod.metadata.name, request);
  }
  const requestOfPod = (name: string): number => requests.get(name) ?? 0;
  // Whole percents, as they are shown.
  const utilization = (usage: UsageByPod): number =>
    Math.trunc((sumOf(usage.values()) * 100) / sumOf([...usage.keys()].map(requestOfPod)));
  const measured = usageOf(groups, load.usage);
  if (sumOf([...measured.keys()].map(requestOfPod)) === 0) return { failure: "no metrics returned matched known pods" };
  const replicas = replicasFor(load, groups, {
    ratioOf: (usage) => utilization(usage) / percent,
    assumedUsage: ({ metadata: { name } }) => Math.trunc((requestOfPod(name) * Math.max(100, percent)) / 100),
  });
  return { replicas, utilization: utilization(measured), average: mean(measured) };
}

/** The replicas with which pods use `target` thousandths on average. */
export function byAverage(load: PodLoad, target: number): Proposal | Failure {
  if (load.pods.length === 0) return { failure: noPods };
  const groups = groupsOf(load);
  if (groups.measured.length === 0) return { failure: noUsage };
  const replicas = replicasFor(load, groups, {
    ratioOf: (usage) => mean(usage) / target,
    assumedUsage: () => target,
  });
  return { replicas, average: mean(usageOf(groups, load.usage)) };
}

const mostReplicas = 2 ** 31 - 1;

/** The replicas with which a total, which every ready pod reduces equally, is `target`. In thousandths. */
export function byTotal(load: Load, total: number, target: number): Proposal | Failure {
  const ratio = total / target;
  if (isNear(load, ratio)) return { replicas: load.current, total };
  if (load.pods.length === 0) return { failure: `unable to calculate ready pods: ${noPods}` };
  const ready = load.pods.filter((p) => p.status?.phase === "Running" && isReady(p)).length;
  return { replicas: Math.min(mostReplicas, Math.ceil(ratio * ready)), total };
}

/** The replicas among which a total is `target` for each. `observed` is the size in the scale's status. */
export function byTotalPerPod(load: Load & { readonly observed: number }, total: number, target: number): Proposal {
  // A target without pods has no average; it counts as one.
  const observed = Math.max(1, load.observed);
  const replicas = isNear(load, total / (target * observed)) ? load.observed : Math.ceil(total / target);
  return { replicas: Math.min(mostReplicas, replicas), average: Math.ceil(total / observed) };
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
  /** The reason of the condition AbleToScale when earlier recommendations hold the proposal back. */
  readonly stabilized?: "ScaleUpStabilized" | "ScaleDownStabilized";
  /** The reason of the condition ScalingLimited. */
  readonly limited?: "ScaleUpLimit" | "ScaleDownLimit" | "TooManyReplicas" | "TooFewReplicas";
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
  const within = (seconds: number): readonly number[] => recent(history, seconds, now);
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

/** The recommendations of the last seconds. */
const recent = ({ recommendations }: ScalingHistory, seconds: number, now: Instant): readonly number[] =>
  recommendations.filter((r) => now - r.at < seconds * 1000).map((r) => r.replicas);

/** Without a behavior a scale at most doubles each time, or grows to four, and shrinks as far as its window allows. */
function limitWithoutBehavior(
  { current, proposal, range, shrinkWindowSeconds }: ScalingRequest,
  history: ScalingHistory,
  now: Instant,
): Limited {
  const stable = Math.max(proposal, ...recent(history, shrinkWindowSeconds, now));
  const fastest = Math.max(2 * current, 4);
  const replicas = Math.max(range.min, Math.min(stable, range.max, fastest));
  const tooMany = range.max > fastest ? "ScaleUpLimit" : "TooManyReplicas";
  return {
    replicas,
    ...(stable !== proposal && { stabilized: "ScaleDownStabilized" as const }),
    ...(replicas !== stable && { limited: replicas < stable ? tooMany : ("TooFewReplicas" as const) }),
  };
}

export function limit(request: ScalingRequest, history: ScalingHistory, now: Instant): Limited {
  const { current, proposal, range, behavior, shrinkWindowSeconds } = request;
  if (!behavior) return limitWithoutBehavior(request, history, now);
  const up = behavior.scaleUp ?? defaultScaleUp;
  const down = { ...defaultScaleDown(shrinkWindowSeconds), ...behavior.scaleDown };
  const stable = stabilized(request, history, { up, down }, now);
  const held = proposal > stable ? "ScaleUpStabilized" : "ScaleDownStabilized";
  const furthest =
    stable > current
      ? Math.min(stable, policyLimit(current, history, up, 1, now))
      : Math.max(stable, policyLimit(current, history, down, -1, now));
  const replicas = Math.min(range.max, Math.max(range.min, furthest));
  const outOfRange = furthest > range.max ? "TooManyReplicas" : "TooFewReplicas";
  const tooFast = stable > current ? "ScaleUpLimit" : "ScaleDownLimit";
  return {
    replicas,
    ...(stable !== proposal && { stabilized: held }),
    ...(replicas !== stable && { limited: replicas === furthest ? tooFast : outOfRange }),
  };
}
