// What the descheduler needs from outside: the cluster, the scheduler's rules as a simulation, and its limits.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { Node, Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import type { ApiObject } from "../../api/meta.ts";

/** The cluster as it is. */
export interface Cluster {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly budgets: readonly PodDisruptionBudget[];
  /** All objects of a kind that the scheduler's rules read. */
  objectsOf<T extends ApiObject>(kind: ResourceDefinition<T>): readonly T[];
}

/** Where the scheduler would place a pod, or why nowhere. */
export type Placement = { readonly nodeName: string } | { readonly obstacle: string };

/** Rules about other pods, by the names of the scheduler's plugins. */
export type PodRule = "InterPodAffinity" | "PodTopologySpread";

/** A copy of the cluster in which pods come and go. Pods that are added have a node. */
export interface Trial {
  add(pod: Pod): void;
  remove(pod: Pod): void;
  /** Places a pod without a node. It is not added. */
  place(pod: Pod): Placement;
  /** Why the scheduler would not place a pod of the copy where it is, by this rule; undefined when it would. */
  violation(pod: Pod, rule: PodRule): string | undefined;
}

/** The rules of the scheduler. */
export interface Simulation {
  /** Kinds that the rules read beside pods and nodes. */
  readonly reads: readonly ResourceDefinition[];
  /** Whether the scheduler takes care of a pod. */
  places(pod: Pod): boolean;
  begin(cluster: Cluster): Trial;
}

/** How many pods may be evicted in one run. */
export interface Limits {
  readonly perRun: number;
  readonly perNode: number;
  readonly perNamespace: number;
}

export interface Settings {
  /** Names of strategies; they are applied in the order of the table in strategies.ts. */
  readonly strategies: readonly string[];
  /** Only pods of this namespace are evicted. */
  readonly namespace?: string;
  /** Pods with an emptyDir or a hostPath may be evicted, although its content is lost. */
  readonly evictsLocalStorage: boolean;
  readonly limits: Limits;
  /** HighNodeUtilization frees nodes that use a smaller part of their resources. */
  readonly freeBelow: number;
  /** LowNodeUtilization moves pods from nodes above `high` to nodes below `low`. Kubernetes: 0.2 and 0.5. */
  readonly low: number;
  readonly high: number;
  /** Kubernetes: 100. */
  readonly maxRestarts: number;
  readonly maxAgeMs: number;
  /** A run ends when what replaces a pod is not ready after this time, beside the time the pod has to end. */
  readonly patienceMs: number;
}

const day = 86_400_000;
/** Settings of a run; the strategies are chosen in strategies.ts. */
export const defaultSettings: Omit<Settings, "strategies"> = {
  evictsLocalStorage: false,
  limits: { perRun: 100, perNode: 50, perNamespace: 100 },
  freeBelow: 0.5,
  ...{ low: 0.2, high: 0.5, maxRestarts: 100, maxAgeMs: 7 * day, patienceMs: 120_000 },
};
