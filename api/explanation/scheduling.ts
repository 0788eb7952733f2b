// Why a pod is on its node, or on none: what the scheduler decided, node by node, and what the pod waits for. Served
// below /explain, in the scheduling part of an explanation.

/** What would have to change on a node, or of the pod, so that a plugin no longer rejects the node. */
export interface Remedy {
  readonly change: string;
  /** To compare changes by: a taint, a label or another pod is 1; an amount is its part of the node. */
  readonly effort: number;
}
export interface ScoreExplanation {
  readonly plugin: string;
  /** As the plugin computed it. */
  readonly raw: number;
  /** From 0 to 100, compared with the other nodes. */
  readonly normalized: number;
  readonly weight: number;
  /** What counts: normalised times weight. */
  readonly weighted: number;
}
export interface RejectionExplanation {
  readonly plugin: string;
  /** Whether evicting pods may help: Unschedulable; else UnschedulableAndUnresolvable. */
  readonly code: string;
  readonly reasons: readonly string[];
}
/** What preemption found on a node: the pods that would have to leave, or why that does not help. */
export interface PreemptionExplanation {
  readonly victims?: readonly string[];
  readonly reasons?: readonly string[];
}
export interface NodeExplanation {
  readonly name: string;
  /** The verdict of the first plugin that rejects the node; absent when it passed. */
  readonly rejection?: RejectionExplanation;
  /** Of every plugin that rejects it. */
  readonly remedies?: readonly (Remedy & { readonly plugin: string })[];
  readonly preemption?: PreemptionExplanation;
  /** Absent where nothing was scored, since at most one node passed. */
  readonly scores?: readonly ScoreExplanation[];
  readonly total?: number;
}
/** Equal changes that would make nodes pass; the smallest first. */
export interface RemedyExplanation {
  readonly changes: readonly string[];
  /** How many nodes would pass, and the first of them. */
  readonly count: number;
  readonly nodes: readonly string[];
}

/** One decision about a pod. */
export interface AttemptExplanation {
  readonly at: string;
  /** How far the scheduler's view of pods was in history. */
  readonly resourceVersion: string;
  /** How often in a row it was decided so; the rest is of the last time. */
  readonly count: number;
  readonly outcome: "Placed" | "Unschedulable";
  readonly nodeName?: string;
  /** Why this node, or why none: then it is the text of the event FailedScheduling. */
  readonly message: string;
  /** The node on which room is made, and the pods that are evicted for it. */
  readonly nominatedNodeName?: string;
  readonly victims?: readonly string[];
  /** A plugin rejected the pod before any node was looked at. */
  readonly rejection?: RejectionExplanation;
  /** Every node that was evaluated; absent when so much has changed since that it cannot be told any more. */
  readonly nodes?: readonly NodeExplanation[];
  /** How many nodes were not looked at, since enough others passed. */
  readonly notEvaluated?: number;
  readonly remedies?: readonly RemedyExplanation[];
  /** Why preemption did not help. */
  readonly preemption?: string;
}

/** Where a pod is on its way to a node. */
export interface SchedulingState {
  /**
   * `Bound`; `Binding`: a node is chosen, and its plugins or the API have not finished; `Queued`: it is decided next;
   * `BackingOff`: it is tried again at `retryAt`; `Unschedulable`: it is tried again after one of the changes in
   * `waitsFor`, or after five minutes; `Gated`: `heldBy` keeps it out of the queue; `Unmanaged`: it is no pod of this
   * scheduler, or has ended.
   */
  readonly phase: "Bound" | "Binding" | "Queued" | "BackingOff" | "Unschedulable" | "Gated" | "Unmanaged";
  readonly nodeName?: string;
  readonly attempts?: number;
  readonly retryAt?: string;
  readonly heldBy?: string;
  /** Of the plugin that holds it. */
  readonly message?: string;
  readonly waitsFor?: readonly { readonly plugin: string; readonly events: readonly string[] }[];
}

export interface SchedulingExplanation {
  /** The name of the profile. */
  readonly scheduler: string;
  readonly state: SchedulingState;
  /** The last ones that differ, the oldest first. */
  readonly attempts: readonly AttemptExplanation[];
}
