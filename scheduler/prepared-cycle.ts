// A scheduling cycle for a pod whose kind has a table of all nodes. What the unsigned plugins say is added to it: once
// per group of nodes where they look at topology domains only, otherwise node by node.
import { diagnosed } from "./diagnosis.ts";
import {
  type FilterStage,
  type NodeStatus,
  type PluginRejection,
  type Rejections,
  type SchedulerPlugin,
  skip,
  type Snapshot,
} from "./framework.ts";
import type { NodeInfo, PodInfo } from "./node-info.ts";
import type { NodeSelection } from "./node-selection.ts";
import { type NodeTable, rejectionCounter } from "./node-table.ts";
import {
  cycleState,
  filterNode,
  filtersOf,
  firstRejection,
  type Placement,
  type PlacementOptions,
  type Prefiltered,
  reservingResults,
  trials,
} from "./place.ts";
import { bestInOrder, keptScores, type NodeScore, weighted } from "./rank.ts";
import type { TopologyKey } from "./topology/domains.ts";

/** A pod, the table of its kind, and what the unsigned plugins prepared for it. */
export interface Cycle {
  readonly info: PodInfo;
  readonly snapshot: Snapshot;
  readonly plugins: readonly SchedulerPlugin[];
  readonly kind: {
    readonly id: string;
    readonly stages: readonly FilterStage[];
    readonly table: NodeTable;
    /** With these, `place` decides as it is decided here. */
    readonly options: PlacementOptions;
  };
  readonly unsigned: Prefiltered;
  readonly unsignedScorers: readonly SchedulerPlugin[];
  /** The names of the plugins that score, in order. */
  readonly scoring: readonly string[];
}

/** The nodes that pass for this pod, and the rejections of the others. */
interface Verdicts {
  readonly slots: readonly number[];
  readonly counts: () => Rejections["counts"];
  of(slot: number): PluginRejection | undefined;
}

/** Verdicts that do not follow from the kind: of nodes where this pod is expected, or any beside unsigned filters. */
function exceptionsOf({ info, snapshot, kind, unsigned }: Cycle): ReadonlyMap<number, PluginRejection | undefined> {
  const own = info.pod.status?.nominatedNodeName;
  const names = [...(own ? [own] : []), ...(filtersOf(unsigned).length > 0 ? snapshot.nominated.keys() : [])];
  const filters = filtersOf({ ...unsigned, stages: [...kind.stages, ...unsigned.stages] });
  return new Map(
    names.flatMap((name) => {
      const node = snapshot.byName.get(name);
      return node ? [[node.slot, filterNode(filters, node, info, snapshot)] as const] : [];
    }),
  );
}

type Exceptions = ReturnType<typeof exceptionsOf>;

/** The scores of a node by every plugin that scored it. `unsigned` are those of plugins without a signature. */
function nodeScore(
  { snapshot, scoring, kind: { table } }: Cycle,
  slot: number,
  normalized: Parameters<NodeTable["scoreBy"]>[2],
  unsigned: (plugin: string) => number | undefined,
): NodeScore {
  const byPlugin: Record<string, number> = {};
  let total = 0;
  for (const name of scoring) {
    const score = table.scoreBy(name, slot, normalized) ?? unsigned(name);
    if (score === undefined) continue;
    byPlugin[name] = score;
    total += score;
  }
  return { nodeName: snapshot.bySlot[slot]!.name, total, byPlugin };
}

interface ScoreStage {
  readonly plugin: SchedulerPlugin;
  readonly state: unknown;
}
/** The unsigned plugins that score this pod, prepared. `slots` are the nodes that pass. */
const scoreStages = ({ info, snapshot, unsignedScorers }: Cycle, slots: () => readonly number[]) =>
  unsignedScorers.flatMap((plugin): readonly ScoreStage[] => {
    const feasible = (): readonly NodeInfo[] => slots().map((slot) => snapshot.bySlot[slot]!);
    const state = plugin.preScore?.(info, feasible, snapshot);
    return state === skip ? [] : [{ plugin, state }];
  });

/** The best of all nodes that pass for the kind. */
function bestOfKind(cycle: Cycle, count: number): readonly NodeScore[] {
  const { feasible } = cycle.kind.table;
  const normalized = feasible.normalized();
  return feasible.best(count).map((slot) => nodeScore(cycle, slot, normalized, () => undefined));
}

