// One scheduling cycle as a function: a pod and a snapshot go in, a node or the reasons against each come out.
import { diagnosed, type Diagnosis, type FailedCycle, listedRejections } from "./diagnosis.ts";
import {
  type FilterStage,
  type NodeStatus,
  type PluginRejection,
  type Rejection,
  type SchedulerPlugin,
  skip,
  type Snapshot,
  type Trial,
  unresolvable,
} from "./framework.ts";
import { addPod, hypothetical, type NodeInfo, type PodInfo, podInfoOf, removePod } from "./node-info.ts";
import type { Pod } from "../api/generated/types.ts";
import { ranked, scoresOf, type NodeScore, type WeightedColumn } from "./rank.ts";

/** What plugins computed for this pod, by plugin name. */
export type CycleState = ReadonlyMap<string, unknown>;
export type Placement = (
  | {
      readonly outcome: "placed";
      readonly nodeName: string;
      /**
       * The best nodes with their scores, best first; empty when one node alone passed. To be called before the cluster
       * changes.
       */
      scores(): readonly NodeScore[];
      readonly state: CycleState;
    }
  | { readonly outcome: "unschedulable"; readonly diagnosis: Diagnosis }
) & {
  /** The number of nodes Filter evaluated; the next cycle begins after them. */
  readonly nodesVisited: number;
  readonly inputs: DecisionInputs;
};
/** What a decision was made from: `place` decides the same from it, with the snapshot at the position. */
export interface DecisionInputs {
  readonly pod: Pod;
  readonly plugins: readonly SchedulerPlugin[];
  readonly options: PlacementOptions;
  /** Of the journal. */
  readonly position: number;
  /** What PreFilter returned of plugins that {@link SchedulerPlugin.prefiltersReserved}. */
  readonly reserving: readonly ReservingResult[];
}
/** A plugin, and what its PreFilter returned. */
export interface ReservingResult {
  readonly plugin: string;
  readonly result: { readonly state: unknown } | Rejection;
}
const none: readonly ReservingResult[] = [];
/** Of most pods there is none. */
export function reservingResults(
  { stages, rejectedBy }: Pick<Prefiltered, "stages" | "rejectedBy">,
  plugins: readonly SchedulerPlugin[],
): readonly ReservingResult[] {
  let results = none;
  for (const { plugin, state } of stages)
    if (plugin.prefiltersReserved) results = [...results, { plugin: plugin.name, result: { state } }];
  const rejecting = rejectedBy && plugins.find(({ name }) => name === rejectedBy.plugin);
  return rejecting?.prefiltersReserved ? [...results, { plugin: rejecting.name, result: rejectedBy!.status }] : results;
}

export type Placed = Extract<Placement, { readonly outcome: "placed" }>;

