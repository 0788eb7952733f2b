// The scheduling framework: the points at which plugins take part in placing a pod, and what they see there.
// Source: the Kubernetes concepts page, "Scheduling Framework".
import type { PreemptionExplanation, Remedy } from "../api/explanation/scheduling.ts";
import type { Pod } from "../api/generated/types.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import type { ApiObject, Instant, Key } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import type { Indexes, Lister } from "../machinery/view.ts";
import type { Clock } from "../machinery/world.ts";
import type { NodeChanges } from "./changes.ts";
import type { NodeInfo, PodInfo } from "./node-info.ts";
import type { TopologyCounts } from "./topology/counts.ts";
import type { TopologyKey } from "./topology/domains.ts";

/** A status other than success; success is `undefined`. */
export interface Rejection {
  /**
   * `UnschedulableAndUnresolvable`: evicting pods would not change the result. `Error`: the pod is tried again after
   * its back-off, whatever changes; for the binding stages.
   */
  readonly code: "Unschedulable" | "UnschedulableAndUnresolvable" | "Error";
  readonly reasons: readonly string[];
}
export const unschedulable = (...reasons: readonly string[]): Rejection => ({ code: "Unschedulable", reasons });
export const unresolvable = (...reasons: readonly string[]): Rejection => ({
  code: "UnschedulableAndUnresolvable",
  reasons,
});
export const failed = (...reasons: readonly string[]): Rejection => ({ code: "Error", reasons });

/** The plugin has nothing to do with this pod: its Filter or Score is not called. */
export const skip = "Skip";
type Skip = typeof skip;

/** The index of all objects that plugins read, except pods and nodes. */
export const byNamespace: Indexes<ApiObject> = { namespace: ({ metadata }) => [metadata.namespace ?? ""] };

/** The state of the cluster that one decision is made from. It does not change while the decision is made. */
export interface Snapshot {
  /** Zone by zone in turn, so that any run of consecutive nodes is spread over the zones. */
  readonly nodes: readonly NodeInfo[];
  readonly byName: ReadonlyMap<string, NodeInfo>;
  readonly bySlot: readonly (NodeInfo | undefined)[];
  /** The slots of all nodes in the order of the nodes' names. */
  readonly slotsByName: readonly number[];
  readonly changes: NodeChanges;
  /** By image name: how many nodes hold it. */
  readonly imageNodes: ReadonlyMap<string, number>;
  /** Counts of pods by topology domain. */
  readonly topology: TopologyCounts;
  /** By node name: pods that are expected there but not bound yet (`status.nominatedNodeName`). */
  readonly nominated: ReadonlyMap<string, readonly PodInfo[]>;
  /** Pods, nodes, and objects of kinds that some plugin {@link SchedulerPlugin.reads}: those {@link byNamespace}. */
  lister<T extends ApiObject>(resource: ResourceDefinition<T>): Lister<T>;
  /** Where the journal of changes was when the snapshot was taken; 0 without a journal. */
  readonly position: number;
}

export type EventAction =
  | "Add"
  | "Update"
  | "Delete"
  | "UpdateNodeAllocatable"
  | "UpdateNodeLabel"
  | "UpdateNodeAnnotation"
  | "UpdateNodeTaint"
  | "UpdateNodeCondition"
  | "UpdateNodeDeclaredFeature"
  | "UpdatePodLabel"
  | "UpdatePodToleration"
  | "UpdatePodScaleDown"
  | "UpdatePodSchedulingGatesEliminated"
  | "UpdatePodGeneratedResourceClaim";
/** An object before and after a change; one is missing when it was added or deleted. */
export interface Change<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}
export interface ClusterEvent extends Change<ApiObject> {
  /** `Node`, `AssignedPod` (on a node), `TargetPod` (the pending pod itself), or another kind that a plugin reads. */
  readonly resource: string;
  readonly action: EventAction;
}
/** A change that may make a pod schedulable which this plugin rejected (KEP-4247). */
export interface QueueingHint<T extends ApiObject = ApiObject> {
  readonly resource: string;
  readonly actions: readonly EventAction[];
  /** Whether this very change may help this pod; without it every such change may. Pure. */
  isSchedulableAfter?(pod: Pod, change: Change<T>): boolean;
}

