// A plan while it is made: moves are tried in a simulated cluster, kept or taken back.
import { budgetsOf } from "../../api/core/pod/evictions.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import { type Utilization, utilizationOf } from "../../api/core/utilization.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import { type Instant, type Key, keyOf } from "../../api/meta.ts";
import { concernedBy, violatorsAmong } from "./dependents.ts";
import { evictionObstacle, needsNode } from "./evictable.ts";
import {
  byWeight,
  destinationOf,
  type SimulatedCluster,
  simulatedClusterOf,
  successorOf,
  withNode,
} from "./simulated-cluster.ts";
import type { Cluster, Settings, Simulation } from "./ports.ts";

/** A budget of a pod, and how many of its pods may be evicted now. */
export interface Allowance {
  readonly budget: string;
  readonly disruptionsAllowed: number;
}
/** The eviction of a pod, and where the scheduler will place the one that replaces it. */
export interface Move {
  readonly pod: Pod;
  readonly from: string;
  readonly to: string;
  readonly strategy: string;
  readonly because: string;
  readonly allowances: readonly Allowance[];
}

/** An eviction of this run. */
export interface Eviction {
  readonly node: string;
  readonly namespace: string;
}
export const evictionOf = ({ pod, from }: Move): Eviction => ({
  ...{ node: from, namespace: pod.metadata.namespace ?? "" },
});

/** What a plan depends on. */
export interface Situation {
  readonly cluster: Cluster;
  readonly simulation: Simulation;
  readonly settings: Settings;
  readonly now: Instant;
  /** Evictions of this run so far. */
  readonly done: readonly Eviction[];
  /** Uids of pods whose eviction was refused in this run. */
  readonly refused: ReadonlySet<string>;
  /** Plan no more than the first move, or the moves that free the first node. */
  readonly isFirstEnough?: boolean;
}

/** The strategy that requests a move, and its reason. */
export interface Purpose {
  readonly strategy: string;
  readonly because: string;
  /** Whether the move serves its purpose if the pod goes to this node. */
  readonly accepts?: (node: Node) => boolean;
}

export interface Draft extends Pick<Situation, "settings" | "now"> {
  readonly simulated: SimulatedCluster;
  readonly moves: readonly Move[];
  /** Why nodes and pods stay where they are. */
  readonly notes: string[];
  /** Nodes that are ready and take pods. */
  readonly nodes: readonly Node[];
  nodeNamed(name: string): Node | undefined;
  /** The pods with a node of their choice, except those that are about to be bound: what matters least first. */
  candidates(): readonly Pod[];
  /** How many more evictions the run may have. */
  room(): number;
  /** Whether no further moves are to be planned. */
  isFinished(): boolean;
  /** Adds a move; why it cannot be made otherwise. */
  move(pod: Pod, purpose: Purpose): string | undefined;
  /** Takes moves back until there are so many left. */
  undo(count: number): void;
}

export const isReadyNode = ({ spec, status }: Node): boolean =>
  conditionOf(status?.conditions, "Ready")?.status === "True" &&
  !spec.taints?.some(({ key }) => key === "node.kubernetes.io/not-ready");

/** Which limit of a run another eviction would exceed. */
function limitReached(pod: Pod, before: readonly Eviction[], { limits }: Settings): string | undefined {
  const { namespace } = pod.metadata;
  const count = (isCounted: (eviction: Eviction) => boolean): number => before.filter(isCounted).length;
  if (before.length >= limits.perRun) return `a run evicts ${limits.perRun} pods at most`;
  if (count(({ node }) => node === pod.spec.nodeName) >= limits.perNode)
    return `a run evicts ${limits.perNode} pods of a node at most`;
  return count((eviction) => eviction.namespace === namespace) >= limits.perNamespace
    ? `a run evicts ${limits.perNamespace} pods of a namespace at most`
    : undefined;
}

