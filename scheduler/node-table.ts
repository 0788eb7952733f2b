// The verdicts and scores of all nodes for pods of one kind: those whose signatures (framework.ts) are equal. A change
// of a node costs one evaluation of that node. See docs/decisions/032-keep-what-decisions-read.md.
import { sameJson } from "../api/hash.ts";
import { type FilterStage, type PluginRejection, type SchedulerPlugin, skip, type Snapshot } from "./framework.ts";
import type { NodeInfo, PodInfo } from "./node-info.ts";
import { filterNode } from "./place.ts";
import { weighted } from "./rank.ts";
import { type ScoreTree, scoreTree } from "./score-tree.ts";

/** Scores by one plugin. */
interface Column {
  readonly plugin: SchedulerPlugin;
  readonly weight: number;
  /** From PreScore. */
  readonly state: unknown;
  /** By slot, neither weighted nor normalised. */
  readonly raw: number[];
}
/** Counts of rejections. */
export type RejectionCounts = ReadonlyMap<PluginRejection, number>;

/** Scores that depend on those of other nodes: weighted and normalised, by slot. */
export interface NormalizedScores {
  readonly columns: readonly { readonly plugin: string; readonly scores: Float64Array }[];
  readonly sums: Float64Array;
}

export interface NodeTable {
  /** Evaluates the nodes that have changed since the last call. `pod` is any pod of the kind. */
  update(pod: PodInfo, snapshot: Snapshot): void;
  /** By slot: why the node will not do. */
  readonly rejections: readonly (PluginRejection | undefined)[];
  readonly counts: RejectionCounts;
  /** The slots of nodes that pass, by the names of the nodes. */
  feasible(): readonly number[];
  /** The slots of the best of them, best first. */
  best(count: number): readonly number[];
  /** By slot: the sums of the scores that are not normalised. */
  readonly plainScores: readonly number[];
  /** For nodes that pass, all or some of them. */
  normalizedScores(slots: readonly number[]): NormalizedScores;
  /** The weighted score of one node by a plugin; undefined when the plugin does not score pods of the kind. */
  scoreBy(plugin: string, slot: number, normalized: NormalizedScores): number | undefined;
}

const maxStatuses = 1_000;
/** Counts rejections. Equal ones are one value, so that they can be compared by identity. */
export function rejectionCounter(initial: RejectionCounts = new Map()) {
  const byStatus = Map.groupBy(initial.keys(), ({ status }) => status);
  const counts = new Map(initial);
  const change = (rejection: PluginRejection, by: 1 | -1): void => {
    const count = (counts.get(rejection) ?? 0) + by;
    if (count > 0) counts.set(rejection, count);
    else counts.delete(rejection);
  };
  return {
    counts,
    intern(rejection: PluginRejection): PluginRejection {
      const equal = byStatus.get(rejection.status) ?? [];
      const found = equal.find(({ plugin }) => plugin === rejection.plugin);
      if (found) return found;
      // Two values for equal rejections cost time, not correctness.
      if (byStatus.size >= maxStatuses) byStatus.clear();
      byStatus.set(rejection.status, [...equal, rejection]);
      return rejection;
    },
    replace(before: PluginRejection | undefined, after: PluginRejection | undefined): void {
      if (before === after) return;
      if (before) change(before, -1);
      if (after) change(after, 1);
    },
  };
}

/** The columns of a pod's kind. Only those of plugins that score by the cluster change as a whole. */
function columnsFor(scorers: readonly SchedulerPlugin[], pod: PodInfo, snapshot: Snapshot) {
  const prepared = (plugin: SchedulerPlugin, state: unknown): readonly Column[] =>
    state === skip ? [] : [{ plugin, weight: plugin.weight ?? 1, state, raw: [] }];
  const stateOf = (plugin: SchedulerPlugin, of: PodInfo, now: Snapshot): unknown =>
    plugin.preScore?.(of, () => now.nodes, now);
  let columns = scorers.flatMap((plugin) => prepared(plugin, stateOf(plugin, pod, snapshot)));
  return {
    all: () => columns,
    /** The columns as of now; returns whether one has no scores yet, or is gone. */
    refresh(of: PodInfo, now: Snapshot): boolean {
      const before = columns;
      columns = scorers.flatMap((plugin) => {
        const column = before.find((c) => c.plugin === plugin);
        if (!plugin.scoresByCluster) return column ?? [];
        const state = stateOf(plugin, of, now);
        return column && sameJson(column.state, state) ? column : prepared(plugin, state);
      });
      return columns.length !== before.length || columns.some((column, i) => column !== before[i]);
    },
  };
}

