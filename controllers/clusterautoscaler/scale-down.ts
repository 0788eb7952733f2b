// Which nodes could be removed, and since when: little requested, every pod movable and placed elsewhere. Pure.
import { replacementOf } from "../../api/core/pod/evictions.ts";
import { isReachableFrom } from "../../api/core/volume-matching.ts";
import { percent, utilizationOf } from "../../api/core/utilization.ts";
import type { Node, PersistentVolume, Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import { type Instant, instant, instantOf, keyOf, timestamp } from "../../api/meta.ts";
import { isAwaited, mobilityOf } from "./movable.ts";
import { isNodeReady, names, type Observed, type Situation } from "./observed.ts";
import type { Occupancy, Simulation } from "./ports.ts";

/** The result of moving the pods of a node: where everything is afterwards, or why it cannot be done. */
export type Move = { readonly after: Occupancy; readonly moved: readonly Pod[] } | { readonly obstacle: string };

/** Takes a node away and places its pods on the others, by the scheduler's rules. */
export function moveAway(
  node: Node,
  from: Occupancy,
  budgets: readonly PodDisruptionBudget[],
  { place }: Simulation,
): Move {
  const isHere = ({ spec }: Pod): boolean => spec.nodeName === node.metadata.name;
  const here = from.pods.filter(isHere).map((pod) => ({ pod, mobility: mobilityOf(pod, budgets) }));
  for (const { mobility } of here) if (typeof mobility === "object") return { obstacle: mobility.blockedBy };
  const moved = here.filter(({ mobility }) => mobility === "moves").map(({ pod }) => pod);
  const others = {
    nodes: from.nodes.filter((other) => other.metadata.name !== node.metadata.name),
    pods: from.pods.filter((pod) => !isHere(pod)),
  };
  const placements = place(others, moved.map(replacementOf));
  const homeless = placements.find(({ nodeName }) => nodeName === undefined);
  if (homeless)
    return { obstacle: `no other node has room for ${keyOf(homeless.pod)}: ${homeless.reasons.join(", ")}` };
  const placed = placements.map(({ pod, nodeName }) => ({ ...pod, spec: { ...pod.spec, nodeName } }) as Pod);
  return { after: { nodes: others.nodes, pods: [...others.pods, ...placed] }, moved };
}

/** A node that is not needed. */
export interface Unneeded {
  readonly node: Node;
  readonly since: Instant;
  /** When it may be removed. */
  readonly due: Instant;
  readonly moved: readonly Pod[];
  readonly ratio: number;
}
export interface ScaleDown {
  readonly unneeded: readonly Unneeded[];
  readonly because: readonly string[];
}

const isDisabled = ({ metadata }: Node): boolean =>
  metadata.annotations?.["cluster-autoscaler.kubernetes.io/scale-down-disabled"] === "true";

const podsOn = ({ metadata }: Node, { pods }: Occupancy): readonly Pod[] =>
  pods.filter(({ spec }) => spec.nodeName === metadata.name);

/** Why a node with data stays: a claim is bound to a volume that no other node reaches. */
function heldByVolume(node: Node, { nodes, volumes }: Observed): string | undefined {
  const others = nodes.filter(({ metadata }) => metadata.name !== node.metadata.name);
  const isOnlyHere = (volume: PersistentVolume): boolean =>
    isReachableFrom(volume, node.metadata.labels ?? {}) &&
    !others.some(({ metadata }) => isReachableFrom(volume, metadata.labels ?? {}));
  const held = volumes.find((volume) => volume.spec.claimRef && volume.spec.nodeAffinity && isOnlyHere(volume));
  const { namespace, name } = held?.spec.claimRef ?? {};
  return held && `no other node reaches the volume of claim ${namespace}/${name}`;
}

/** Why a node stays, or how its pods would move. */
function verdictOf(node: Node, left: Occupancy, situation: Situation) {
  const { settings, observed, simulation } = situation;
  const { ratio, resource } = utilizationOf(node, podsOn(node, left).filter(isAwaited));
  const use = isNodeReady(node) ? `${percent(ratio)} of its ${resource} is requested` : "it is not ready";
  if (isDisabled(node)) return { stays: "it has the annotation scale-down-disabled" };
  if (isNodeReady(node) && ratio >= settings.utilizationThreshold)
    return { stays: `${use}, not less than ${percent(settings.utilizationThreshold)}` };
  const volume = heldByVolume(node, observed);
  if (volume !== undefined) return { stays: volume };
  const move = moveAway(node, left, observed.budgets, simulation);
  return "obstacle" in move ? { stays: move.obstacle } : { ...move, use, ratio };
}

/** No removal begins before this instant. A restarted autoscaler knows additions by the age of the nodes. */
function pausedUntil({ observed: { history }, nodeStates, settings }: Situation): Instant {
  const births = nodeStates.removable.map(({ metadata }) => instantOf(metadata.creationTimestamp));
  const addedAt = Math.max(history.addedAt ?? 0, ...births) + settings.delayAfterAddMs;
  const failedAt = history.removeFailedAt;
  return instant(Math.max(addedAt, failedAt === undefined ? 0 : failedAt + settings.delayAfterFailureMs));
}

/** When an unneeded node may be removed. */
const dueAt = (node: Node, since: Instant, situation: Situation): Instant => {
  const { unneededMs, unreadyMs } = situation.settings;
  return instant(Math.max(pausedUntil(situation), since + (isNodeReady(node) ? unneededMs : unreadyMs)));
};

/**
 * The nodes that could all be removed together: each is taken away from what the earlier ones left. `expected` has the
 * pods that wait for room as well, so that a removal never takes it.
 */
export function scaleDown(situation: Situation, expected: Occupancy): ScaleDown {
  const { nodeStates, observed } = situation;
  let left = expected;
  const unneeded: Unneeded[] = [];
  const because: string[] = [];
  const count = (node: Node): number => podsOn(node, expected).filter(isAwaited).length;
  const order = nodeStates.removable.toSorted(
    (a, b) => count(a) - count(b) || (a.metadata.name < b.metadata.name ? 1 : -1),
  );
  for (const node of order) {
    const verdict = verdictOf(node, left, situation);
    if ("stays" in verdict) {
      because.push(`${node.metadata.name} stays: ${verdict.stays}`);
      continue;
    }
    const { moved, after, use, ratio } = verdict;
    left = after;
    const since = observed.history.unneededSince.get(node.metadata.name) ?? situation.now;
    const due = dueAt(node, since, situation);
    unneeded.push({ node, since, due, moved, ratio });
    const elsewhere = moved.length === 0 ? "" : `, ${names(moved)} would fit elsewhere`;
    because.push(
      `${node.metadata.name} is unneeded since ${timestamp(since)}: ${use}${elsewhere}; may go from ${timestamp(due)} on`,
    );
  }
  return { unneeded, because };
}
