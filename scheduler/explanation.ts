// Why a pod was placed or not: makes a decision again, from what it was made from, and lists what it found on every
// node. See docs/decisions/037-explain-decisions-by-making-them-again.md.
import type {
  AttemptExplanation,
  NodeExplanation,
  PreemptionExplanation,
  RejectionExplanation,
  Remedy,
  RemedyExplanation,
} from "../api/explanation/scheduling.ts";
import { timestamp } from "../api/meta.ts";
import type { Attempt } from "./attempts.ts";
import { diagnosed } from "./diagnosis.ts";
import { type FilterStage, type PluginRejection, type SchedulerPlugin, skip, type Snapshot } from "./framework.ts";
import { type NodeInfo, type PodInfo, podInfoOf } from "./node-info.ts";
import {
  type DecisionInputs,
  evaluated,
  type Evaluation,
  failedCycle,
  filtersOf,
  type PlacementOptions,
} from "./place.ts";
import { sumOf } from "./rank.ts";

/** What is reserved is not in the snapshot, so what PreFilter returned is used again. */
function recorded(plugin: SchedulerPlugin, reserving: DecisionInputs["reserving"]): SchedulerPlugin {
  if (!plugin.prefiltersReserved) return plugin;
  const found = reserving.find((each) => each.plugin === plugin.name);
  return { ...plugin, preFilter: () => found?.result ?? skip };
}

const rejectionOf = ({ plugin, status: { code, reasons } }: PluginRejection): RejectionExplanation => ({
  ...{ plugin, code, reasons },
});

type PluginRemedy = Remedy & { readonly plugin: string };
/** What would have to change on a node by every plugin that rejects it. */
function remediesOn(
  stages: readonly FilterStage[],
  node: NodeInfo,
  pod: PodInfo,
  { nominated }: Snapshot,
): readonly PluginRemedy[] {
  const found = stages.flatMap(({ plugin, state }) => {
    const rejection = plugin.filter!(state, node, pod);
    if (!rejection) return [];
    const remedies = plugin.remedies?.(state, node, pod) ?? [];
    const all = remedies.length > 0 ? remedies : rejection.reasons.map((change) => ({ change, effort: 1 }));
    return all.map((remedy) => ({ plugin: plugin.name, ...remedy }));
  });
  if (found.length > 0) return found;
  const others = (nominated.get(node.name) ?? []).filter(({ key }) => key !== pod.key).map(({ key }) => key);
  return [{ plugin: "", change: `no room kept for ${others.join(", ")}`, effort: 1 }];
}

/** So many different changes are listed, and so many nodes are named for each. */
const listed = { remedies: 10, nodes: 5 };

/** Nodes with equal changes together, those with the smallest first. */
function remediesOf(nodes: readonly NodeExplanation[]): readonly RemedyExplanation[] {
  const effortOf = ({ remedies = [] }: NodeExplanation): number =>
    remedies.reduce((sum, { effort }) => sum + effort, 0);
  const rejected = nodes.filter(({ remedies }) => remedies).toSorted((a, b) => effortOf(a) - effortOf(b));
  const groups = Map.groupBy(rejected, ({ remedies = [] }) => remedies.map(({ change }) => change).join("\n"));
  return [...groups.values()].slice(0, listed.remedies).map((members) => ({
    changes: members[0]!.remedies!.map(({ change }) => change),
    count: members.length,
    nodes: members.slice(0, listed.nodes).map(({ name }) => name),
  }));
}

function scoredNodes({ feasible, columns }: Evaluation): readonly NodeExplanation[] {
  if (columns.length === 0) return feasible.map(({ name }) => ({ name }));
  return feasible.map(({ name }, i) => ({
    name,
    total: sumOf(columns, i),
    scores: columns.map(({ plugin, weight, raw, normalized, scores }) => ({
      ...{ plugin, weight, raw: raw[i]!, normalized: normalized[i]!, weighted: scores[i]! },
    })),
  }));
}

