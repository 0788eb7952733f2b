// Decides the pods of a group one after the other, each beside those before it: enough of them find nodes, or the
// group has none. Source: KEP-4671.
import type { Pod } from "../../api/generated/types.ts";
import type { PluginRejection } from "../framework.ts";
import type { Placed, Placement } from "../place.ts";

/** How many pods have to be on nodes for any of them to be bound. */
export interface Quorum {
  /** Zero for a group whose pods are scheduled each on its own. */
  readonly minCount: number;
  /** Members that have a node already. */
  readonly scheduled: number;
}

/** A cluster in which pods of the group can be counted on nodes. */
export interface GroupTrial {
  place(pod: Pod): Placement | Promise<Placement>;
  /** Counts the pod on its node for the next pods, unless a plugin rejects it. */
  assume(pod: Pod, placement: Placed): PluginRejection | undefined;
}
/** The decision about one pod. */
export interface MemberDecision {
  readonly pod: Pod;
  readonly placement: Placement;
  /** By the plugin that rejected it on the node that was found. */
  readonly rejection?: PluginRejection;
}
export interface GroupDecision {
  /** Every pod that found a node is bound; otherwise none is. */
  readonly isScheduled: boolean;
  /** In the order of the pods. */
  readonly members: readonly MemberDecision[];
}

/** Whether the pod was counted on a node. */
export const isAssumed = ({ placement, rejection }: MemberDecision): boolean =>
  placement.outcome === "placed" && rejection === undefined;

/** A pod that finds no node does not keep the others from theirs, as long as there are enough of them. */
export async function placeGroup(
  pods: readonly Pod[],
  { minCount, scheduled }: Quorum,
  trial: GroupTrial,
): Promise<GroupDecision> {
  const members: MemberDecision[] = [];
  for (const pod of pods) {
    const found = trial.place(pod);
    const placement = found instanceof Promise ? await found : found;
    const rejection = placement.outcome === "placed" ? trial.assume(pod, placement) : undefined;
    members.push({ pod, placement, ...(rejection && { rejection }) });
  }
  const assumed = members.filter(isAssumed).length;
  return { isScheduled: assumed > 0 && scheduled + assumed >= minCount, members };
}
