// The replicas a load requires: current usage over target, conservative about pods without measurements. Pure.
// Source: "Horizontal Pod Autoscaling", algorithm details.
import type { Pod } from "../../api/generated/types.ts";
import { isReady, isTerminal } from "../../api/core/pod/status.ts";
import { milliOf } from "../../api/quantity.ts";

/** Thousandths of the resource's unit, by pod name. */
export type UsageByPod = ReadonlyMap<string, number>;
interface Load {
  readonly current: number;
  readonly pods: readonly Pod[];
  readonly usage: UsageByPod;
  /** `cpu` or `memory`. */
  readonly resource: string;
}
export interface Proposal {
  readonly replicas: number;
  /** Percent of requests, or undefined when the target is an amount. */
  readonly utilization?: number;
  /** Mean per pod, in thousandths. */
  readonly average: number;
}

/** Ratios this close to 1 change nothing, so that the scale does not follow noise. */
const tolerance = 0.1;

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

const near = (ratio: number): boolean => ratio >= 1 - tolerance && ratio <= 1 + tolerance;

/**
 * `wanted` is what one pod should use. Pods not measured count as if they used all of it when we would shrink and
 * nothing when we would grow; pods not ready count as nothing when we would grow. Neither may turn the direction
 * around.
 */
function replicasFor(load: Load, groups: Groups, wanted: (p: Pod) => number): number {
  const { measured, unready, missing } = groups;
  const ratioOf = (list: readonly (readonly [Pod, number])[]): number => {
    const goal = list.reduce((sum, [p]) => sum + wanted(p), 0);
    return goal === 0 ? 1 : list.reduce((sum, [, used]) => sum + used, 0) / goal;
  };
  const known = measured.map((p) => [p, load.usage.get(p.metadata.name)!] as const);
  const ratio = ratioOf(known);
  if (unready.length === 0 && missing.length === 0)
    return near(ratio) ? load.current : Math.ceil(ratio * measured.length);
  const assumed = [
    ...missing.map((p) => [p, ratio < 1 ? wanted(p) : 0] as const),
    ...(ratio > 1 ? unready.map((p) => [p, 0] as const) : []),
  ];
  const guessed = ratioOf([...known, ...assumed]);
  if (near(guessed) || (ratio < 1 && guessed > 1) || (ratio > 1 && guessed < 1)) return load.current;
  const replicas = Math.ceil(guessed * (known.length + assumed.length));
  return (guessed < 1 && replicas > load.current) || (guessed > 1 && replicas < load.current) ? load.current : replicas;
}

/** Undefined when nothing could be measured, or a pod does not say what it requests. */
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
