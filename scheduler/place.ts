// One scheduling cycle as a function: a pod and a snapshot go in, a node or the reasons against each come out.
import {
  skip,
  type SchedulerPlugin,
  type Snapshot,
  unresolvable,
  type NodeStatus,
  type PluginRejection,
} from "./framework.ts";
import { type NodeInfo, type PodInfo, podInfoOf, hypothetical } from "./node-info.ts";
import type { Pod } from "../api/generated/types.ts";
import { diagnosed, type Diagnosis } from "./diagnosis.ts";

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
function rank(
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

/** What plugins computed for this pod, by plugin name. */
export type CycleState = ReadonlyMap<string, unknown>;
export type Placement = (
  | {
      readonly outcome: "placed";
      readonly nodeName: string;
      /** The best nodes with their scores, best first; empty when one node alone passed. */
      readonly scores: readonly NodeScore[];
      readonly state: CycleState;
    }
  | { readonly outcome: "unschedulable"; readonly diagnosis: Diagnosis }
) & {
  /** The number of nodes Filter evaluated; the next cycle begins after them. */
  readonly nodesVisited: number;
};

interface PlacementOptions {
  /** The first index in the list of nodes, so that over many pods every node is evaluated equally often. */
  readonly startIndex?: number;
  /** Stop filtering when this share of all nodes has passed; 0 adapts it to the size of the cluster. */
  readonly percentageOfNodesToScore?: number;
}

/** Below this many nodes all are evaluated, and never fewer than this. Source: kube-scheduler's configuration. */
const minFeasibleNodes = 100;
const minFeasiblePercentage = 5;

/** After how many feasible nodes Filter stops: half of a small cluster, 5 % of a huge one. */
export function numFeasibleNodesToFind(nodeCount: number, percentageOfNodesToScore = 0): number {
  if (nodeCount < minFeasibleNodes) return nodeCount;
  const percentage = percentageOfNodesToScore || Math.max(minFeasiblePercentage, 50 - Math.trunc(nodeCount / 125));
  return Math.max(minFeasibleNodes, Math.trunc((nodeCount * percentage) / 100));
}

interface FilterStage {
  readonly plugin: SchedulerPlugin;
  readonly state: unknown;
}
interface Prefiltered {
  readonly stages: readonly FilterStage[];
  /** The candidate node names, and the plugins that returned them. */
  readonly nodeNames?: ReadonlySet<string>;
  readonly narrowedBy: readonly string[];
  readonly rejectedBy?: PluginRejection;
}

function prefilter(pod: PodInfo, snapshot: Snapshot, plugins: readonly SchedulerPlugin[]): Prefiltered {
  const stages: FilterStage[] = [];
  const narrowedBy: string[] = [];
  let nodeNames: ReadonlySet<string> | undefined;
  for (const plugin of plugins) {
    const result = plugin.preFilter?.(pod, snapshot);
    if (result === skip) continue;
    if (result && "code" in result) return { stages, narrowedBy, rejectedBy: { plugin: plugin.name, status: result } };
    stages.push({ plugin, state: result?.state });
    if (!result?.nodeNames) continue;
    narrowedBy.push(plugin.name);
    nodeNames = nodeNames ? nodeNames.intersection(result.nodeNames) : result.nodeNames;
    if (nodeNames.size > 0) continue;
    const names = narrowedBy.toSorted();
    const reason =
      names.length === 1
        ? `node(s) didn't satisfy plugin ${names[0]}`
        : `node(s) didn't satisfy plugin(s) [${names.join(" ")}] simultaneously`;
    return { stages, narrowedBy, rejectedBy: { plugin: plugin.name, status: unresolvable(reason) } };
  }
  return { stages, narrowedBy, ...(nodeNames && { nodeNames }) };
}

function firstRejection(stages: readonly FilterStage[], node: NodeInfo, pod: PodInfo): NodeStatus | undefined {
  for (const { plugin, state } of stages) {
    const status = plugin.filter!(state, node, pod);
    if (status) return { nodeName: node.name, plugin: plugin.name, status };
  }
  return undefined;
}

/**
 * Filters one node. Pods nominated to it count as present when they are at least as important; the pod must also fit
 * without them, because they may never arrive.
 */
function filterNode(
  stages: readonly FilterStage[],
  node: NodeInfo,
  pod: PodInfo,
  { nominated }: Snapshot,
): NodeStatus | undefined {
  const expected = nominated.size === 0 ? undefined : nominated.get(node.name);
  const more = expected?.filter((p) => p.key !== pod.key && p.priority >= pod.priority) ?? [];
  if (more.length > 0) {
    const crowded = hypothetical(node, [], more);
    const crowdedStages = stages.map(({ plugin, state }) => ({
      plugin,
      state: plugin.addPod ? more.reduce((s, added) => plugin.addPod!(s, added, node, pod), state) : state,
    }));
    const rejected = firstRejection(crowdedStages, crowded, pod);
    if (rejected) return rejected;
  }
  return firstRejection(stages, node, pod);
}

interface Filtered {
  readonly feasible: readonly NodeInfo[];
  readonly statuses: readonly NodeStatus[];
}
function filterNodes(
  nodes: readonly NodeInfo[],
  filter: (node: NodeInfo) => NodeStatus | undefined,
  startIndex: number,
  enough: number,
): Filtered {
  const feasible: NodeInfo[] = [];
  const statuses: NodeStatus[] = [];
  for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
    const node = nodes[(startIndex + i) % nodes.length]!;
    const rejected = filter(node);
    if (rejected) statuses.push(rejected);
    else feasible.push(node);
  }
  return { feasible, statuses };
}

