// The order in which a controller deletes surplus pods.
import type { Pod } from "../../generated/types.ts";
import { instantOf } from "../../meta.ts";
import { conditionOf, isReady, restarts } from "./status.ts";

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** Since when a pod is ready, in milliseconds since the epoch; infinity where it is not. */
export const readySince = (p: Pod): number => {
  const since = isReady(p) ? conditionOf(p.status?.conditions, "Ready")?.lastTransitionTime : undefined;
  return since === undefined ? Number.POSITIVE_INFINITY : instantOf(since);
};

/**
 * Pods in the order in which they are deleted: not scheduled, not running, not ready, by the controller's own ranks,
 * recently ready, often restarted, young, then by name.
 */
export function byDeletionOrder(
  pods: readonly Pod[],
  ranksOf: (p: Pod) => readonly number[] = () => [],
): readonly Pod[] {
  const keys = (p: Pod): readonly number[] => [
    p.spec.nodeName === undefined ? 0 : 1,
    phaseRank[p.status?.phase ?? "Pending"] ?? 0,
    isReady(p) ? 1 : 0,
    ...ranksOf(p),
    isReady(p) ? -readySince(p) : 0,
    -restarts(p),
    -instantOf(p.metadata.creationTimestamp),
  ];
  return pods
    .map((pod) => ({ pod, keys: keys(pod) }))
    .toSorted((a, b) => {
      const i = a.keys.findIndex((k, n) => k !== b.keys[n]);
      return i >= 0 ? a.keys[i]! - b.keys[i]! : a.pod.metadata.name < b.pod.metadata.name ? -1 : 1;
    })
    .map(({ pod }) => pod);
}
