// The cluster while a plan is made: pods by node, and the scheduler's copy of the same.
import { replacementOf } from "../../api/core/pod/evictions.ts";
import { occupies } from "../../api/core/pods.ts";
import type { Pod } from "../../api/generated/types.ts";
import { controllerOf, type Instant, instantOf, type Key, keyOf, timestamp } from "../../api/meta.ts";
import { needsNode } from "./evictable.ts";
import type { Cluster, Placement, Simulation, Trial } from "./ports.ts";

/** Lower priority first, then those that have run for a shorter time. */
export const byWeight = (a: Pod, b: Pod): number =>
  (a.spec.priority ?? 0) - (b.spec.priority ?? 0) ||
  instantOf(b.metadata.creationTimestamp) - instantOf(a.metadata.creationTimestamp) ||
  (keyOf(a) < keyOf(b) ? -1 : 1);

export const withNode = (pod: Pod, nodeName: string): Pod => ({ ...pod, spec: { ...pod.spec, nodeName } });

export interface SimulatedCluster extends Trial {
  /** Pods on a node, except those that have ended. */
  podsOn(nodeName: string): readonly Pod[];
  /** All pods that have a node. */
  all(): readonly Pod[];
  /** Pods that the scheduler has not bound yet, on the nodes where it will. */
  readonly arriving: ReadonlySet<Key>;
}

const isWaiting = (pod: Pod): boolean =>
  needsNode(pod) && pod.spec.nodeName === undefined && !pod.spec.schedulingGates?.length;

/** The cluster as it is. Pods that wait for a node are placed first: their room is not to be taken. */
export function simulatedClusterOf(cluster: Cluster, simulation: Simulation): SimulatedCluster {
  const trial = simulation.begin(cluster);
  const byNode = new Map<string, Map<Key, Pod>>();
  const arriving = new Set<Key>();
  const add = (pod: Pod): void => {
    trial.add(pod);
    const pods = byNode.get(pod.spec.nodeName!);
    if (pods) pods.set(keyOf(pod), pod);
    else byNode.set(pod.spec.nodeName!, new Map([[keyOf(pod), pod]]));
  };
  for (const pod of cluster.pods.filter(occupies)) add(pod);
  const waiting = cluster.pods.filter((pod) => isWaiting(pod) && simulation.places(pod));
  for (const pod of waiting.toSorted(byWeight).toReversed()) {
    const placement = trial.place(pod);
    if ("obstacle" in placement) continue;
    arriving.add(keyOf(pod));
    add(withNode(pod, placement.nodeName));
  }
  return {
    ...{ ...trial, add, arriving },
    remove(pod) {
      trial.remove(pod);
      byNode.get(pod.spec.nodeName!)?.delete(keyOf(pod));
    },
    podsOn: (nodeName) => [...(byNode.get(nodeName)?.values() ?? [])],
    all: () => [...byNode.values()].flatMap((pods) => [...pods.values()]),
  };
}

/** The pod that will replace another one, under a name of its own. */
export function successorOf(pod: Pod, now: Instant): Pod {
  const { name, uid } = pod.metadata;
  const own = { name: `${name}'`, uid: `${uid}'`, creationTimestamp: timestamp(now) };
  return { ...replacementOf(pod), metadata: { ...pod.metadata, ...own } };
}

/**
 * The node on which the scheduler will place the successor of a pod. Most controllers replace a pod as soon as it is
 * marked for deletion, when it still takes its room; a stateful set once it is gone. Where that makes a difference the
 * scheduler's choice is not certain.
 */
export function destinationOf(pod: Pod, successor: Pod, trial: Trial, now: Instant): Placement {
  const leaving = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: timestamp(now) } };
  trial.remove(pod);
  const without = trial.place(successor);
  trial.add(leaving);
  const beside = controllerOf(pod)?.kind === "StatefulSet" ? without : trial.place(successor);
  trial.remove(leaving);
  trial.add(pod);
  if ("obstacle" in without) return { obstacle: `no node would take it: ${without.obstacle}` };
  if (without.nodeName === pod.spec.nodeName) return { obstacle: "the scheduler would place it there again" };
  if ("obstacle" in beside || beside.nodeName !== without.nodeName)
    return { obstacle: "where the scheduler would place it depends on when it ends" };
  return without;
}
