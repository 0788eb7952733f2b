// The scheduling cycle for pods of a kind that was seen before: what it reads is kept from pod to pod, so that a
// decision costs what has changed. Equal to `place` with all nodes evaluated. See
// docs/decisions/032-keep-what-decisions-read.md.
import type { Pod } from "../api/generated/types.ts";
import { key } from "../api/meta.ts";
import { diagnosed } from "./diagnosis.ts";
import type { FilterStage, NodeStatus, PluginRejection, Rejections, SchedulerPlugin, Snapshot } from "./framework.ts";
import { type NodeTable, nodeTable, rejectionCounter } from "./node-table.ts";
import { type NodeInfo, type PodInfo, podInfoOf } from "./node-info.ts";
import {
  cycleState,
  filterNode,
  filtersOf,
  firstRejection,
  place,
  type Placement,
  type PlacementOptions,
  prefilter,
  type Prefiltered,
  reservingResults,
  trials,
} from "./place.ts";
import { bestInOrder, keptScores, type NodeScore, scoresOf } from "./rank.ts";

/** Decides pods; keeps tables of nodes between them. */
export type Placer = typeof place;

/** The plugins of a profile by what they need to know of a pod. */
interface Profile {
  /** Filters and scores by the signature of the pod. */
  readonly signed: readonly SchedulerPlugin[];
  /** Filters and scores for every pod. */
  readonly unsigned: readonly SchedulerPlugin[];
  readonly scorers: readonly SchedulerPlugin[];
  readonly unsignedScorers: readonly SchedulerPlugin[];
  /** The names of the plugins that score, in order. */
  readonly scoring: readonly string[];
  /** Unsigned filters that are called before a signed one: theirs is the reason that is reported. */
  readonly early: ReadonlySet<SchedulerPlugin>;
  readonly kinds: Map<string, Kind>;
}
/** Pods with one signature. The table is made for the second of them. */
interface Kind {
  readonly id: string;
  readonly stages?: readonly FilterStage[];
  readonly table?: NodeTable;
  /** With these, `place` decides as it is decided here. */
  readonly options?: PlacementOptions;
  /** The plugins name nodes, or reject all: there is nothing to keep. */
  readonly isPlain?: boolean;
}

/** A table is filled for any pod of a kind: none of them is the one that is expected on a node. */
const nobody = key(undefined, "");

const everyNode: PlacementOptions = { percentageOfNodesToScore: 100 };

/** So many kinds are kept; the least recently used is dropped first. */
const maxKinds = 64;

function profileOf(plugins: readonly SchedulerPlugin[]): Profile {
  const all = plugins.filter(({ filter, score, preFilter }) => filter || score || preFilter);
  const signed = all.filter(({ sign }) => sign);
  const lastSigned = all.findLastIndex(({ sign, filter }) => sign && filter);
  return {
    signed,
    unsigned: all.filter(({ sign }) => !sign),
    scorers: signed.filter(({ score }) => score),
    scoring: all.filter(({ score }) => score).map(({ name }) => name),
    unsignedScorers: all.filter(({ score, sign }) => score && !sign),
    early: new Set(all.filter(({ sign, filter }, i) => filter && !sign && i < lastSigned)),
    kinds: new Map(),
  };
}

function built(id: string, pod: PodInfo, snapshot: Snapshot, { signed, scorers }: Profile): Kind {
  const prefiltered = prefilter(pod, snapshot, signed);
  if (prefiltered.rejectedBy || prefiltered.nodeNames) return { id, isPlain: true };
  const { stages } = prefiltered;
  const options = { ...everyNode, kind: id };
  return { id, stages, options, table: nodeTable(filtersOf(prefiltered), scorers, pod, snapshot) };
}

/** The kind of a pod. Its table, if it has one, is up to date. */
function kindOf(pod: PodInfo, snapshot: Snapshot, profile: Profile): Kind {
  const { signed, kinds } = profile;
  let id = String(pod.priority);
  for (const plugin of signed) id += `\n${plugin.sign!(pod)}`;
  const known = kinds.get(id);
  const isNew = known === undefined;
  const kind = isNew ? { id } : known.table || known.isPlain ? known : built(id, pod, snapshot, profile);
  kinds.delete(id);
  kinds.set(id, kind);
  if (kinds.size > maxKinds) kinds.delete(kinds.keys().next().value!);
  kind.table?.update({ ...pod, key: nobody }, snapshot);
  return kind;
}

/** A pod, its kind, and what the unsigned plugins prepared for it. */
interface Cycle {
  readonly info: PodInfo;
  readonly snapshot: Snapshot;
  readonly plugins: readonly SchedulerPlugin[];
  readonly profile: Profile;
  readonly kind: Kind & Required<Pick<Kind, "table" | "stages" | "options">>;
  readonly unsigned: Prefiltered;
}

