// How many nodes are added for the pods that wait for room: first fit, in the scheduler's order and by its rules. Pure.
import { conditionOf, isActive } from "../../api/core/pod/status.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import { controllerOf, instantOf, keyOf } from "../../api/meta.ts";
import { type Action, recordEvent } from "../../machinery/action.ts";
import { names, newNode, type Situation, unmarked } from "./observed.ts";
import type { Occupancy, Placement, Simulation } from "./ports.ts";

export interface ScaleUp {
  /** Nodes to add. */
  readonly count: number;
  /** Events for the pods that nodes are added for; to be recorded once they are. */
  readonly triggered: readonly Action[];
  /** Events for the pods that no node is added for, where that is news. */
  readonly events: readonly Action[];
  /** Marked nodes that are needed again. */
  readonly kept: readonly string[];
  /** The usable nodes with the pods that will be bound to them. */
  readonly expected: Occupancy;
  readonly refused: ReadonlyMap<string, string>;
  readonly because: readonly string[];
}

/** Whether a pod is without a node. A daemon's pod has no use for another node than its own. */
const isPending = (pod: Pod): boolean =>
  isActive(pod) &&
  pod.spec.nodeName === undefined &&
  !pod.spec.schedulingGates?.length &&
  controllerOf(pod)?.kind !== "DaemonSet";

/** Whether the scheduler has found no room for a pod. */
const isUnschedulable = ({ status }: Pod): boolean => {
  const scheduled = conditionOf(status?.conditions, "PodScheduled");
  return scheduled?.status === "False" && scheduled.reason === "Unschedulable";
};

/** The order of the scheduler's queue. */
const byPriorityAndAge = (a: Pod, b: Pod): number =>
  (b.spec.priority ?? 0) - (a.spec.priority ?? 0) ||
  instantOf(a.metadata.creationTimestamp) - instantOf(b.metadata.creationTimestamp) ||
  (keyOf(a) < keyOf(b) ? -1 : 1);

const bound = ({ pod, nodeName }: Placement): readonly Pod[] =>
  nodeName === undefined ? [] : [{ ...pod, spec: { ...pod.spec, nodeName } }];
const unplaced = (placements: readonly Placement[]): readonly Pod[] =>
  placements.filter(({ nodeName }) => nodeName === undefined).map(({ pod }) => pod);

/** Fills nodes one after the other, as many as the pods need and there are. Returns the pods of each used node. */
function fill(nodes: Iterable<Occupancy>, waiting: readonly Pod[], { place }: Simulation) {
  let rest = waiting;
  const used: { readonly node: Node; readonly pods: readonly Pod[] }[] = [];
  for (const occupancy of nodes) {
    if (rest.length === 0) break;
    const placements = place(occupancy, rest);
    rest = unplaced(placements);
    const placed = placements.flatMap(bound);
    if (placed.length > 0) used.push({ node: occupancy.nodes[0]!, pods: placed });
  }
  return { used, rest };
}

/** Why no node is added for a pod, as Kubernetes words it: reasons with the number of node groups that have them. */
const refusal = (reasons: readonly string[]): string =>
  `pod didn't trigger scale-up: ${reasons
    .map((reason) => `1 ${reason}`)
    .toSorted()
    .join(", ")}`;

/** New nodes that may be added at all. */
function roomFor({ observed: { provided, history }, settings, now }: Situation) {
  const { maxNodes, delayAfterFailureMs } = settings;
  const isPaused = history.addFailedAt !== undefined && now - history.addFailedAt < delayAfterFailureMs;
  if (isPaused) return { room: 0, obstacle: "in backoff after failed scale-up" };
  return { room: Math.max(0, maxNodes - provided.length), obstacle: "max node group size reached" };
}

/** The pods that wait, by where they fit: usable nodes, marked nodes, new nodes, or nowhere. */
function sorted(situation: Situation) {
  const { observed, nodeStates, simulation, settings } = situation;
  const { usable, leaving } = nodeStates;
  const here = simulation.place(usable, observed.pods.filter(isPending).toSorted(byPriorityAndAge));
  // A node that is being removed is kept before another one is added, also for pods the scheduler has not tried yet.
  const onLeaving = leaving.map((node) => ({ nodes: [unmarked(node)], pods: usable.pods }));
  const again = fill(onLeaving, unplaced(here), simulation);
  const node = newNode(settings, "new-node");
  const empty = { nodes: [node], pods: simulation.daemonPods(observed.daemonSets, node) };
  const alone = again.rest.filter(isUnschedulable).map((pod) => simulation.place(empty, [pod])[0]!);
  const { room, obstacle } = roomFor(situation);
  const fitting = alone.filter(({ nodeName }) => nodeName !== undefined).map(({ pod }) => pod);
  const { used, rest } = fill(
    Array.from({ length: room }, () => empty),
    fitting,
    simulation,
  );
  const refused = new Map([
    ...alone.filter((p) => p.nodeName === undefined).map(({ pod, reasons }) => [pod, refusal(reasons)] as const),
    ...rest.map((pod) => [pod, refusal([obstacle])] as const),
  ]);
  return { here: here.flatMap(bound), again: again.used, used, refused };
}

/** Pods with a reason each; so many are named. */
const namedPods = 10;

export function scaleUp(situation: Situation): ScaleUp {
  const { observed, nodeStates, settings } = situation;
  const { here, again, used, refused } = sorted(situation);
  const { group, maxNodes } = settings;
  const size = observed.provided.length;
  const target = size + used.length;
  const scaled = used.flatMap(({ pods }) => pods);
  const change = `[{${group} ${size}->${target} (max: ${maxNodes})}]`;
  const setting = `Scale-up: setting group ${group} size to ${target} instead of ${size} (max: ${maxNodes})`;
  return {
    count: used.length,
    triggered: [
      ...(used.length > 0 ? [recordEvent(observed.status, "Normal", "ScaledUpGroup", setting)] : []),
      ...scaled.map((pod) => recordEvent(pod, "Normal", "TriggeredScaleUp", `pod triggered scale-up: ${change}`)),
    ],
    events: [...refused].flatMap(([pod, message]) =>
      observed.history.refused.get(pod.metadata.uid) === message
        ? []
        : [recordEvent(pod, "Normal", "NotTriggerScaleUp", message)],
    ),
    kept: again.map(({ node }) => node.metadata.name),
    expected: { nodes: nodeStates.usable.nodes, pods: [...nodeStates.usable.pods, ...here] },
    refused: new Map([...refused].map(([pod, message]) => [pod.metadata.uid, message])),
    because: [
      ...(used.length > 0
        ? [`no room for ${names(scaled)}: ${target} nodes instead of ${size}, of at most ${maxNodes}`]
        : []),
      ...again.map(({ node, pods }) => `${node.metadata.name} is kept: ${names(pods)} need it`),
      ...[...refused].slice(0, namedPods).map(([pod, message]) => `${keyOf(pod)}: ${message}`),
    ],
  };
}
