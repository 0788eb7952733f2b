// The scheduling cycle for pods of a kind that was seen before: what it reads is kept from pod to pod, so that a
// decision costs what has changed. Equal to `place` with all nodes evaluated. See
// docs/decisions/032-keep-what-decisions-read.md.
import type { Pod } from "../api/generated/types.ts";
import { key } from "../api/meta.ts";
import type { FilterStage, SchedulerPlugin, Snapshot } from "./framework.ts";
import { type NodeTable, nodeTable } from "./node-table.ts";
import { type PodInfo, podInfoOf } from "./node-info.ts";
import { filtersOf, place, type Placement, type PlacementOptions, prefilter } from "./place.ts";
import { decide } from "./prepared-cycle.ts";

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
  for (const plugin of signed) id += `\n${plugin.sign!(pod, snapshot)}`;
  const known = kinds.get(id);
  const isNew = known === undefined;
  const kind = isNew ? { id } : known.table || known.isPlain ? known : built(id, pod, snapshot, profile);
  kinds.delete(id);
  kinds.set(id, kind);
  if (kinds.size > maxKinds) kinds.delete(kinds.keys().next().value!);
  kind.table?.update({ ...pod, key: nobody }, snapshot);
  return kind;
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
    const { unsignedScorers, scoring } = profile;
    const isByKind = filtersOf(unsigned).length === 0;
    const kind = { id, table, stages, options: isByKind ? kindOptions : everyNode };
    return decide({ info, snapshot, plugins, kind, unsigned, unsignedScorers, scoring });
  };
}