export interface PlacementOptions {
  /** The first index in the list of nodes, so that over many pods every node is evaluated equally often. */
  readonly startIndex?: number;
  /** Stop filtering when this share of all nodes has passed; 0 adapts it to the size of the cluster. */
  readonly percentageOfNodesToScore?: number;
  /** See {@link FilterOutcome.kind}. */
  readonly kind?: string;
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

export interface Prefiltered {
  readonly stages: readonly FilterStage[];
  /** The candidate node names, and the plugins that returned them. */
  readonly nodeNames?: ReadonlySet<string>;
  readonly narrowedBy: readonly string[];
  readonly rejectedBy?: PluginRejection;
}

/** Calls PreFilter of these plugins. */
export function prefilter(pod: PodInfo, snapshot: Snapshot, plugins: readonly SchedulerPlugin[]): Prefiltered {
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

/** The first plugin that rejects the node. Plugins without Filter are not among the stages. */
export function firstRejection(
  stages: readonly FilterStage[],
  node: NodeInfo,
  pod: PodInfo,
): PluginRejection | undefined {
  for (const { plugin, state } of stages) {
    const status = plugin.filter!(state, node, pod);
    if (status) return { plugin: plugin.name, status };
  }
  return undefined;
}

/**
 * Filters one node. Pods nominated to it count as present when they are at least as important; the pod must also fit
 * without them, because they may never arrive.
 */
export function filterNode(
  stages: readonly FilterStage[],
  node: NodeInfo,
  pod: PodInfo,
  { nominated }: Snapshot,
): PluginRejection | undefined {
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

/** Tries nodes with other pods than they have. */
export const trials =
  (stages: readonly FilterStage[], pod: PodInfo, snapshot: Snapshot) =>
  (node: NodeInfo): Trial => {
    const copy = hypothetical(node, []);
    let states = stages;
    const change = (hook: "addPod" | "removePod", other: PodInfo): void => {
      states = states.map(({ plugin, state }) => ({
        plugin,
        state: plugin[hook] ? plugin[hook](state, other, copy, pod) : state,
      }));
    };
    return {
      add(other) {
        addPod(copy, other);
        change("addPod", other);
      },
      remove(other) {
        removePod(copy, other.key);
        change("removePod", other);
      },
      rejection: () => filterNode(states, copy, pod, snapshot)?.status,
    };
  };

interface Filtered {
  readonly feasible: readonly NodeInfo[];
  readonly statuses: readonly NodeStatus[];
}
function filterNodes(
  nodes: readonly NodeInfo[],
  filter: (node: NodeInfo) => PluginRejection | undefined,
  startIndex: number,
  enough: number,
): Filtered {
  const feasible: NodeInfo[] = [];
  const statuses: NodeStatus[] = [];
  for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
    const node = nodes[(startIndex + i) % nodes.length]!;
    const rejected = filter(node);
    if (rejected) statuses.push({ nodeName: node.name, ...rejected });
    else feasible.push(node);
  }
  return { feasible, statuses };
}

export const filtersOf = ({ stages }: Prefiltered): readonly FilterStage[] =>
  stages.filter(({ plugin }) => plugin.filter);

/** The nodes that pass: only the nominated node if it does, otherwise as many as are to be scored. */
function feasibleNodes(
  pod: PodInfo,
  snapshot: Snapshot,
  prefiltered: Prefiltered,
  hasScores: boolean,
  { startIndex = 0, percentageOfNodesToScore }: PlacementOptions,
): Filtered {
  const filters = filtersOf(prefiltered);
  const filter = (node: NodeInfo): PluginRejection | undefined => filterNode(filters, node, pod, snapshot);
  const nominated = snapshot.byName.get(pod.pod.status?.nominatedNodeName ?? "");
  if (nominated && !filter(nominated)) return { feasible: [nominated], statuses: [] };
  const { nodeNames } = prefiltered;
  const nodes = nodeNames ? [...nodeNames].flatMap((name) => snapshot.byName.get(name) ?? []) : snapshot.nodes;
  const enough = hasScores ? numFeasibleNodesToFind(nodes.length, percentageOfNodesToScore) : 1;
  return filterNodes(nodes, filter, startIndex, enough);
}

/** What plugins prepared, as it is passed to Reserve and the later stages. */
export const cycleState = (stages: readonly FilterStage[]): CycleState =>
  new Map(stages.map(({ plugin, state }) => [plugin.name, state]));

/** The verdicts and scores of the nodes that were evaluated. */
export interface Evaluation extends Filtered {
  readonly prefiltered: Prefiltered;
  /** Empty when at most one node passed. */
  readonly columns: readonly WeightedColumn[];
}

/** Filters and scores. */
export function evaluated(
  info: PodInfo,
  snapshot: Snapshot,
  plugins: readonly SchedulerPlugin[],
  options: PlacementOptions,
): Evaluation {
  const prefiltered = prefilter(info, snapshot, plugins);
  if (prefiltered.rejectedBy || snapshot.nodes.length === 0)
    return { prefiltered, feasible: [], statuses: [], columns: [] };
  const scorers = plugins.filter((plugin) => plugin.score);
  const { feasible, statuses } = feasibleNodes(info, snapshot, prefiltered, scorers.length > 0, options);
  const columns = feasible.length <= 1 ? [] : scoresOf(info, () => feasible, scorers, snapshot);
  return { prefiltered, feasible, statuses, columns };
}

/** What is known of a cycle in which no node passed. */
export const failedCycle = (
  info: PodInfo,
  snapshot: Snapshot,
  { prefiltered, statuses }: Pick<Evaluation, "prefiltered" | "statuses">,
  { kind }: PlacementOptions,
): FailedCycle => ({
  ...prefiltered,
  rejections: listedRejections(statuses, snapshot),
  tryOn: trials(filtersOf(prefiltered), info, snapshot),
  ...(kind !== undefined && { kind }),
});

/** Decides the node of a pod. Pure: the same pod, snapshot and options give the same placement. */
export function place(
  pod: Pod,
  snapshot: Snapshot,
  plugins: readonly SchedulerPlugin[],
  options: PlacementOptions = {},
): Placement {
  const info = podInfoOf(pod);
  const evaluation = evaluated(info, snapshot, plugins, options);
  const { prefiltered, feasible, statuses, columns } = evaluation;
  const reserving = reservingResults(prefiltered, plugins);
  const inputs = { pod, plugins, options, position: snapshot.position, reserving };
  const nodesVisited = feasible.length + statuses.length;
  if (feasible.length === 0) {
    const diagnosis = diagnosed(info, snapshot, plugins, failedCycle(info, snapshot, evaluation, options));
    return { outcome: "unschedulable", diagnosis, nodesVisited, inputs };
  }
  const scores = feasible.length === 1 ? [] : ranked(feasible, columns);
  const nodeName = scores[0]?.nodeName ?? feasible[0]!.name;
  return {
    outcome: "placed",
    nodeName,
    scores: () => scores,
    state: cycleState(prefiltered.stages),
    nodesVisited,
    inputs,
  };
}
