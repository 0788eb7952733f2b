// Scores of the nodes that passed, by plugin, and the best of them.
import { type SchedulerPlugin, skip, type Snapshot } from "./framework.ts";
import type { NodeInfo, PodInfo } from "./node-info.ts";

export interface NodeScore {
  readonly nodeName: string;
  readonly total: number;
  /** Weighted, by plugin name. */
  readonly byPlugin: Readonly<Record<string, number>>;
}
/** Scores by one plugin, in the order of the nodes. */
export interface WeightedColumn {
  readonly plugin: string;
  readonly weight: number;
  /** As the plugin gave them. */
  readonly raw: readonly number[];
  /** From 0 to 100. */
  readonly normalized: readonly number[];
  /** Weighted: they are added up. */
  readonly scores: readonly number[];
}

/** So many of the best nodes are listed with their scores. */
export const keptScores = 10;

/** Normalises and weights the scores of a plugin. */
export function weighted(plugin: SchedulerPlugin, raw: readonly number[]): WeightedColumn {
  const { name, weight = 1, normalizeScore } = plugin;
  const normalized = normalizeScore?.(raw) ?? raw;
  const scores = weight === 1 ? normalized : normalized.map((score) => weight * score);
  return { plugin: name, weight, raw, normalized, scores };
}

/** The scores by every plugin that does not skip the pod. */
export const scoresOf = (
  pod: PodInfo,
  feasible: () => readonly NodeInfo[],
  scorers: readonly SchedulerPlugin[],
  snapshot: Snapshot,
): readonly WeightedColumn[] =>
  scorers.flatMap((plugin) => {
    const state = plugin.preScore?.(pod, feasible, snapshot);
    if (state === skip) return [];
    return weighted(
      plugin,
      feasible().map((node) => plugin.score!(state, node, pod)),
    );
  });

export const sumOf = (columns: readonly WeightedColumn[], i: number): number => {
  let sum = 0;
  for (const { scores } of columns) sum += scores[i]!;
  return sum;
};

/** The indexes of the greatest, the greatest first; of equal ones the first comes first. */
export function bestInOrder(totals: readonly number[], count: number): readonly number[] {
  const best: number[] = [];
  let least = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < totals.length; i++) {
    const total = totals[i]!;
    if (best.length === count && total <= least) continue;
    const at = best.findIndex((other) => total > totals[other]!);
    best.splice(at < 0 ? best.length : at, 0, i);
    if (best.length > count) best.pop();
    least = totals[best.at(-1)!]!;
  }
  return best;
}

/**
 * The best nodes and their scores, best first. Kubernetes picks one of the best at random; here equal scores go by
 * name, so that the same cluster gives the same placement and a run can be repeated.
 */
export function ranked(feasible: readonly NodeInfo[], columns: readonly WeightedColumn[]): readonly NodeScore[] {
  const byName = [...feasible.keys()].toSorted((a, b) => (feasible[a]!.name < feasible[b]!.name ? -1 : 1));
  const totals = byName.map((i) => sumOf(columns, i));
  return bestInOrder(totals, keptScores).map((at) => {
    const i = byName[at]!;
    return {
      nodeName: feasible[i]!.name,
      total: totals[at]!,
      byPlugin: Object.fromEntries(columns.map(({ plugin, scores }) => [plugin, scores[i]!])),
    };
  });
}