/** The best of some nodes, each scored by the unsigned plugins. */
function bestByNode(
  cycle: Cycle,
  slots: readonly number[],
  stages: readonly ScoreStage[],
  count: number,
): readonly NodeScore[] {
  const { info, snapshot, kind } = cycle;
  const { plainScores, normalizedScores, feasible } = kind.table;
  if (stages.length === 0 && slots === feasible.slots()) return bestOfKind(cycle, count);
  const columns = stages.map(({ plugin, state }) =>
    weighted(
      plugin,
      slots.map((slot) => plugin.score!(state, snapshot.bySlot[slot]!, info)),
    ),
  );
  const normalized = normalizedScores(slots);
  const totals = slots.map((slot) => plainScores[slot]! + normalized.sums[slot]!);
  for (const { scores } of columns) for (let i = 0; i < totals.length; i++) totals[i]! += scores[i]!;
  return bestInOrder(totals, count).map((i) =>
    nodeScore(cycle, slots[i]!, normalized, (name) => columns.find(({ plugin }) => plugin === name)?.scores[i]),
  );
}

/** Applies the unsigned filters to each node that passes for the kind. */
function verdictsByNode(cycle: Cycle, exceptions: Exceptions): Verdicts {
  const { info, snapshot, kind, unsigned } = cycle;
  const { table } = kind;
  const filters = filtersOf(unsigned);
  const feasible = table.feasible.slots();
  if (filters.length + exceptions.size === 0)
    return { slots: feasible, counts: () => table.counts, of: (slot) => table.rejections[slot] };
  const { counts, intern, replace } = rejectionCounter(table.counts);
  const rejections = [...table.rejections];
  const slots: number[] = [];
  for (const slot of exceptions.size > 0 ? snapshot.slotsByName : feasible) {
    const before = table.rejections[slot];
    const isException = exceptions.has(slot);
    if (before && !isException) continue;
    const found = isException ? exceptions.get(slot) : firstRejection(filters, snapshot.bySlot[slot]!, info);
    const after = found && intern(found);
    replace(before, after);
    rejections[slot] = after;
    if (!after) slots.push(slot);
  }
  // What is kept for the nodes that pass for the kind is kept for this very array.
  const isAll = exceptions.size === 0 && slots.length === feasible.length;
  return { slots: isAll ? feasible : slots, counts: () => counts, of: (slot) => rejections[slot] };
}

/** All topologies by which the unsigned plugins look at nodes; undefined when one of them looks at single nodes. */
function topologiesOf(filters: readonly FilterStage[], scores: readonly ScoreStage[]) {
  const found = new Map<string, TopologyKey>();
  const lists = [
    ...filters.map(({ plugin, state }) => plugin.filterTopologies?.(state)),
    ...scores.map(({ plugin, state }) => plugin.scoreTopologies?.(state)),
  ];
  for (const list of lists) {
    if (!list) return undefined;
    for (const topology of list) found.set(topology.key, topology);
  }
  return [...found.values()];
}

/** The best nodes of a selection. Scores of the unsigned plugins are those of one node of each group. */
function bestByGroup(
  cycle: Cycle,
  selection: NodeSelection,
  stages: readonly ScoreStage[],
  { examples, groupOf }: { readonly examples: readonly number[]; readonly groupOf: readonly number[] },
  count: number,
): readonly NodeScore[] {
  const { info, snapshot } = cycle;
  const numbers = selection.groups();
  const bonus = new Map<number, number>();
  const columns = stages.map(({ plugin, state }) => {
    const raw = numbers.map((group) => plugin.score!(state, snapshot.bySlot[examples[group]!]!, info));
    const { scores } = weighted(plugin, raw);
    for (const [i, group] of numbers.entries()) bonus.set(group, (bonus.get(group) ?? 0) + scores[i]!);
    return { name: plugin.name, scores: new Map(numbers.map((group, i) => [group, scores[i]!])) };
  });
  const normalized = selection.normalized();
  return selection
    .best(count, bonus)
    .map((slot) =>
      nodeScore(cycle, slot, normalized, (plugin) =>
        columns.find((c) => c.name === plugin)?.scores.get(groupOf[slot]!),
      ),
    );
}