/** What plugins see of the cluster before a pod is decided. */
export interface QueueContext {
  readonly lister: Snapshot["lister"];
  /** The pods of a pod group that have not ended, with a node or without, by key. */
  membersOf(group: Key): ReadonlyMap<Key, Pod>;
}

/** A pod in the scheduling queue. */
export interface QueuedPod {
  readonly pod: Pod;
  readonly key: Key;
  /** When it entered the queue, or came back to it. */
  readonly timestamp: Instant;
  readonly attempts: number;
  /** When it was first decided. */
  readonly firstAttempt: Instant | undefined;
}

interface PreFilterResult<F> {
  /** Passed to Filter and Reserve. */
  readonly state: F;
  /** The only nodes that can do; absent when any may. */
  readonly nodeNames?: ReadonlySet<string>;
}
/** A plugin's rejection of a pod. */
export interface PluginRejection {
  readonly plugin: string;
  readonly status: Rejection;
}
/** A plugin that filters a pod, and what it prepared for it. */
export interface FilterStage {
  readonly plugin: SchedulerPlugin;
  readonly state: unknown;
}
/** Why one node will not do. */
export interface NodeStatus extends PluginRejection {
  readonly nodeName: string;
}
/** Nodes that were rejected. */
export interface Rejections {
  /** How many nodes were rejected so. */
  readonly counts: ReadonlyMap<PluginRejection, number>;
  /** Why the node with this slot was; undefined when it was not. */
  of(slot: number): PluginRejection | undefined;
  /** The nodes, all or the first. */
  nodes(limit?: number): readonly NodeStatus[];
}
interface PostFilterResult {
  readonly message: string;
  /** The node on which the pod is expected to fit soon; empty when it is not expected anywhere. */
  readonly nominatedNodeName?: string;
  /** Pods that have to leave that node: their eviction starts, and no later plugin is called. */
  readonly victims?: readonly PodInfo[];
  /** An error: no later plugin is called. */
  readonly isLast?: true;
  /** Started once the pod waits: what it changes may make the pod schedulable. */
  readonly effect?: (client: Client) => Promise<void>;
}
/** A node as it would be with other pods. */
export interface Trial {
  add(pod: PodInfo): void;
  remove(pod: PodInfo): void;
  /** Why the node will not do even so. */
  rejection(): Rejection | undefined;
}
/** Input of PostFilter. */
export interface FilterOutcome {
  readonly rejections: Rejections;
  /** The status of nodes that Filter did not evaluate. */
  readonly absentNodes: Rejection | undefined;
  /** Equal for pods to which nodes and trials are the same, with the same pods expected on nodes. */
  readonly kind?: string;
  tryOn(node: NodeInfo): Trial;
  /** The plugin whose PreFilter rejected the pod, so that later ones have prepared nothing. */
  readonly rejectedBy: PluginRejection | undefined;
  /** Called with what preemption found on a node: pods that have to leave, or why that does not help. */
  readonly observe?: (nodeName: string, found: PreemptionExplanation) => void;
}

/** A pod that waits in Permit. */
interface PermitWait {
  readonly timeoutMs: number;
  /** Resolves when the pod may be bound, or with the reason why it may not. */
  readonly allowed: Promise<Rejection | undefined>;
}
/** An object by its kind and key. */
export type ObjectReference = readonly [resource: ResourceDefinition, key: Key];
/** The views that plugins read, while they change. */
export interface PluginViews {
  readonly lister: Snapshot["lister"];
  /** Resolves after the next change of one of these objects, or when the signal aborts. */
  changed(objects: readonly ObjectReference[], signal: AbortSignal): Promise<void>;
}
export interface BindingContext extends PluginViews {
  readonly client: Client;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** An event of type Normal. */
  recordEvent(pod: Pod, reason: string, message: string): void;
}

/**
 * Every stage is optional. Up to NormalizeScore a plugin is pure: what it computes once per pod is the value that
 * PreFilter or PreScore returns (the cycle state), and Filter and Score get it back for every node. The binding stages
 * act, and keep what they hold for a pod between Reserve and Unreserve or PostBind.
 * `F` is the type of the PreFilter state, `S` of the PreScore state.
 */
