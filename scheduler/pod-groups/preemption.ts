// Makes room for a group that does not fit: finds out who has to leave, and where the group's pods are expected then.
import { conditionOf } from "../../api/core/pod/status.ts";
import type { Pod, PodGroup } from "../../api/generated/types.ts";
import { type Key, keyOf } from "../../api/meta.ts";
import { podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import { podGroupKeyOf, podGroups } from "../../api/scheduling/podgroups.ts";
import type { PodInfo } from "../node-info.ts";
import type { CyclePorts } from "../ports.ts";
import type { Profile } from "../profiles.ts";
import type { Assumptions } from "./assumptions.ts";
import { type GroupDecision, isAssumed, placeGroup, type Quorum } from "./place-group.ts";
import { lesserUnits, victimsAmong } from "./victims.ts";

/** The pods of a group that are decided together. */
export interface Attempt {
  readonly group: PodGroup;
  readonly profile: Profile;
  readonly pods: readonly Pod[];
  readonly quorum: Quorum;
}
/** Pods that have to leave, and the nodes where the group's pods are expected then. */
export interface Plan {
  readonly victims: readonly PodInfo[];
  readonly nodeNames: ReadonlyMap<Key, string>;
}
/** A plan, or that an earlier one is being carried out, or why there is none. */
export type Preemption = Plan | "waiting" | { readonly reason: string };

/** Nodes that were found. */
function nodeNamesOf({ members }: GroupDecision): Plan["nodeNames"] {
  const found = members.filter(isAssumed);
  return new Map(
    found.flatMap(({ pod, placement }) =>
      placement.outcome === "placed" ? [[keyOf(pod), placement.nodeName] as const] : [],
    ),
  );
}

const isLeaving = ({ pod }: PodInfo): boolean =>
  pod.metadata.deletionTimestamp !== undefined &&
  conditionOf(pod.status?.conditions, "DisruptionTarget")?.reason === "PreemptionByScheduler";

/** Searches on the cache, which is afterwards as it was. `newAssumptions` are those of one trial. */
export async function groupPreemption(
  { cache, views }: CyclePorts,
  { group, profile, pods, quorum }: Attempt,
  newAssumptions: () => Assumptions,
): Promise<Preemption> {
  if (!profile.plugins.some(({ name, postFilter }) => name === "DefaultPreemption" && postFilter))
    return { reason: "default preemption plugin is not registered, workload aware preemption is disabled" };
  if (pods.some(({ spec }) => spec.preemptionPolicy === "Never"))
    return { reason: "not eligible due to preemptionPolicy=Never." };
  const { nodes, byName } = cache.snapshot();
  const expectedOn = pods.flatMap((pod) => byName.get(cache.withNomination(pod).status?.nominatedNodeName ?? "") ?? []);
  if (expectedOn.some((node) => node.pods.values().some(isLeaving))) return "waiting";
  const units = lesserUnits(nodes, group, ({ pod }) => {
    const key = podGroupKeyOf(pod);
    return key === undefined ? undefined : views.lister(podGroups).get(key);
  });
  if (units.length === 0) return { reason: "No preemption victims found for incoming preemptor" };
  const decideWithout = async (leaving: Iterable<PodInfo>): Promise<GroupDecision> => {
    const putBack = cache.without(leaving);
    const assumed = newAssumptions();
    try {
      return await placeGroup(pods, quorum, assumed.trial);
    } finally {
      assumed.undo();
      putBack();
    }
  };
  const budgets = views.lister(podDisruptionBudgets).all();
  const victims = await victimsAmong(units, budgets, async (without) => {
    const { isScheduled } = await decideWithout([...without].flatMap((unit) => unit.pods));
    return isScheduled;
  });
  const leaving = victims?.flatMap((unit) => unit.pods) ?? [];
  const decision = await decideWithout(leaving);
  // The reason is that of the last trial, as in Kubernetes.
  if (!decision.isScheduled) return { reason: "pod group is unschedulable" };
  return { victims: leaving, nodeNames: nodeNamesOf(decision) };
}
