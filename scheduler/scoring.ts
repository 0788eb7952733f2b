// Which of the nodes that passed is best: every plugin's scores, normalised over those nodes, weighted and added up.
import { skip, type SchedulerPlugin, type Snapshot } from "./framework.ts";
import type { NodeInfo, PodInfo } from "./node-info.ts";

export interface NodeScore {
  readonly nodeName: string;
  readonly total: number;
  /** Weighted, by plugin name. */
  readonly byPlugin: Readonly<Record<string, number>>;
}

/** So many of the best nodes keep their scores in a placement. */
const kept = 10;

interface Column {
  readonly plugin: string;
  readonly weight: number;
  /** In the order of the feasible nodes. */
  readonly scores: readonly number[];
}
function columnOf(
  plugin: SchedulerPlugin,
  pod: PodInfo,
  feasible: readonly NodeInfo[],
  snapshot: Snapshot,
): Column | undefined {
  const state = plugin.preScore?.(pod, feasible, snapshot);
  if (state === skip) return undefined;
  const raw = feasible.map((node) => plugin.score!(state, node, pod));
  return { plugin: plugin.name, weight: plugin.weight ?? 1, scores: plugin.normalizeScore?.(raw) ?? raw };
}

/** Indexes of the best, best first. Equal scores go by name. */
function bestOf(totals: readonly number[], feasible: readonly NodeInfo[]): readonly number[] {
  const isBetter = (a: number, b: number): boolean =>
    totals[a]! > totals[b]! || (totals[a] === totals[b] && feasible[a]!.name < feasible[b]!.name);
  const best: number[] = [];
  for (let i = 0; i < totals.length; i++) {
    if (best.length === kept && !isBetter(i, best[kept - 1]!)) continue;
    const at = best.findIndex((other) => isBetter(i, other));
    best.splice(at < 0 ? best.length : at, 0, i);
    if (best.length > kept) best.pop();
  }
  return best;
}

/**
 * The best nodes and their scores, best first. Kubernetes picks one of the best at random; here equal scores go by
 * name, so that the same cluster gives the same placement and a run can be repeated.
 */
export function rank(
  pod: PodInfo,
  feasible: readonly NodeInfo[],
  plugins: readonly SchedulerPlugin[],
  snapshot: Snapshot,
): readonly NodeScore[] {
  const columns = plugins.flatMap((plugin) => columnOf(plugin, pod, feasible, snapshot) ?? []);
  const totals = feasible.map((_, i) => {
    let total = 0;
    for (const { weight, scores } of columns) total += weight * scores[i]!;
    return total;
  });
  return bestOf(totals, feasible).map((i) => ({
    nodeName: feasible[i]!.name,
    total: totals[i]!,
    byPlugin: Object.fromEntries(columns.map(({ plugin, weight, scores }) => [plugin, weight * scores[i]!])),
  }));
}