export interface SchedulerPlugin<F = unknown, S = unknown> {
  readonly name: string;
  /** Factor of the normalised score, 1 by default. */
  readonly weight?: number;
  /** What may help a pod that this plugin rejected. Without it, every change may. */
  readonly events?: readonly QueueingHint[];
  /** Kinds besides pods and nodes that the plugin reads; a view of each is kept while the scheduler runs. */
  readonly reads?: readonly ResourceDefinition[];

  /**
   * Everything that PreFilter, Filter and Score of a node depend on beside the node. Results are kept for pods with
   * equal signatures until the node changes. Without it they are computed for every pod. Source: KEP-5598.
   */
  sign?(pod: PodInfo, snapshot: Snapshot): string;
  /**
   * PreFilter depends on what was reserved for other pods. Its result is kept to explain the decision, and Filter must
   * not change it.
   */
  readonly prefiltersReserved?: true;
  /** PreScore depends on other nodes too: it is called for every pod, also of a {@link sign}ed kind. */
  readonly scoresByCluster?: boolean;
  /**
   * The topologies by which alone Filter looks at a node: nodes in the same domains are evaluated once. Undefined when
   * it looks at nodes one by one, which is also the default.
   */
  filterTopologies?(state: F): readonly TopologyKey[] | undefined;
  /** The same for Score. NormalizeScore then depends on which scores occur, not on how often. */
  scoreTopologies?(state: S): readonly TopologyKey[] | undefined;

  /** Whether the pod may enter the active queue at all. */
  preEnqueue?(pod: Pod, context: QueueContext): Rejection | undefined;
  /** The order of the active queue; one plugin of the default profile has it. */
  queueSort?(a: QueuedPod, b: QueuedPod): number;
  preFilter?(pod: PodInfo, snapshot: Snapshot): PreFilterResult<F> | Skip | Rejection;
  /** The state as if this pod were on that node too. */
  addPod?(state: F, added: PodInfo, node: NodeInfo, pod: PodInfo): F;
  /** The state as if that pod had left the node. */
  removePod?(state: F, removed: PodInfo, node: NodeInfo, pod: PodInfo): F;
  filter?(state: F, node: NodeInfo, pod: PodInfo): Rejection | undefined;
  /** What would have to change so that Filter passes a node that it rejects, in words for people. */
  remedies?(state: F, node: NodeInfo, pod: PodInfo): readonly Remedy[];
  /** Runs when no node passed. */
  postFilter?(pod: PodInfo, outcome: FilterOutcome, snapshot: Snapshot): PostFilterResult | undefined;
  /** `feasible` lists the nodes that passed. */
  preScore?(pod: PodInfo, feasible: () => readonly NodeInfo[], snapshot: Snapshot): S | Skip;
  /** Whole numbers from 0 to 100, unless {@link normalizeScore} makes them so. */
  score?(state: S, node: NodeInfo, pod: PodInfo): number;
  /** All scores of the nodes that passed, in the order of those nodes. */
  normalizeScore?(scores: readonly number[]): readonly number[];

  /** Before the next pod is decided. */
  reserve?(state: F, pod: PodInfo, nodeName: string): Rejection | undefined;
  /** Undoes Reserve; also called when Reserve was not, or failed. */
  unreserve?(state: F, pod: PodInfo, nodeName: string, context: BindingContext): void;
  permit?(state: F, pod: PodInfo, nodeName: string): Rejection | PermitWait | undefined;
  preBind?(state: F, pod: PodInfo, nodeName: string, context: BindingContext): Promise<Rejection | undefined>;
  /** The first plugin that does not skip binds the pod. Throws when the API refuses. */
  bind?(pod: PodInfo, nodeName: string, context: BindingContext): Promise<Skip | Rejection | undefined>;
  postBind?(pod: PodInfo, nodeName: string): void;
}

/** Scores from 0 to the greatest become 0 to 100; `reverse` makes the least the best. */
export function normalized(scores: readonly number[], reverse = false): readonly number[] {
  let greatest = 0;
  for (const score of scores) if (score > greatest) greatest = score;
  if (greatest === 0) return reverse ? scores.map(() => 100) : scores;
  return scores.map((score) => {
    const scaled = Math.trunc((100 * score) / greatest);
    return reverse ? 100 - scaled : scaled;
  });
}
