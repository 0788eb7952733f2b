// The nodes of a table that pass, with their normalised scores and their order, while single nodes change.
import type { SchedulerPlugin } from "./framework.ts";
import { weighted } from "./rank.ts";
import { type ScoreTree, scoreTree } from "./score-tree.ts";

/** Scores by one plugin. */
export interface Column {
  readonly plugin: SchedulerPlugin;
  readonly weight: number;
  /** From PreScore. */
  readonly state: unknown;
  /** By slot, neither weighted nor normalised. */
  readonly raw: number[];
}

/** Scores that depend on those of other nodes: weighted and normalised, by slot. */
export interface NormalizedScores {
  readonly columns: readonly { readonly plugin: string; readonly scores: Float64Array }[];
  readonly sums: Float64Array;
}

/** Normalises the columns over the nodes with these slots; `size` is greater than every slot. */
export function normalizedScores(columns: readonly Column[], slots: readonly number[], size: number): NormalizedScores {
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

/** What a selection reads of its table. */
export interface Rows {
  readonly columns: () => readonly Column[];
  /** By slot: the sums of the scores that are not normalised. */
  readonly plainScores: readonly number[];
  /** More than any slot. */
  readonly size: () => number;
  /** The slots of the nodes that belong to the selection, by the names of the nodes. */
  readonly members: () => readonly number[];
  /** The group of a node, by slot; absent when all are in one. */
  readonly groupOf?: readonly number[];
}

export interface NodeSelection {
  /** By the names of the nodes. */
  slots(): readonly number[];
  normalized(): NormalizedScores;
  /** Groups that have a node in the selection. */
  groups(): readonly number[];
  /** The slots of the best nodes, best first. `bonus` is added to all scores of a group. */
  best(count: number, bonus?: ReadonlyMap<number, number>): readonly number[];
}
export interface MaintainedSelection extends NodeSelection {
  /** The members have changed. */
  forgetMembers(): void;
  /** Scores that others are normalised with have changed. */
  forgetScores(): void;
  /** The plain score of one node has changed. */
  rescore(slot: number): void;
}

/** The nodes of one group in the order of their scores. */
interface Ranking {
  readonly slots: number[];
  tree: ScoreTree;
}
interface Ranks {
  /** The position of a node in its ranking, by slot. */
  readonly positions: readonly number[];
  readonly byGroup: ReadonlyMap<number, Ranking>;
}
const groupIn = ({ groupOf }: Rows, slot: number): number => groupOf?.[slot] ?? 0;

function ranksOf(rows: Rows, slots: readonly number[], scoreOf: (slot: number) => number): Ranks {
  const positions: number[] = [];
  const byGroup = new Map<number, Ranking>();
  for (const [group, members] of Map.groupBy(slots, (slot) => groupIn(rows, slot))) {
    for (const [position, slot] of members.entries()) positions[slot] = position;
    byGroup.set(group, { slots: members, tree: scoreTree(members.map(scoreOf)) });
  }
  return { positions, byGroup };
}

/** Merges the best nodes of every group; of equal ones the first in the order of names comes first. */
function merged(
  { byGroup }: Ranks,
  count: number,
  bonus: ReadonlyMap<number, number> | undefined,
  scoreOf: (slot: number) => number,
  isBefore: (a: number, b: number) => boolean,
): readonly number[] {
  const candidates = [...byGroup].flatMap(([group, { slots, tree }]) =>
    tree.greatest(count).map((position) => {
      const slot = slots[position]!;
      return { slot, total: scoreOf(slot) + (bonus?.get(group) ?? 0) };
    }),
  );
  if (byGroup.size > 1) candidates.sort((a, b) => b.total - a.total || (isBefore(a.slot, b.slot) ? -1 : 1));
  return candidates.slice(0, count).map(({ slot }) => slot);
}

/** Everything is computed when it is read first, and kept until it is forgotten. */
export function nodeSelection(rows: Rows): MaintainedSelection {
  let members: readonly number[] | undefined;
  let order: readonly number[] | undefined;
  let normalized: NormalizedScores | undefined;
  let ranks: Ranks | undefined;
  const slots = (): readonly number[] => {
    members ??= rows.members();
    return members;
  };
  const scores = (): NormalizedScores => {
    normalized ??= normalizedScores(rows.columns(), slots(), rows.size());
    return normalized;
  };
  const scoreOf = (slot: number): number => rows.plainScores[slot]! + scores().sums[slot]!;
  const ranked = (): Ranks => {
    ranks ??= ranksOf(rows, slots(), scoreOf);
    return ranks;
  };
  /** By slot: the place of a node among the names. */
  const nameOrder = (): readonly number[] => {
    if (order) return order;
    const places: number[] = [];
    for (const [i, slot] of slots().entries()) places[slot] = i;
    order = places;
    return places;
  };
  const forgetScores = (): void => {
    normalized = undefined;
    ranks = undefined;
  };
  return {
    slots,
    normalized: scores,
    groups: () => [...ranked().byGroup.keys()],
    best: (count, bonus) => merged(ranked(), count, bonus, scoreOf, (a, b) => nameOrder()[a]! < nameOrder()[b]!),
    forgetScores,
    forgetMembers() {
      members = undefined;
      order = undefined;
      forgetScores();
    },
    rescore(slot) {
      const position = ranks?.positions[slot];
      if (position !== undefined) ranks!.byGroup.get(groupIn(rows, slot))!.tree.set(position, scoreOf(slot));
    },
  };
}
