// The verdicts and scores of all nodes for pods of one kind: those whose signatures (framework.ts) are equal. A change
// of a node costs one evaluation of that node. See docs/decisions/032-keep-what-decisions-read.md.
import { sameJson } from "../api/hash.ts";
import { type FilterStage, type PluginRejection, type SchedulerPlugin, skip, type Snapshot } from "./framework.ts";
import { type NodeGroups, nodeGroups } from "./node-groups.ts";
import type { NodeInfo, PodInfo } from "./node-info.ts";
import {
  type Column,
  type MaintainedSelection,
  type NodeSelection,
  nodeSelection,
  type NormalizedScores,
  normalizedScores,
  type Rows,
} from "./node-selection.ts";
import { filterNode } from "./place.ts";
import type { TopologyKey } from "./topology/domains.ts";

/** Counts of rejections. */
export type RejectionCounts = ReadonlyMap<PluginRejection, number>;

export interface NodeTable {
  /** Evaluates the nodes that have changed since the last call. `pod` is any pod of the kind. */
  update(pod: PodInfo, snapshot: Snapshot): void;
  /** By slot: why the node will not do. */
  readonly rejections: readonly (PluginRejection | undefined)[];
  readonly counts: RejectionCounts;
  /** By slot: the sums of the scores that are not normalised. */
  readonly plainScores: readonly number[];
  /** The nodes that pass. */
  readonly feasible: NodeSelection;
  /** The nodes by their domains; undefined when these are many. */
  groups(topologies: readonly TopologyKey[]): NodeGroups | undefined;
  /** The nodes that pass and are in one of these groups, which are the latest that were read. */
  feasibleIn(groups: readonly number[]): NodeSelection;
  /** For some of the nodes that pass. */
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

/** So many selections of groups are kept; the least recently used is dropped first. */
const maxSelections = 8;

/** The selections of a table, made when they are read first. */
function selectionsOf(rows: Omit<Rows, "groupOf">) {
  const feasible = nodeSelection(rows);
  const inGroups = new Map<string, MaintainedSelection>();
  let [topologies, groups, isKnown] = ["", undefined as NodeGroups | undefined, false];
  const forgetGroups = (): void => {
    inGroups.clear();
    isKnown = false;
  };
  return {
    feasible,
    forgetGroups,
    each(change: (selection: MaintainedSelection) => void): void {
      change(feasible);
      for (const selection of inGroups.values()) change(selection);
    },
    /** A node has changed: it may be in another group now. */
    regroup(slot: number): void {
      if (isKnown && groups && !groups.isCurrent(slot)) forgetGroups();
    },
    groups(keys: readonly TopologyKey[], slots: readonly number[]): NodeGroups | undefined {
      const id = JSON.stringify(keys.map(({ key }) => key));
      if (isKnown && id === topologies) return groups;
      forgetGroups();
      [topologies, groups, isKnown] = [id, nodeGroups(keys, slots), true];
      return groups;
    },
    feasibleIn(numbers: readonly number[]): NodeSelection {
      const { groupOf } = groups!;
      const id = numbers.join();
      const selected = new Set(numbers);
      const members = (): readonly number[] => feasible.slots().filter((slot) => selected.has(groupOf[slot]!));
      const selection = inGroups.get(id) ?? nodeSelection({ ...rows, members, groupOf });
      inGroups.delete(id);
      inGroups.set(id, selection);
      if (inGroups.size > maxSelections) inGroups.delete(inGroups.keys().next().value!);
      return selection;
    },
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
  const plainScores: number[] = [];
  let order = built.slotsByName;
  let position = 0;
  const size = (): number => rejections.length;
  const members = (): readonly number[] => order.filter((slot) => rejections[slot] === undefined);
  const selections = selectionsOf({ columns: columns.all, plainScores, size, members });
  const forgetMembers = (): void => selections.each((selection) => selection.forgetMembers());
  const forgetScores = (): void => selections.each((selection) => selection.forgetScores());

  const score = (node: NodeInfo, pod: PodInfo): void => {
    let sum = 0;
    for (const { plugin, weight, state, raw } of columns.all()) {
      const before = raw[node.slot];
      const value = plugin.score!(state, node, pod);
      raw[node.slot] = value;
      if (!plugin.normalizeScore) sum += weight * value;
      else if (before !== value) forgetScores();
    }
    plainScores[node.slot] = sum;
    selections.each((selection) => selection.rescore(node.slot));
  };
  const evaluate = (slot: number, pod: PodInfo, snapshot: Snapshot): void => {
    const node = snapshot.bySlot[slot];
    const before = rejections[slot];
    const found = node && filterNode(stages, node, pod, snapshot);
    const after = found && intern(found);
    if ((before === undefined) !== (after === undefined)) forgetMembers();
    replace(before, after);
    rejections[slot] = after;
    if (node) selections.regroup(slot);
    if (node && !after) score(node, pod);
  };
  return {
    rejections,
    counts,
    plainScores,
    feasible: selections.feasible,
    groups: (topologies) => selections.groups(topologies, order),
    feasibleIn: selections.feasibleIn,
    normalizedScores: (slots) =>
      slots === selections.feasible.slots()
        ? selections.feasible.normalized()
        : normalizedScores(columns.all(), slots, size()),
    update(pod, snapshot) {
      if (order !== snapshot.slotsByName) {
        forgetMembers();
        selections.forgetGroups();
      }
      order = snapshot.slotsByName;
      const changed = snapshot.changes.since(position) ?? new Set([...rejections.keys(), ...order]);
      position = snapshot.changes.position;
      if (columns.refresh(pod, snapshot)) {
        forgetScores();
        for (const slot of order) if (rejections[slot] === undefined) score(snapshot.bySlot[slot]!, pod);
      }
      for (const slot of changed) evaluate(slot, pod, snapshot);
    },
    scoreBy: (plugin, slot, { columns: found }) => scoreBy(plugin, slot, columns.all(), found),
  };
}
