// Changes of the cluster as events for waiting pods: one event for every property that scheduling reads, and the
// pods whose rejecting plugins report that it may help. Source: KEP-4247.
import type { Node, Pod } from "../api/generated/types.ts";
import { effectiveRequests } from "../api/core/pod/status.ts";
import { occupies } from "../api/core/pods.ts";
import { sameJson } from "../api/hash.ts";
import type { ApiObject } from "../api/meta.ts";
import type { Change, ClusterEvent, EventAction, QueueingHint, SchedulerPlugin } from "./framework.ts";

/** Properties compared between two versions of an object. */
type Aspects<T> = readonly (readonly [action: EventAction, of: (object: T) => unknown])[];

const ofNode: Aspects<Node> = [
  ["UpdateNodeAllocatable", (n) => n.status?.allocatable],
  ["UpdateNodeLabel", (n) => n.metadata.labels],
  ["UpdateNodeAnnotation", (n) => n.metadata.annotations],
  ["UpdateNodeTaint", (n) => [n.spec.taints ?? [], n.spec.unschedulable === true]],
  // Heartbeats change the times of a condition, not its meaning.
  ["UpdateNodeCondition", (n) => (n.status?.conditions ?? []).map((c) => [c.type, c.status, c.reason, c.message])],
  ["UpdateNodeDeclaredFeature", (n) => n.status?.declaredFeatures],
];
const ofPod: Aspects<Pod> = [
  ["UpdatePodLabel", (p) => p.metadata.labels],
  ["UpdatePodToleration", (p) => p.spec.tolerations],
  [
    "UpdatePodGeneratedResourceClaim",
    ({ status }) => [status?.resourceClaimStatuses, status?.extendedResourceClaimStatus],
  ],
];

const changesOf = <T extends ApiObject>(
  resource: string,
  aspects: Aspects<T>,
  before: T,
  after: T,
): readonly ClusterEvent[] =>
  aspects.flatMap(([action, of]) => (sameJson(of(before), of(after)) ? [] : [{ resource, action, before, after }]));

/** Events of an object that was added, changed or deleted, independent of what changed. */
export const plainEvents = (resource: string, { before, after }: Change<ApiObject>): readonly ClusterEvent[] => [
  { resource, action: before === undefined ? "Add" : after === undefined ? "Delete" : "Update", before, after },
];

export function nodeEvents({ before, after }: Change<Node>): readonly ClusterEvent[] {
  if (before === undefined || after === undefined) return plainEvents("Node", { before, after });
  return changesOf("Node", ofNode, before, after);
}

const isScaledDown = (before: Pod, after: Pod): boolean => {
  const [then, now] = [effectiveRequests(before), effectiveRequests(after)];
  return Object.entries(then).some(([name, amount]) => (now[name] ?? 0) < amount);
};
const podChanges = (resource: string, before: Pod, after: Pod): readonly ClusterEvent[] => [
  ...changesOf(resource, ofPod, before, after),
  ...(isScaledDown(before, after) ? [{ resource, action: "UpdatePodScaleDown" as const, before, after }] : []),
  ...(before.spec.schedulingGates?.length && !after.spec.schedulingGates?.length
    ? [{ resource, action: "UpdatePodSchedulingGatesEliminated" as const, before, after }]
    : []),
];

/** Events of pods on nodes. One that has finished counts as deleted: its room is free. */
export function assignedPodEvents({ before, after }: Change<Pod>): readonly ClusterEvent[] {
  const [was, is] = [before && occupies(before) ? before : undefined, after && occupies(after) ? after : undefined];
  if (was === undefined && is === undefined) return [];
  if (was === undefined || is === undefined) return plainEvents("AssignedPod", { before: was, after: is });
  return podChanges("AssignedPod", was, is);
}

/** Events of a pod that waits, for itself. */
export function targetPodEvents(before: Pod, after: Pod): readonly ClusterEvent[] {
  const events = podChanges("TargetPod", before, after);
  return events.length > 0 || sameJson(before.spec, after.spec)
    ? events
    : [{ resource: "TargetPod", action: "Update", before, after }];
}

export interface QueueingHints {
  /** Whether one of these events may make the pod schedulable that these plugins rejected. */
  isHelped(pod: Pod, rejectors: ReadonlySet<string>, events: readonly ClusterEvent[]): boolean;
  /** Whether it may so for some pod. */
  concern(rejectors: ReadonlySet<string>, events: readonly ClusterEvent[]): boolean;
}

const idOf = (resource: string, action: string): string => `${resource}/${action}`;

/**
 * The hints of a profile, by event. A plugin that declares no events waits for any; so do an extender, and no rejector
 * at all.
 */
export function queueingHints(plugins: readonly SchedulerPlugin[]): QueueingHints {
  const byEvent = new Map<string, { readonly plugin: string; readonly hint: QueueingHint }[]>();
  const declared = new Set(plugins.filter(({ events }) => events !== undefined).map(({ name }) => name));
  for (const { name, events = [] } of plugins)
    for (const hint of events)
      for (const action of hint.actions) {
        const id = idOf(hint.resource, action);
        byEvent.set(id, [...(byEvent.get(id) ?? []), { plugin: name, hint }]);
      }
  const isAny = (rejectors: ReadonlySet<string>): boolean => rejectors.size === 0 || !rejectors.isSubsetOf(declared);
  const some = (
    rejectors: ReadonlySet<string>,
    events: readonly ClusterEvent[],
    helps: (hint: QueueingHint, event: ClusterEvent) => boolean,
  ): boolean =>
    events.length > 0 &&
    (isAny(rejectors) ||
      events.some((event) =>
        byEvent
          .get(idOf(event.resource, event.action))
          ?.some(({ plugin, hint }) => rejectors.has(plugin) && helps(hint, event)),
      ));
  return {
    isHelped: (pod, rejectors, events) =>
      some(rejectors, events, (hint, event) => hint.isSchedulableAfter?.(pod, event) ?? true),
    concern: (rejectors, events) => some(rejectors, events, () => true),
  };
}