/** The verdicts of the unsigned filters, and the best nodes. */
interface Result extends Verdicts {
  readonly best: (count: number) => readonly NodeScore[];
}

/** Applies the unsigned plugins to groups of nodes; undefined when they look at single nodes or groups are many. */
function byGroup(cycle: Cycle, stages: readonly ScoreStage[]): Result | undefined {
  const { info, snapshot, kind, unsigned } = cycle;
  const { table } = kind;
  const filters = filtersOf(unsigned);
  const topologies = topologiesOf(filters, stages);
  const groups = topologies && table.groups(topologies);
  if (!groups) return undefined;
  const { intern } = rejectionCounter();
  const rejections = groups.examples.map((slot) => {
    const found = firstRejection(filters, snapshot.bySlot[slot]!, info);
    return found && intern(found);
  });
  const selection = table.feasibleIn([...rejections.keys()].filter((group) => rejections[group] === undefined));
  const of = (slot: number): PluginRejection | undefined => table.rejections[slot] ?? rejections[groups.groupOf[slot]!];
  return {
    slots: selection.slots(),
    of,
    counts() {
      const { counts, replace } = rejectionCounter(table.counts);
      for (const slot of table.feasible.slots()) replace(undefined, of(slot));
      return counts;
    },
    best: (count) => bestByGroup(cycle, selection, stages, groups, count),
  };
}

function resultOf(cycle: Cycle): Result {
  const exceptions = exceptionsOf(cycle);
  let verdicts: Verdicts | undefined;
  const eachNode = (): Verdicts => {
    verdicts ??= verdictsByNode(cycle, exceptions);
    return verdicts;
  };
  const stages = scoreStages(cycle, () => eachNode().slots);
  const hasUnsigned = filtersOf(cycle.unsigned).length + stages.length > 0;
  const grouped = hasUnsigned && exceptions.size === 0 ? byGroup(cycle, stages) : undefined;
  return grouped ?? { ...eachNode(), best: (count) => bestByNode(cycle, eachNode().slots, stages, count) };
}

const rejectionsOf = ({ counts, of }: Verdicts, { slotsByName, bySlot }: Snapshot): Rejections => ({
  counts: counts(),
  of,
  nodes(limit = Number.POSITIVE_INFINITY) {
    const found: NodeStatus[] = [];
    for (const slot of slotsByName) {
      if (found.length >= limit) break;
      const rejection = of(slot);
      if (rejection) found.push({ nodeName: bySlot[slot]!.name, ...rejection });
    }
    return found;
  },
});

/** Decides a pod. The table of its kind is up to date. */
export function decide(cycle: Cycle): Placement {
  const { info, snapshot, plugins, kind, unsigned } = cycle;
  const stages = [...kind.stages, ...unsigned.stages];
  const result = resultOf(cycle);
  const reserving = reservingResults(unsigned, plugins);
  const common = {
    nodesVisited: snapshot.nodes.length,
    inputs: { pod: info.pod, plugins, options: kind.options, position: snapshot.position, reserving },
  };
  const state = cycleState(stages);
  const nominated = snapshot.byName.get(info.pod.status?.nominatedNodeName ?? "");
  if (nominated && !result.of(nominated.slot))
    return { outcome: "placed", nodeName: nominated.name, scores: () => [], state, ...common };
  const { slots } = result;
  if (slots.length === 0) {
    const prefiltered = { ...unsigned, stages };
    const diagnosis = diagnosed(info, snapshot, plugins, {
      ...prefiltered,
      rejections: rejectionsOf(result, snapshot),
      tryOn: trials(filtersOf(prefiltered), info, snapshot),
      ...(filtersOf(unsigned).length === 0 && { kind: kind.id }),
    });
    return { outcome: "unschedulable", diagnosis, ...common };
  }
  const best = (count: number): readonly NodeScore[] => (slots.length === 1 ? [] : result.best(count));
  const nodeName = best(1)[0]?.nodeName ?? snapshot.bySlot[slots[0]!]!.name;
  return { outcome: "placed", nodeName, scores: () => best(keptScores), state, ...common };
}