/** The nodes that pass: only the nominated node if it does, otherwise as many as are to be scored. */
function feasibleNodes(
  pod: PodInfo,
  snapshot: Snapshot,
  { stages, nodeNames }: Prefiltered,
  hasScores: boolean,
  { startIndex = 0, percentageOfNodesToScore }: PlacementOptions,
): Filtered {
  const filters = stages.filter(({ plugin }) => plugin.filter);
  const filter = (node: NodeInfo): NodeStatus | undefined => filterNode(filters, node, pod, snapshot);
  const nominated = snapshot.byName.get(pod.pod.status?.nominatedNodeName ?? "");
  if (nominated && !filter(nominated)) return { feasible: [nominated], statuses: [] };
  const nodes = nodeNames ? [...nodeNames].flatMap((name) => snapshot.byName.get(name) ?? []) : snapshot.nodes;
  const enough = hasScores ? numFeasibleNodesToFind(nodes.length, percentageOfNodesToScore) : 1;
  return filterNodes(nodes, filter, startIndex, enough);
}

/** Decides the node of a pod. Pure: the same pod, snapshot and options give the same placement. */
export function place(
  pod: Pod,
  snapshot: Snapshot,
  plugins: readonly SchedulerPlugin[],
  options: PlacementOptions = {},
): Placement {
  const info = podInfoOf(pod);
  const diagnose = (filtered: Filtered, prefiltered: Prefiltered): Placement => ({
    outcome: "unschedulable",
    diagnosis: diagnosed(info, snapshot, plugins, { ...prefiltered, ...filtered }),
    nodesVisited: filtered.statuses.length,
  });
  const prefiltered = prefilter(info, snapshot, plugins);
  if (prefiltered.rejectedBy || snapshot.nodes.length === 0)
    return diagnose({ feasible: [], statuses: [] }, prefiltered);
  const scorers = plugins.filter((plugin) => plugin.score);
  const filtered = feasibleNodes(info, snapshot, prefiltered, scorers.length > 0, options);
  const { feasible, statuses } = filtered;
  if (feasible.length === 0) return diagnose(filtered, prefiltered);
  const scores = feasible.length === 1 ? [] : rank(info, feasible, scorers, snapshot);
  return {
    outcome: "placed",
    nodeName: scores[0]?.nodeName ?? feasible[0]!.name,
    scores,
    state: new Map(prefiltered.stages.map(({ plugin, state }) => [plugin.name, state])),
    nodesVisited: feasible.length + statuses.length,
  };
}
