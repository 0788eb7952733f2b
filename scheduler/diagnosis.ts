// Why no node will do: the status of every node, the plugins that rejected the pod, and the message of the event.
import {
  type FilterOutcome,
  type NodeStatus,
  type PluginRejection,
  type Rejection,
  type Rejections,
  type SchedulerPlugin,
  type Snapshot,
  unresolvable,
} from "./framework.ts";
import type { Client } from "../machinery/client.ts";
import type { PodInfo } from "./node-info.ts";

export interface Diagnosis {
  /** Worded as Kubernetes' FailedScheduling event. */
  readonly message: string;
  /** The part of the message that PostFilter gives. */
  readonly postFilter: string;
  readonly rejections: Rejections;
  /** Plugins that rejected the pod: only a change that one of them waits for can help. */
  readonly rejectors: ReadonlySet<string>;
  /** The node on which it is expected to fit soon; empty when it is not expected any more where it was. */
  readonly nominatedNodeName?: string;
  /** Pods that have to leave that node. */
  readonly victims: readonly PodInfo[];
  /** What a plugin does beside. */
  readonly effect?: (client: Client) => Promise<void>;
}

/** How far a cycle came that found no node. */
export interface FailedCycle extends Pick<FilterOutcome, "rejections" | "tryOn" | "kind" | "observe"> {
  readonly rejectedBy?: PluginRejection;
  readonly narrowedBy: readonly string[];
}

/** Rejections that were collected node by node. */
export function listedRejections(statuses: readonly NodeStatus[], { byName }: Snapshot): Rejections {
  let bySlot: ReadonlyMap<number, NodeStatus> | undefined;
  const indexed = (): ReadonlyMap<number, NodeStatus> =>
    new Map(statuses.map((status) => [byName.get(status.nodeName)!.slot, status]));
  return {
    counts: new Map(statuses.map((status) => [status, 1])),
    nodes: (limit) => (limit === undefined ? statuses : statuses.slice(0, limit)),
    of(slot) {
      bySlot ??= indexed();
      return bySlot.get(slot);
    },
  };
}
const nodesRejected = ({ counts }: Rejections): number => counts.values().reduce((sum, count) => sum + count, 0);

/** `2 Insufficient cpu, 1 Too many pods`, sorted as text. */
export function histogram(reasons: Iterable<readonly [reason: string, count: number]>): string {
  const counts = new Map<string, number>();
  for (const [reason, count] of reasons) counts.set(reason, (counts.get(reason) ?? 0) + count);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .toSorted()
    .join(", ");
}

function filterMessage({ counts }: Rejections, absent: Rejection | undefined, absentCount: number): string {
  const reasons = [...counts].flatMap(([{ status }, count]) =>
    status.reasons.map((reason) => [reason, count] as const),
  );
  const others = absentCount > 0 ? (absent?.reasons ?? []).map((reason) => [reason, absentCount] as const) : [];
  return histogram([...reasons, ...others]);
}

/** Runs PostFilter until a plugin finds a way, and puts the reasons together. */
function postFiltered(
  pod: PodInfo,
  outcome: FilterOutcome,
  snapshot: Snapshot,
  plugins: readonly SchedulerPlugin[],
): Pick<Diagnosis, "nominatedNodeName" | "victims" | "effect"> & { readonly messages: readonly string[] } {
  const messages: string[] = [];
  let effect: Diagnosis["effect"];
  let nominatedNodeName: string | undefined;
  for (const plugin of plugins) {
    const result = plugin.postFilter?.(pod, outcome, snapshot);
    if (!result) continue;
    nominatedNodeName = result.nominatedNodeName ?? nominatedNodeName;
    effect ??= result.effect;
    if (result.victims) return { nominatedNodeName, victims: result.victims, messages: [], effect };
    messages.push(result.message);
    if (result.isLast) break;
  }
  return { nominatedNodeName, victims: [], messages, effect };
}

/** Runs PostFilter and puts the reasons together. */
export function diagnosed(
  pod: PodInfo,
  snapshot: Snapshot,
  plugins: readonly SchedulerPlugin[],
  { rejectedBy, narrowedBy, ...cycle }: FailedCycle,
): Diagnosis {
  const { rejections } = cycle;
  const rejectors = new Set([...narrowedBy, ...rejections.counts.keys().map(({ plugin }) => plugin)]);
  if (rejectedBy) rejectors.add(rejectedBy.plugin);
  const nodeCount = snapshot.nodes.length;
  if (nodeCount === 0)
    return {
      ...{ message: "no nodes available to schedule pods", postFilter: "" },
      ...{ rejections, rejectors: new Set(), victims: [] },
    };
  const absentNodes =
    rejectedBy?.status ??
    (narrowedBy.length > 0
      ? unresolvable(`node(s) didn't satisfy plugin(s) [${narrowedBy.toSorted().join(" ")}]`)
      : undefined);
  const outcome = { ...cycle, absentNodes, rejectedBy };
  const { messages, nominatedNodeName, victims, effect } = postFiltered(pod, outcome, snapshot, plugins);
  const reasons = rejectedBy
    ? rejectedBy.status.reasons.join(", ")
    : filterMessage(rejections, absentNodes, nodeCount - nodesRejected(rejections));
  const postFilter = messages.join(", ");
  return {
    message: [
      `0/${nodeCount} nodes are available:`,
      ...(reasons ? [`${reasons}.`] : []),
      ...(postFilter ? [postFilter] : []),
    ].join(" "),
    postFilter,
    rejections,
    rejectors,
    victims,
    ...(nominatedNodeName !== undefined && { nominatedNodeName }),
    ...(effect && { effect }),
  };
}
