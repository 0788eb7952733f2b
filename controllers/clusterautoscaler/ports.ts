// What the cluster autoscaler needs from outside: a provider of nodes, and the scheduler's rules as a simulation.
import type { DaemonSet, Node, Pod } from "../../api/generated/types.ts";

/** A worker node of the provider, from the moment its creation begins until its removal is complete. */
export interface ProvidedNode {
  readonly name: string;
  /** Whether the autoscaler added it. Only such nodes may be removed. */
  readonly added: boolean;
}

/** Creates and removes the machines of nodes. Every call that fails, or is cut short, may be repeated. */
export interface NodeProvider {
  /** All workers of the cluster. */
  list(): Promise<readonly ProvidedNode[]>;
  /** Adds nodes and returns their names once they start. Refuses to exceed the maximum size of the cluster. */
  create(count: number): Promise<readonly string[]>;
  /** Removes a node that was added. Idempotent; throws for other nodes. */
  remove(name: string): Promise<void>;
  /** Completes what an earlier process left half done: nodes being created start, nodes being removed go. */
  recover(): Promise<void>;
}

/** Nodes, and the pods that occupy them. */
export interface Occupancy {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
}

/** Where the scheduler would place a pod, or why it would not. */
export interface Placement {
  readonly pod: Pod;
  readonly nodeName?: string;
  /** The distinct reasons of the nodes, as the scheduler words them; empty for a placed pod. */
  readonly reasons: readonly string[];
}

/** The rules of other components, as pure functions. */
export interface Simulation {
  /** Places pods in this order, each as if the earlier ones were bound. */
  place(occupancy: Occupancy, waiting: readonly Pod[]): readonly Placement[];
  /** The pods that daemon sets would run on a node. */
  daemonPods(daemonSets: readonly DaemonSet[], node: Node): readonly Pod[];
}

/** Limits and times of the autoscaler, in milliseconds. */
export interface Settings {
  /** The name of the node group in messages. */
  readonly group: string;
  readonly maxNodes: number;
  /** A new node, as its kubelet will register it. */
  readonly template: Node;
  /** The share of CPU and memory below which a node may be removed. Kubernetes: 0.5. */
  readonly utilizationThreshold: number;
  /** The longest time between two looks at the cluster. Kubernetes: 10 s. */
  readonly scanMs: number;
  /** How long a node must be unneeded before it is removed. Kubernetes: 10 min. */
  readonly unneededMs: number;
  /** The same for a node that is not ready. Kubernetes: 20 min. */
  readonly unreadyMs: number;
  /** No removal begins so soon after a node was added. Kubernetes: 10 min. */
  readonly delayAfterAddMs: number;
  /** The pause after a failure to add or to remove a node. Kubernetes: 5 min and 3 min. */
  readonly delayAfterFailureMs: number;
  /** A new node that is not ready after this time has failed. Kubernetes: 15 min. */
  readonly provisionMs: number;
  /** Between the taint and the first eviction, so that the scheduler has seen the taint. Kubernetes: 5 s. */
  readonly taintDelayMs: number;
  /** A drain that takes longer is aborted. Kubernetes: 10 min. */
  readonly drainMs: number;
}

/** The settings of Kubernetes' cluster autoscaler. */
export const defaultSettings: Omit<Settings, "group" | "maxNodes" | "template"> = {
  utilizationThreshold: 0.5,
  scanMs: 10_000,
  unneededMs: 600_000,
  unreadyMs: 1_200_000,
  delayAfterAddMs: 600_000,
  delayAfterFailureMs: 180_000,
  provisionMs: 900_000,
  taintDelayMs: 5_000,
  drainMs: 600_000,
};