/** Nodes that no plugin had to look at, since others named the only ones that can do. */
function unnamedNodes(
  { prefiltered, feasible, statuses }: Evaluation,
  { nodes }: Snapshot,
): readonly NodeExplanation[] {
  const { nodeNames, narrowedBy } = prefiltered;
  if (!nodeNames) return [];
  const seen = new Set([...feasible.map(({ name }) => name), ...statuses.map(({ nodeName }) => nodeName)]);
  const plugin = narrowedBy.join(", ");
  const reasons = [`node(s) didn't satisfy plugin(s) [${narrowedBy.toSorted().join(" ")}]`];
  const rejection = { plugin, code: "UnschedulableAndUnresolvable", reasons };
  return nodes.filter(({ name }) => !seen.has(name) && !nodeNames.has(name)).map(({ name }) => ({ name, rejection }));
}

type Details = Pick<AttemptExplanation, "rejection" | "nodes" | "notEvaluated" | "remedies" | "preemption">;

/** Preemption keeps results by kind, of the cluster as it is: those of the past are kept apart. */
const apart = ({ kind, ...options }: PlacementOptions): PlacementOptions =>
  kind === undefined ? options : { ...options, kind: `past ${kind}` };

/** What a decision found, from the snapshot that it was made from. */
export function detailsOf({ pod, plugins: used, reserving, ...inputs }: DecisionInputs, snapshot: Snapshot): Details {
  const info = podInfoOf(pod);
  const plugins = used.map((plugin) => recorded(plugin, reserving));
  const options = apart(inputs.options);
  const evaluation = evaluated(info, snapshot, plugins, options);
  const { statuses, feasible, prefiltered: again } = evaluation;
  const preemption = new Map<string, PreemptionExplanation>();
  const observe = (nodeName: string, found: PreemptionExplanation): void => void preemption.set(nodeName, found);
  const diagnosis =
    feasible.length > 0
      ? undefined
      : diagnosed(info, snapshot, plugins, { ...failedCycle(info, snapshot, evaluation, options), observe });
  const stages = filtersOf(again);
  const rejected = statuses.map(({ nodeName: name, ...rejection }): NodeExplanation => {
    const found = preemption.get(name);
    const remedies = remediesOn(stages, snapshot.byName.get(name)!, info, snapshot);
    return { name, rejection: rejectionOf(rejection), remedies, ...(found && { preemption: found }) };
  });
  const nodes = [...scoredNodes(evaluation), ...rejected, ...unnamedNodes(evaluation, snapshot)];
  return {
    ...(again.rejectedBy && { rejection: rejectionOf(again.rejectedBy) }),
    nodes: nodes.toSorted((a, b) => (b.total ?? 0) - (a.total ?? 0) || (a.name < b.name ? -1 : 1)),
    notEvaluated: again.rejectedBy ? 0 : snapshot.nodes.length - nodes.length,
    remedies: feasible.length > 0 ? [] : remediesOf(nodes),
    ...(diagnosis?.postFilter && { preemption: diagnosis.postFilter }),
  };
}

/** Why the node was chosen. */
function choice(nodeName: string, { nodes = [], notEvaluated = 0 }: Details, isNominated: boolean): string {
  const passed = nodes.filter(({ rejection }) => !rejection);
  if (isNominated && passed.length === 1) return `${nodeName} was kept for the pod`;
  if (passed.length === 1) return `${nodeName} is the only node that passed`;
  const equal = passed.filter(({ total }) => total === passed[0]!.total).length;
  const among = `${passed.length} nodes that passed${notEvaluated > 0 ? `, ${notEvaluated} not evaluated` : ""}`;
  return equal > 1
    ? `${nodeName} is the first by name of ${equal} with the highest score among ${among}`
    : `${nodeName} has the highest score of ${among}`;
}

/** An attempt for the API. `snapshot` is the one it was made from; without it, only the outcome can be told. */
export function attemptExplanation(attempt: Attempt, snapshot: Snapshot | undefined): AttemptExplanation {
  const { at, revision, count, outcome, inputs } = attempt;
  const details = inputs && snapshot ? detailsOf(inputs, snapshot) : undefined;
  const common = { at: timestamp(at), resourceVersion: String(revision), count };
  if (typeof outcome !== "string") return { ...common, outcome: "Unschedulable", ...outcome, ...details };
  const nodeName = outcome;
  const isNominated = inputs?.pod.status?.nominatedNodeName === nodeName;
  const message = details ? choice(nodeName, details, isNominated) : `${nodeName} was chosen`;
  return { ...common, outcome: "Placed", nodeName, message, ...details };
}
