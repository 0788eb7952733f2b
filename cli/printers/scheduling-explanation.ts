// Prints why a pod is on its node, or on none: where it is, the nodes with their scores or the reasons against them,
// and what would have to change.
import { age } from "../../api/age.ts";
import type {
  AttemptExplanation,
  NodeExplanation,
  SchedulingExplanation,
  SchedulingState,
  ScoreExplanation,
} from "../../api/explanation/scheduling.ts";
import { type Instant, instantOf } from "../../api/meta.ts";
import { textTable } from "./table.ts";

export interface ExplanationOptions {
  /** Shows scores with how they came about. */
  readonly isWide: boolean;
  readonly now: Instant;
}

/** So many nodes are shown of each table. */
const mostRows = 20;
const rest = (count: number): readonly string[] =>
  count > mostRows ? [`... and ${count - mostRows} more nodes; -o json has all.`] : [];

const scoreText = ({ raw, normalized, weight, weighted }: ScoreExplanation, isWide: boolean): string =>
  isWide ? `${raw} -> ${normalized} * ${weight} = ${weighted}` : String(weighted);

/** The nodes that passed, the best first. */
function scoreTable(nodes: readonly NodeExplanation[], { isWide }: ExplanationOptions): readonly string[] {
  const passed = nodes.filter(({ rejection }) => !rejection);
  if (passed.every(({ scores }) => !scores)) return [];
  const plugins = passed[0]?.scores?.map(({ plugin }) => plugin) ?? [];
  const rows = passed
    .slice(0, mostRows)
    .map(({ name, total, scores = [] }) => [name, String(total), ...scores.map((score) => scoreText(score, isWide))]);
  return ["", textTable(["NODE", "TOTAL", ...plugins], rows), ...rest(passed.length)];
}

const preemptionText = ({ preemption }: NodeExplanation): string =>
  preemption?.victims ? `evict ${preemption.victims.join(", ")}` : (preemption?.reasons?.join(", ") ?? "");

/** The nodes that were rejected. */
function rejectionTable(nodes: readonly NodeExplanation[]): readonly string[] {
  const rejected = nodes.filter(({ rejection }) => rejection);
  if (rejected.length === 0) return [];
  const preempts = rejected.some(({ preemption }) => preemption);
  const rows = rejected.slice(0, mostRows).map((node) => [
    ...[node.name, node.rejection!.plugin, node.rejection!.reasons.join(", ")],
    // Without a known change the reason is all there is.
    (node.remedies ?? []).map(({ change }) => change).join("; "),
    ...(preempts ? [preemptionText(node)] : []),
  ]);
  const header = ["NODE", "REJECTED BY", "REASON", "WOULD PASS WITH", ...(preempts ? ["PREEMPTION"] : [])];
  return ["", textTable(header, rows), ...rest(rejected.length)];
}

function remedyLines({ remedies = [] }: AttemptExplanation): readonly string[] {
  if (remedies.length === 0) return [];
  const lines = remedies.map(({ changes, count, nodes }) => {
    const more = count > nodes.length ? ` and ${count - nodes.length} more` : "";
    return `  ${changes.join("; ")}: then ${nodes.join(", ")}${more} would pass`;
  });
  return ["", "What would have to change, the least first:", ...lines];
}

/** Where the pod is, in one sentence. */
function stateText(state: SchedulingState, last: AttemptExplanation | undefined, now: Instant): string {
  const { nodeName = "", heldBy = "", message } = state;
  switch (state.phase) {
    case "Bound":
      return `is on ${nodeName}${last ? "" : "; the scheduler has kept no decision about it"}`;
    case "Binding":
      return `is being bound${nodeName ? ` to ${nodeName}` : ""}`;
    case "Queued":
      return "is in the queue, and is decided next";
    case "BackingOff":
      return `is tried again in ${age(now, instantOf(state.retryAt ?? ""))}`;
    case "Unschedulable":
      return "fits on no node, and waits for a change";
    case "Gated":
      return `is kept out of the queue by ${heldBy}${message === undefined ? "" : `: ${message}`}`;
    case "Unmanaged":
      return "is not scheduled: it belongs to another scheduler, or has ended";
  }
}

const resources: Readonly<Record<string, string>> = { AssignedPod: "a pod on a node", TargetPod: "the pod itself" };
const actions: Readonly<Record<string, string>> = {
  Add: "is added",
  Delete: "is deleted",
  Update: "changes",
  UpdateNodeAllocatable: "changes what it can hold",
  UpdateNodeLabel: "changes its labels",
  UpdateNodeAnnotation: "changes its annotations",
  UpdateNodeTaint: "changes its taints",
  UpdateNodeCondition: "changes its conditions",
  UpdateNodeDeclaredFeature: "declares other features",
  UpdatePodLabel: "changes its labels",
  UpdatePodToleration: "changes its tolerations",
  UpdatePodScaleDown: "requests less",
  UpdatePodSchedulingGatesEliminated: "loses its gates",
};
/** `Node Add|UpdateNodeTaint` in words. */
function eventText(event: string): string {
  const [resource = "", names] = event.split(" ");
  if (names === undefined || names === "change") return event;
  const all = names.split("|").map((name) => actions[name] ?? name);
  return `${resources[resource] ?? `a ${resource}`} ${all.join(" or ")}`;
}
function waitLines({ waitsFor = [] }: SchedulingState): readonly string[] {
  if (waitsFor.length === 0) return [];
  return [
    "Tried again after:",
    ...waitsFor.map(({ plugin, events }) => `  ${plugin}: ${events.map(eventText).join("; ")}`),
  ];
}

const times = (count: number): string => (count > 1 ? `, ${count} times in a row` : "");
function attemptText({ at, resourceVersion, count, message }: AttemptExplanation, now: Instant): string {
  return `${age(instantOf(at), now)} ago, at revision ${resourceVersion}${times(count)}: ${message}`;
}

/** The explanation of a pod, in lines. */
export function explanationText(
  pod: string,
  { state, attempts }: SchedulingExplanation,
  options: ExplanationOptions,
): string {
  const { now } = options;
  const last = attempts.at(-1);
  const nodes = last?.nodes ?? [];
  const isGone = last !== undefined && last.nodes === undefined;
  return [
    `Pod ${pod} ${stateText(state, last, now)}.`,
    ...waitLines(state),
    ...(last ? [`Decided ${attemptText(last, now)}`] : []),
    ...(last?.victims?.length ? [`Evicted for it on ${last.nominatedNodeName}: ${last.victims.join(", ")}`] : []),
    ...(isGone ? ["Too much has changed since: what was found on each node is not kept any more."] : []),
    ...scoreTable(nodes, options),
    ...rejectionTable(nodes),
    ...(last?.notEvaluated ? [`${last.notEvaluated} nodes were not evaluated: enough others passed.`] : []),
    ...(last ? remedyLines(last) : []),
    ...(attempts.length > 1 ? ["", "Before:"] : []),
    ...attempts.slice(0, -1).map((attempt) => `  ${attemptText(attempt, now)}`),
    "",
  ].join("\n");
}