function normalizedScores(columns: readonly Column[], slots: readonly number[], size: number): NormalizedScores {
  const sums = new Float64Array(size);
  const found = columns.flatMap(({ plugin, raw }) => {
    if (!plugin.normalizeScore) return [];
    const scores = new Float64Array(size);
    const column = weighted(
      plugin,
      slots.map((slot) => raw[slot]!),
    );
    for (let i = 0; i < slots.length; i++) {
      scores[slots[i]!] = column.scores[i]!;
      sums[slots[i]!]! += column.scores[i]!;
    }
    return [{ plugin: plugin.name, scores }];
  });
  return { columns: found, sums };
}

function scoreBy(
  name: string,
  slot: number,
  columns: readonly Column[],
  normalized: NormalizedScores["columns"],
): number | undefined {
  for (const { plugin, scores } of normalized) if (plugin === name) return scores[slot];
  for (const { plugin, weight, raw } of columns) if (plugin.name === name) return weight * raw[slot]!;
  return undefined;
}

/** Nodes that pass, best first, while single nodes change. */
function ranking() {
  let positions: readonly number[] = [];
  let slots: readonly number[] = [];
  let tree: ScoreTree | undefined;
  return {
    isBuilt: () => tree !== undefined,
    reset(): void {
      tree = undefined;
    },
    build(order: readonly number[], scoreOf: (slot: number) => number): void {
      slots = order;
      const bySlot: number[] = [];
      for (const [position, slot] of order.entries()) bySlot[slot] = position;
      positions = bySlot;
      tree = scoreTree(order.map(scoreOf));
    },
    set: (slot: number, score: number): void => tree?.set(positions[slot]!, score),
    best: (count: number): readonly number[] => tree!.greatest(count).map((position) => slots[position]!),
  };
}

/** All nodes, evaluated for this pod's kind. `stages` are its filters, with what they prepared for the pod. */
export function nodeTable(
  stages: readonly FilterStage[],
  scorers: readonly SchedulerPlugin[],
  first: PodInfo,
  built: Snapshot,
): NodeTable {
  const rejections: (PluginRejection | undefined)[] = [];
  const { counts, intern, replace } = rejectionCounter();
  const columns = columnsFor(scorers, first, built);
  const plain: number[] = [];
  // The current set of nodes that pass, their normalised scores, and their order.
  let passing: readonly number[] | undefined;
  let normalized: NormalizedScores | undefined;
  const ranks = ranking();
  let order = built.slotsByName;
  let position = 0;

  const forget = (what: "set" | "scores"): void => {
    if (what === "set") passing = undefined;
    normalized = undefined;
    ranks.reset();
  };
  const score = (node: NodeInfo, pod: PodInfo): void => {
    let sum = 0;
    for (const { plugin, weight, state, raw } of columns.all()) {
      const before = raw[node.slot];
      const value = plugin.score!(state, node, pod);
      raw[node.slot] = value;
      if (!plugin.normalizeScore) sum += weight * value;
      else if (before !== value) forget("scores");
    }
    plain[node.slot] = sum;
    if (normalized) ranks.set(node.slot, sum + normalized.sums[node.slot]!);
  };
  const evaluate = (slot: number, pod: PodInfo, snapshot: Snapshot): void => {
    const node = snapshot.bySlot[slot];
    const before = rejections[slot];
    const found = node && filterNode(stages, node, pod, snapshot);
    const after = found && intern(found);
    if ((before === undefined) !== (after === undefined)) forget("set");
    replace(before, after);
    rejections[slot] = after;
    if (node && !after) score(node, pod);
  };
  const feasible = (): readonly number[] => {
    passing ??= order.filter((slot) => rejections[slot] === undefined);
    return passing;
  };
  const normalizedFor = (slots: readonly number[]): NormalizedScores => {
    if (slots !== feasible()) return normalizedScores(columns.all(), slots, rejections.length);
    normalized ??= normalizedScores(columns.all(), slots, rejections.length);
    return normalized;
  };
  return {
    rejections,
    counts,
    feasible,
    plainScores: plain,
    normalizedScores: normalizedFor,
    update(pod, snapshot) {
      if (order !== snapshot.slotsByName) forget("set");
      order = snapshot.slotsByName;
      const changed = snapshot.changes.since(position) ?? new Set([...rejections.keys(), ...order]);
      position = snapshot.changes.position;
      if (columns.refresh(pod, snapshot)) {
        forget("scores");
        for (const slot of order) if (rejections[slot] === undefined) score(snapshot.bySlot[slot]!, pod);
      }
      for (const slot of changed) evaluate(slot, pod, snapshot);
    },
    best(count) {
      const { sums } = normalizedFor(feasible());
      if (!ranks.isBuilt()) ranks.build(feasible(), (slot) => plain[slot]! + sums[slot]!);
      return ranks.best(count);
    },
    scoreBy: (plugin, slot, { columns: found }) => scoreBy(plugin, slot, columns.all(), found),
  };
}
