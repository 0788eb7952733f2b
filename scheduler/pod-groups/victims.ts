// Which pods have to leave the cluster so that a group fits: the fewest and least important ones. Source: KEP-5710
// (workload-aware preemption).
import type { PodDisruptionBudget, PodGroup } from "../../api/generated/types.ts";
import { type Key, keyOf } from "../../api/meta.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";
import { violating } from "../plugins/disruption-budgets.ts";

/** Pods that leave together: one, or all of a group whose disruption mode says so. */
export interface Unit {
  readonly pods: readonly PodInfo[];
  readonly priority: number;
}

/** A pod that has not started is the latest. */
const startOf = ({ pods }: Unit): string => pods.map(({ pod }) => pod.status?.startTime ?? "~").toSorted()[0]!;
const isGrouped = ({ pods: [first] }: Unit): boolean => first?.pod.spec.schedulingGroup !== undefined;

/**
 * Higher priority first, then pods of groups before others, of those the greater number, and then whichever has run
 * longer.
 */
function byImportance(a: Unit, b: Unit): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (isGrouped(a) !== isGrouped(b)) return isGrouped(a) ? -1 : 1;
  if (a.pods.length !== b.pods.length) return b.pods.length - a.pods.length;
  const [first, second] = [startOf(a), startOf(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

/** Everything on these nodes that is less important, without the pods of the group itself. */
export function lesserUnits(
  nodes: readonly NodeInfo[],
  group: PodGroup,
  groupOf: (pod: PodInfo) => PodGroup | undefined,
): readonly Unit[] {
  const alone: Unit[] = [];
  const together = new Map<Key, { readonly pods: PodInfo[]; readonly priority: number }>();
  for (const node of nodes)
    for (const pod of node.pods.values()) {
      const own = groupOf(pod);
      if (own?.metadata.uid === group.metadata.uid) continue;
      if (own?.spec.disruptionMode !== "PodGroup") {
        alone.push({ pods: [pod], priority: pod.priority });
        continue;
      }
      const unit = together.get(keyOf(own)) ?? { pods: [], priority: own.spec.priority ?? 0 };
      unit.pods.push(pod);
      together.set(keyOf(own), unit);
    }
  return [...alone, ...together.values()].filter(({ priority }) => priority < (group.spec.priority ?? 0));
}

/**
 * The units that have to leave; undefined when it does not help if all do. `fits` tells whether the group fits without
 * some of them. As many as possible stay, those that a budget protects before others, important ones before less
 * important ones.
 */
export async function victimsAmong(
  units: readonly Unit[],
  budgets: readonly PodDisruptionBudget[],
  fits: (without: ReadonlySet<Unit>) => Promise<boolean>,
): Promise<readonly Unit[] | undefined> {
  const leaving = new Set(units);
  if (units.length === 0 || !(await fits(leaving))) return undefined;
  const sorted = units.toSorted(byImportance);
  const isProtected = violating(
    sorted.flatMap(({ pods }) => pods),
    budgets,
  );
  const violates = ({ pods }: Unit): boolean => pods.some((pod) => isProtected.has(pod));
  /** Keeps as many of them as fit, in their order. Most often all or none do: halves are tried together. */
  const keep = async (some: readonly Unit[]): Promise<void> => {
    for (const unit of some) leaving.delete(unit);
    if (some.length === 0 || (await fits(leaving))) return;
    for (const unit of some) leaving.add(unit);
    if (some.length === 1) return;
    const half = Math.ceil(some.length / 2);
    await keep(some.slice(0, half));
    await keep(some.slice(half));
  };
  await keep(sorted.filter(violates));
  await keep(sorted.filter((unit) => !violates(unit)));
  return sorted.filter((unit) => leaving.has(unit));
}
