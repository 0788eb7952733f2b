// Explanations of objects: why one is as it is, what it waits for, and what to try next. Served below /explain.
import type { DecisionRecord } from "./decisions.ts";
import type { SchedulingExplanation } from "./scheduling.ts";

export const explanationVersion = "orrery.dev/v1";

export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** Absent in references to objects that are missing. */
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/**
 * `Progressing`: it will become as desired without anyone's doing; `Waiting`: for something that may never come, such
 * as an approval; `Failing`: something has to change.
 */
export type ExplainedState = "AsDesired" | "Progressing" | "Waiting" | "Failing";

/** Why an object is not as desired. One without `causes` is a root cause. */
export interface Cause {
  /** In CamelCase; Kubernetes' own reason where there is one. */
  readonly reason: string;
  /** A sentence about `object`, or about the explained object. */
  readonly message: string;
  readonly object?: ObjectReference;
  /** The next thing to try, a command where there is one. */
  readonly next?: string;
  /** What it follows from. */
  readonly causes?: readonly Cause[];
}

/** The fields that a manager wrote. */
export interface FieldsExplanation {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly time?: string;
  /** Such as `spec.template.spec.containers[name="web"].image`. */
  readonly paths: readonly string[];
}

export interface EventExplanation {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly last: string;
  readonly source?: string;
}

/** What the kubelet has decided last about a pod. */
export interface KubeletExplanation {
  readonly node: string;
  /** When the request was sent to the kubelet; `error` says why it did not respond. */
  readonly at: string;
  readonly decisions: readonly DecisionRecord[];
  readonly error?: string;
}

/** How the proxy of a node treats packets to one port of a service. */
export interface ProxyRule {
  /** `address:port/protocol`; an asterisk is every address of the node. */
  readonly to: string;
  /** Where packets go, each as `address:port`; none when they are rejected. */
  readonly targets: readonly string[];
  /** The rules of the kernel, as nftables writes them. */
  readonly rules: readonly string[];
}
export interface ServiceExplanation {
  readonly node: string;
  readonly rules: readonly ProxyRule[];
  readonly error?: string;
}

export interface ExplanationSummary {
  readonly state: ExplainedState;
  /** One line for people. */
  readonly message: string;
}

/**
 * Everything that is known about why an object is as it is. Of other objects it has what the user may read.
 */
export interface Explanation {
  readonly kind: "Explanation";
  readonly apiVersion: typeof explanationVersion;
  readonly object: ObjectReference;
  readonly summary: ExplanationSummary;
  /** The root causes first, then how they lead to the state. Empty when it is as desired. */
  readonly causes: readonly Cause[];
  /** What controllers decided about it and about what it owns, the oldest first. */
  readonly decisions: readonly DecisionRecord[];
  readonly fields: readonly FieldsExplanation[];
  /** The oldest first. */
  readonly events: readonly EventExplanation[];
  /** The chain of its controllers up to the root. */
  readonly owners: readonly ObjectReference[];
  readonly scheduling?: SchedulingExplanation;
  readonly kubelet?: KubeletExplanation;
  readonly service?: readonly ServiceExplanation[];
  /** Parts that are missing, and why, by their names. */
  readonly missing?: Readonly<Record<string, string>>;
}

/** What is not as desired in a namespace, or in all of them. */
export interface ExplanationList {
  readonly kind: "ExplanationList";
  readonly apiVersion: typeof explanationVersion;
  readonly items: readonly Pick<Explanation, "object" | "summary" | "causes">[];
  /** How many more objects are not as desired, which were not explained. */
  readonly remaining?: number;
}
