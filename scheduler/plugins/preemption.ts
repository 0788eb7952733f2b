// PostFilter for a pod that fits no node: which less important pods have to leave which node, so that it fits. Source:
// the Kubernetes concepts page, "Pod Priority and Preemption"; kube-scheduler's DefaultPreemption.
import { conditionOf } from "../../api/core/pod/status.ts";
import type { PodDisruptionBudget } from "../../api/generated/types.ts";
import { podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import { histogram } from "../diagnosis.ts";
import { type FilterOutcome, type Rejection, type SchedulerPlugin, type Snapshot, unresolvable } from "../framework.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";
import { violating } from "./disruption-budgets.ts";

/** The pods that have to leave a node, the most important first. */
interface Candidate {
  readonly node: NodeInfo;
  readonly victims: readonly PodInfo[];
  /** What candidates are compared by, in this order; the lowest is the best. Then the latest start is. */
  readonly cost: readonly number[];
  readonly firstStart: string;
}
type Result = Candidate | Rejection;

/** A pod that has not started is the latest. */
const startOf = ({ pod }: PodInfo): string => pod.status?.startTime ?? "~";
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
/** Higher priority first, then whichever has run longer, then by name, so that a decision can be repeated. */
const byImportance = (a: PodInfo, b: PodInfo): number =>
  b.priority - a.priority || order(startOf(a), startOf(b)) || order(a.key, b.key);

const noVictims = unresolvable("No preemption victims found for incoming pod");

/**
 * The fewest pods of a node that have to leave: all less important ones at first, then as many as possible stay, those
 * that a budget protects before others, important ones before less important ones.
 */
function candidateOn(
  node: NodeInfo,
  pod: PodInfo,
  tryOn: FilterOutcome["tryOn"],
  budgets: readonly PodDisruptionBudget[],
): Result {
  const lesser = [...node.pods.values()].filter(({ priority }) => priority < pod.priority).toSorted(byImportance);
  if (lesser.length === 0) return noVictims;
  const trial = tryOn(node);
  for (const other of lesser) trial.remove(other);
  const rejection = trial.rejection();
  if (rejection) return rejection;
  const isProtected = violating(lesser, budgets);
  const mayStay = (other: PodInfo): boolean => {
    trial.add(other);
    if (!trial.rejection()) return true;
    trial.remove(other);
    return false;
  };
  const inOrder = [...lesser.filter((p) => isProtected.has(p)), ...lesser.filter((p) => !isProtected.has(p))];
  const victims = inOrder.filter((other) => !mayStay(other)).toSorted(byImportance);
  const violations = victims.filter((p) => isProtected.has(p)).length;
  return { node, victims, cost: costOf(victims, violations), firstStart: firstStartOf(victims) };
}

/** Of the most important victims, when the first of them started. */
const firstStartOf = (victims: readonly PodInfo[]): string =>
  victims
    .filter(({ priority }) => priority === victims[0]?.priority)
    .map(startOf)
    .toSorted()[0] ?? "~";
/** Violations of budgets, the highest priority, the sum of priorities (made positive), and the number of victims. */
const costOf = (victims: readonly PodInfo[], violations: number): readonly number[] => [
  violations,
  victims[0]?.priority ?? Number.MIN_SAFE_INTEGER,
  victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
  victims.length,
];

function isBetter(a: Candidate, b: Candidate): boolean {
  for (let i = 0; i < a.cost.length; i++) if (a.cost[i] !== b.cost[i]) return a.cost[i]! < b.cost[i]!;
  return a.firstStart > b.firstStart;
}

/** How many candidates are enough when nothing is kept: this share of the nodes, but at least the absolute number. */
export interface CandidateLimits {
  readonly minCandidateNodesPercentage: number;
  readonly minCandidateNodesAbsolute: number;
}
const defaultLimits: CandidateLimits = { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 };
const enoughOf = (nodes: number, limits: CandidateLimits): number =>
  Math.max(limits.minCandidateNodesAbsolute, Math.trunc((nodes * limits.minCandidateNodesPercentage) / 100));

/** Results by node for pods of one kind, kept until the node changes. */
interface Kept {
  position: number;
  readonly changes: Snapshot["changes"];
  readonly budgets: readonly PodDisruptionBudget[];
  readonly bySlot: (Result | undefined)[];
}
const maxKinds = 16;
const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** The results that still hold. */
function keptResults(): (kind: string, budgets: Kept["budgets"], changes: Snapshot["changes"]) => Kept["bySlot"] {
  const kinds = new Map<string, Kept>();
  return (kind, budgets, changes) => {
    const known = kinds.get(kind);
    const holds = known?.changes === changes && isSameList(known.budgets, budgets);
    const changed = holds ? changes.since(known.position) : undefined;
    const kept: Kept = known && changed ? known : { position: 0, changes, budgets, bySlot: [] };
    for (const slot of changed ?? []) kept.bySlot[slot] = undefined;
    kept.position = changes.position;
    kinds.delete(kind);
    kinds.set(kind, kept);
    if (kinds.size > maxKinds) kinds.delete(kinds.keys().next().value!);
    return kept.bySlot;
  };
}

const unhelpful = "Preemption is not helpful for scheduling";

/** Why the pod may not preempt (again). */
function ineligibility({ pod, priority }: PodInfo, { rejections }: FilterOutcome, { byName }: Snapshot) {
  if (pod.spec.schedulingGroup) return "not eligible due to workload aware preemption enabled";
  if (pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const nominated = byName.get(pod.status?.nominatedNodeName ?? "");
  if (!nominated || rejections.of(nominated.slot)?.status.code === "UnschedulableAndUnresolvable") return undefined;
  const isLeaving = nominated.pods
    .values()
    .some(
      (other) =>
        other.priority < priority &&
        other.pod.metadata.deletionTimestamp !== undefined &&
        conditionOf(other.pod.status?.conditions, "DisruptionTarget")?.reason === "PreemptionByScheduler",
    );
  return isLeaving ? "not eligible due to a terminating pod on the nominated node." : undefined;
}

const keysOf = (pods: readonly PodInfo[]): readonly string[] => pods.map(({ key }) => key);

interface Search {
  readonly best: Candidate | undefined;
  /** The message when there is none. */
  readonly reasons: Iterable<readonly [reason: string, count: number]>;
}
function search(
  pod: PodInfo,
  outcome: FilterOutcome,
  snapshot: Snapshot,
  kept: Kept["bySlot"] | undefined,
  limits: CandidateLimits,
): Search {
  const { rejections, absentNodes, tryOn } = outcome;
  const budgets = snapshot.lister(podDisruptionBudgets).all();
  const results = kept ?? [];
  const enough = kept ? Infinity : enoughOf(snapshot.nodes.length, limits);
  const refused = new Map<string, number>();
  let best: Candidate | undefined;
  let found = 0;
  for (const slot of snapshot.slotsByName) {
    const status = rejections.of(slot)?.status ?? absentNodes;
    if (status?.code !== "Unschedulable") continue;
    const node = snapshot.bySlot[slot]!;
    // Where the pod itself is expected, other pods of its kind find less room than it does.
    const isKept = node.name !== pod.pod.status?.nominatedNodeName;
    const result = (isKept && results[slot]) || candidateOn(node, pod, tryOn, budgets);
    if (isKept) results[slot] = result;
    outcome.observe?.(node.name, "code" in result ? { reasons: result.reasons } : { victims: keysOf(result.victims) });
    if ("code" in result) {
      for (const reason of result.reasons) refused.set(reason, (refused.get(reason) ?? 0) + 1);
      refused.set("", (refused.get("") ?? 0) + 1);
      continue;
    }
    if (!best || isBetter(result, best)) best = result;
    if (++found >= enough && best.cost[0] === 0) break;
  }
  const others = snapshot.nodes.length - (refused.get("") ?? 0);
  refused.delete("");
  return { best, reasons: [...refused, ...(others > 0 ? [[unhelpful, others] as const] : [])] };
}

/** Finds victims for a pod, and keeps what it found on nodes for the next pods of its kind. */
export function defaultPreemption(limits: CandidateLimits = defaultLimits): SchedulerPlugin {
  const keptFor = keptResults();
  return {
    name: "DefaultPreemption",
    events: [],
    reads: [podDisruptionBudgets],
    postFilter(pod, outcome, snapshot) {
      const reason = ineligibility(pod, outcome, snapshot);
      if (reason !== undefined) return { message: `preemption: ${reason}` };
      const { kind } = outcome;
      const budgets = snapshot.lister(podDisruptionBudgets).all();
      const kept = kind === undefined ? undefined : keptFor(kind, budgets, snapshot.changes);
      const { best, reasons } = search(pod, outcome, snapshot, kept, limits);
      if (best) return { message: "", nominatedNodeName: best.node.name, victims: best.victims };
      return {
        message: `preemption: 0/${snapshot.nodes.length} nodes are available: ${histogram(reasons)}.`,
        nominatedNodeName: "",
      };
    },
  };
}