/** The nodes that pass for this pod, and the rejections of the others. */
interface Verdicts {
  readonly slots: readonly number[];
  readonly counts: Rejections["counts"];
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

/** Applies the unsigned filters to the nodes that pass for the kind. */
function verdictsOf(cycle: Cycle): Verdicts {
  const { info, snapshot, kind, unsigned } = cycle;
  const { table } = kind;
  const filters = filtersOf(unsigned);
  const exceptions = exceptionsOf(cycle);
  if (filters.length + exceptions.size === 0)
    return { slots: table.feasible(), counts: table.counts, of: (slot) => table.rejections[slot] };
  const { counts, intern, replace } = rejectionCounter(table.counts);
  const rejections = [...table.rejections];
  const slots: number[] = [];
  for (const slot of exceptions.size > 0 ? snapshot.slotsByName : table.feasible()) {
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
  const isAll = exceptions.size === 0 && slots.length === table.feasible().length;
  return { slots: isAll ? table.feasible() : slots, counts, of: (slot) => rejections[slot] };
}

const rejectionsOf = ({ counts, of }: Verdicts, { slotsByName, bySlot }: Snapshot): Rejections => ({
  counts,
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

/** The nodes by the scores of their kind and those of the unsigned plugins: the best one, and the best with scores. */
function scored({ info, snapshot, profile, kind }: Cycle, slots: readonly number[]) {
  const { table } = kind;
  const nodes = (): readonly NodeInfo[] => slots.map((slot) => snapshot.bySlot[slot]!);
  const columns = scoresOf(info, nodes, profile.unsignedScorers, snapshot);
  const normalized = table.normalizedScores(slots);
  const { plainScores } = table;
  const totals = (): readonly number[] => {
    const sums = slots.map((slot) => plainScores[slot]! + normalized.sums[slot]!);
    for (const { scores } of columns) for (let i = 0; i < sums.length; i++) sums[i]! += scores[i]!;
    return sums;
  };
  const isKept = columns.length === 0 && slots === table.feasible();
  const best = (count: number): readonly { readonly slot: number; readonly i: number }[] =>
    isKept
      ? table.best(count).map((slot) => ({ slot, i: 0 }))
      : bestInOrder(totals(), count).map((i) => ({ slot: slots[i]!, i }));
  const scoreOf = ({ slot, i }: { readonly slot: number; readonly i: number }): NodeScore => {
    const byPlugin: Record<string, number> = {};
    let sum = 0;
    for (const name of profile.scoring) {
      const score = table.scoreBy(name, slot, normalized) ?? columns.find(({ plugin }) => plugin === name)?.scores[i];
      if (score === undefined) continue;
      byPlugin[name] = score;
      sum += score;
    }
    return { nodeName: snapshot.bySlot[slot]!.name, total: sum, byPlugin };
  };
  return { best: best(1)[0]!.slot, scores: () => best(keptScores).map(scoreOf) };
}

function decide(cycle: Cycle): Placement {
  const { info, snapshot, plugins, kind, unsigned } = cycle;
  const nodesVisited = snapshot.nodes.length;
  const stages = [...kind.stages, ...unsigned.stages];
  const verdicts = verdictsOf(cycle);
  const nominated = snapshot.byName.get(info.pod.status?.nominatedNodeName ?? "");
  const slots = nominated && !verdicts.of(nominated.slot) ? [nominated.slot] : verdicts.slots;
  const isByKind = filtersOf(unsigned).length === 0;
  const options = isByKind ? kind.options : everyNode;
  const reserving = reservingResults(unsigned, plugins);
  const inputs = { pod: info.pod, plugins, options, position: snapshot.position, reserving };
  if (slots.length === 0) {
    const prefiltered = { ...unsigned, stages };
    const diagnosis = diagnosed(info, snapshot, plugins, {
      ...prefiltered,
      rejections: rejectionsOf(verdicts, snapshot),
      tryOn: trials(filtersOf(prefiltered), info, snapshot),
      ...(isByKind && { kind: kind.id }),
    });
    return { outcome: "unschedulable", diagnosis, nodesVisited, inputs };
  }
  const { best, scores } = slots.length === 1 ? { best: slots[0]!, scores: () => [] } : scored(cycle, slots);
  const nodeName = snapshot.bySlot[best]!.name;
  return { outcome: "placed", nodeName, scores, state: cycleState(stages), nodesVisited, inputs };
}

/** No pods seen yet. The first pod of a kind, and one whose plugins cannot be prepared, is decided by `place`. */
export function preparedPlacer(): Placer {
  const profiles = new Map<readonly SchedulerPlugin[], Profile>();
  return (pod: Pod, snapshot: Snapshot, plugins: readonly SchedulerPlugin[], options?: PlacementOptions): Placement => {
    const profile = profiles.get(plugins) ?? profileOf(plugins);
    profiles.set(plugins, profile);
    if (profile.scorers.length === 0 || snapshot.nodes.length === 0) return place(pod, snapshot, plugins, options);
    const info = podInfoOf(pod);
    const { id, table, stages, options: kindOptions } = kindOf(info, snapshot, profile);
    if (!table || !stages || !kindOptions) return place(pod, snapshot, plugins, options);
    const unsigned = prefilter(info, snapshot, profile.unsigned);
    const isEarly = unsigned.stages.some(({ plugin }) => profile.early.has(plugin));
    if (isEarly || unsigned.rejectedBy || unsigned.nodeNames) return place(pod, snapshot, plugins, options);
    return decide({ info, snapshot, plugins, profile, kind: { id, table, stages, options: kindOptions }, unsigned });
  };
}
