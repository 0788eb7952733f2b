// Why no node will do: the status of every node, the plugins that rejected the pod, and the message of the event.
import {
  unresolvable,
  type NodeStatus,
  type PluginRejection,
  type PostFilterResult,
  type Rejection,
  type SchedulerPlugin,
  type Snapshot,
} from "./framework.ts";
import type { PodInfo } from "./node-info.ts";

export interface Diagnosis {
  /** Worded as Kubernetes' FailedScheduling event. */
  readonly message: string;
  readonly nodeStatuses: readonly NodeStatus[];
  /** Plugins that rejected the pod: only a change that one of them waits for can help. */
  readonly rejectors: ReadonlySet<string>;
  readonly nominatedNodeName?: string;
}

/** How far a cycle came that found no node. */
interface FailedCycle {
  readonly rejectedBy?: PluginRejection;
  readonly narrowedBy: readonly string[];
  readonly statuses: readonly NodeStatus[];
}

/** `2 Insufficient cpu, 1 Too many pods`, sorted as text. */
export function histogram(reasons: Iterable<readonly [reason: string, count: number]>): string {
  const counts = new Map<string, number>();
  for (const [reason, count] of reasons) counts.set(reason, (counts.get(reason) ?? 0) + count);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .toSorted()
    .join(", ");
}

function filterMessage(statuses: readonly NodeStatus[], absent: Rejection | undefined, absentCount: number): string {
  const reasons = statuses.flatMap(({ status }) => status.reasons.map((reason) => [reason, 1] as const));
  const others = absentCount > 0 ? (absent?.reasons ?? []).map((reason) => [reason, absentCount] as const) : [];
  return histogram([...reasons, ...others]);
}

/** Runs PostFilter and puts the reasons together. */
export function diagnosed(
  pod: PodInfo,
  snapshot: Snapshot,
  plugins: readonly SchedulerPlugin[],
  { rejectedBy, narrowedBy, statuses }: FailedCycle,
): Diagnosis {
  const rejectors = new Set([...narrowedBy, ...statuses.map(({ plugin }) => plugin)]);
  if (rejectedBy) rejectors.add(rejectedBy.plugin);
  const nodeCount = snapshot.nodes.length;
  if (nodeCount === 0)
    return { message: "no nodes available to schedule pods", nodeStatuses: statuses, rejectors: new Set() };
  const absentNodes =
    rejectedBy?.status ??
    (narrowedBy.length > 0
      ? unresolvable(`node(s) didn't satisfy plugin(s) [${narrowedBy.toSorted().join(" ")}]`)
      : undefined);
  const outcome = { nodeStatuses: statuses, absentNodes, rejectedBy };
  const results: PostFilterResult[] = [];
  for (const plugin of plugins) {
    const result = plugin.postFilter?.(pod, outcome, snapshot);
    if (result) results.push(result);
    if (result?.isLast) break;
  }
  const reasons = rejectedBy
    ? rejectedBy.status.reasons.join(", ")
    : filterMessage(statuses, absentNodes, nodeCount - statuses.length);
  const nominatedNodeName = results.find((r) => r.nominatedNodeName !== undefined)?.nominatedNodeName;
  return {
    message: [
      `0/${nodeCount} nodes are available:`,
      ...(reasons ? [`${reasons}.`] : []),
      ...(results.length > 0 ? [results.map((r) => r.message).join(", ")] : []),
    ].join(" "),
    nodeStatuses: statuses,
    rejectors,
    ...(nominatedNodeName !== undefined && { nominatedNodeName }),
  };
}
