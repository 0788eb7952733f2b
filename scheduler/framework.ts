// Scheduling as a function: a pod and a picture of the nodes go in, a node or the reasons against each come out.
import type { Node, Pod } from "../api/generated/types.ts";
import { podRequests, type Requests } from "../api/core/pod/status.ts";
import { milliOf, unitsOf } from "../api/quantity.ts";

/** A node, what it already promised, and both counted once. Immutable: placing a pod yields a new one. */
export interface NodeView {
  readonly node: Node;
  readonly pods: readonly Pod[];
  readonly requested: Requests;
  /** The same for comparing nodes, where a pod that requests nothing still weighs something. */
  readonly weight: Requests;
  readonly allocatable: Requests & { readonly pods: number };
}
export type Snapshot = readonly NodeView[];

export type Verdict =
  | { readonly fits: true }
  /** `evictable`: could evicting pods from this node change the answer? */
  | { readonly fits: false; readonly reasons: readonly string[]; readonly evictable: boolean };
export const fits: Verdict = { fits: true };
export const refused = (reason: string, evictable = false): Verdict => ({ fits: false, reasons: [reason], evictable });

/** Cluster changes that may turn a past no into a yes. */
export type ClusterChange = "pod-gone" | "node-added" | "node-changed";

/** One pod's wish, compiled once and asked of every node. */
export interface Prepared {
  readonly filter?: (on: NodeView) => Verdict;
  /** How good is it here, 0 to 100? */
  readonly score?: (on: NodeView) => number;
}
export interface SchedulerPlugin {
  readonly name: string;
  readonly weight?: number;
  readonly wakesOn: readonly ClusterChange[];
  /** Nothing when the pod does not care. Pure. */
  readonly prepare: (pod: Pod, all: Snapshot) => Prepared | undefined;
}

export type Placement =
  | { readonly outcome: "placed"; readonly nodeName: string; readonly scores: Readonly<Record<string, number>> }
  | { readonly outcome: "unschedulable"; readonly because: readonly Refusal[] };
/** Why one node will not do, and which plugin said so. */
export interface Refusal {
  readonly nodeName: string;
  readonly plugin: string;
  readonly reasons: readonly string[];
  readonly evictable: boolean;
}

const none: Requests = { cpuMillis: 0, memoryBytes: 0 };
const add = (a: Requests, b: Requests): Requests => ({
  cpuMillis: a.cpuMillis + b.cpuMillis,
  memoryBytes: a.memoryBytes + b.memoryBytes,
});

/** What a pod that requests nothing is taken to weigh. Source: kube-scheduler's resource scoring. */
const assumedRequest: Requests = { cpuMillis: 100, memoryBytes: 200 * 1024 * 1024 };

/** What a pod weighs when nodes are compared. */
export function podWeight(pod: Pod): Requests {
  const { cpuMillis, memoryBytes } = podRequests(pod.spec);
  return { cpuMillis: cpuMillis || assumedRequest.cpuMillis, memoryBytes: memoryBytes || assumedRequest.memoryBytes };
}

/** A node and its pods, counted. */
export function nodeView(node: Node, pods: readonly Pod[]): NodeView {
  const { cpu, memory, pods: most } = node.status?.allocatable ?? {};
  return {
    node,
    pods,
    requested: pods.map((p) => podRequests(p.spec)).reduce(add, none),
    weight: pods.map(podWeight).reduce(add, none),
    allocatable: { cpuMillis: milliOf(cpu), memoryBytes: unitsOf(memory), pods: unitsOf(most) },
  };
}

interface Asked {
  readonly plugin: SchedulerPlugin;
  readonly wish: Prepared;
}

function refusal(asked: readonly Asked[], on: NodeView): Refusal | undefined {
  for (const { plugin, wish } of asked) {
    const verdict = wish.filter?.(on) ?? fits;
    if (!verdict.fits)
      return {
        nodeName: on.node.metadata.name,
        plugin: plugin.name,
        reasons: verdict.reasons,
        evictable: verdict.evictable,
      };
  }
  return undefined;
}

/** The whole of scheduling. Ties break by name, so that equal input gives equal output. */
export function place(pod: Pod, all: Snapshot, plugins: readonly SchedulerPlugin[]): Placement {
  const asked = plugins.flatMap((plugin) => {
    const wish = plugin.prepare(pod, all);
    return wish ? [{ plugin, wish }] : [];
  });
  const because: Refusal[] = [];
  const scores: Record<string, number> = {};
  let best: string | undefined;
  for (const on of all) {
    const no = refusal(asked, on);
    if (no) {
      because.push(no);
      continue;
    }
    const name = on.node.metadata.name;
    const score = asked.reduce((sum, { plugin, wish }) => sum + (wish.score?.(on) ?? 0) * (plugin.weight ?? 1), 0);
    scores[name] = score;
    if (best === undefined || score > scores[best]! || (score === scores[best] && name < best)) best = name;
  }
  return best === undefined ? { outcome: "unschedulable", because } : { outcome: "placed", nodeName: best, scores };
}

const counted = (reasons: readonly string[]): string => {
  const counts = new Map<string, number>();
  for (const r of reasons) counts.set(r, (counts.get(r) ?? 0) + 1);
  return [...counts]
    .map(([r, n]) => `${n} ${r}`)
    .toSorted()
    .join(", ");
};

/** One sentence that counts the reasons, worded as Kubernetes' FailedScheduling event. */
export function explain(because: readonly Refusal[]): string {
  if (because.length === 0) return "no nodes available to schedule pods";
  const all = because.length;
  const victims = because.map((r) =>
    r.evictable ? "No preemption victims found for incoming pod" : "Preemption is not helpful for scheduling",
  );
  return (
    `0/${all} nodes are available: ${counted(because.flatMap((r) => r.reasons))}. ` +
    `no new claims to deallocate, preemption: 0/${all} nodes are available: ${counted(victims)}.`
  );
}