/** Puts a pod in the place of another one, unless that breaks a rule of a third pod that holds now. */
function replace(pod: Pod, successor: Pod, simulated: SimulatedCluster): string | undefined {
  const swap = (old: Pod, added: Pod): void => {
    simulated.remove(old);
    simulated.add(added);
  };
  const concerned = concernedBy(pod, simulated.all());
  swap(pod, successor);
  const violators = violatorsAmong(concerned, simulated);
  if (violators.length === 0) return undefined;
  swap(successor, pod);
  const before = violatorsAmong(violators, simulated);
  const broken = violators.find((other) => !before.includes(other));
  if (broken) return `${keyOf(broken)} requires it where it is`;
  swap(pod, successor);
  return undefined;
}

function allowancesOf(pod: Pod, { budgets }: Cluster): readonly Allowance[] {
  return budgetsOf(pod, budgets).map(({ metadata, status }) => ({
    ...{ budget: metadata.name, disruptionsAllowed: status?.disruptionsAllowed ?? 0 },
  }));
}

/** A plan without moves. */
export function newDraft(situation: Situation): Draft {
  const { cluster, simulation, settings, now, done, refused } = situation;
  const simulated = simulatedClusterOf(cluster, simulation);
  const nodes = new Map(cluster.nodes.map((node) => [node.metadata.name, node]));
  const moves: Move[] = [];
  const successors = new Map<Key, Pod>();
  const room = (): number => settings.limits.perRun - done.length - moves.length;
  const isFixed = (pod: Pod): boolean => simulated.arriving.has(keyOf(pod)) || successors.has(keyOf(pod));

  const obstacleTo = (pod: Pod): string | undefined => {
    const from = nodes.get(pod.spec.nodeName ?? "");
    if (from === undefined || !isReadyNode(from)) return "its node is not ready";
    if (isFixed(pod)) return "it has just been placed there";
    if (!simulation.places(pod)) return `it is placed by ${pod.spec.schedulerName}`;
    if (refused.has(pod.metadata.uid)) return "its eviction was refused";
    return (
      evictionObstacle(pod, cluster.budgets, settings) ??
      limitReached(pod, [...done, ...moves.map(evictionOf)], settings)
    );
  };
  return {
    ...{ simulated, moves, settings, now, notes: [], room },
    isFinished: () => room() <= 0 || (situation.isFirstEnough === true && moves.length > 0),
    nodes: cluster.nodes.filter((node) => isReadyNode(node) && node.spec.unschedulable !== true),
    nodeNamed: (name) => nodes.get(name),
    candidates: () =>
      simulated
        .all()
        .filter((pod) => needsNode(pod) && !isFixed(pod))
        .toSorted(byWeight),
    move(pod, { strategy, because, accepts }) {
      const obstacle = obstacleTo(pod);
      if (obstacle !== undefined) return obstacle;
      const template = successorOf(pod, now);
      const destination = destinationOf(pod, template, simulated, now);
      if ("obstacle" in destination) return destination.obstacle;
      const { nodeName: to } = destination;
      if (accepts?.(nodes.get(to)!) === false) return `the scheduler would place it on ${to}, which would not help`;
      const successor = withNode(template, to);
      const broken = replace(pod, successor, simulated);
      if (broken !== undefined) return broken;
      moves.push({ pod, from: pod.spec.nodeName!, to, strategy, because, allowances: allowancesOf(pod, cluster) });
      successors.set(keyOf(successor), successor);
      return undefined;
    },
    undo(count) {
      for (const { pod } of moves.splice(count).toReversed()) {
        const successor = successors.get(keyOf(successorOf(pod, now)))!;
        successors.delete(keyOf(successor));
        simulated.remove(successor);
        simulated.add(pod);
      }
    },
  };
}

/** How much of a node is requested at this point of the plan. */
export const utilizationIn = ({ simulated }: Draft, node: Node): Utilization =>
  utilizationOf(node, simulated.podsOn(node.metadata.name));
