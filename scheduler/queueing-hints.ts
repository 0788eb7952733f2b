// Which changes of the cluster may help a pod that was rejected, as its rejecting plugins declare. Source: KEP-4247.
import type { Pod } from "../api/generated/types.ts";
import type { ClusterEvent, QueueingHint, SchedulerPlugin } from "./framework.ts";

/** May one of these events make the pod schedulable that these plugins rejected? */
export type QueueingHints = (pod: Pod, rejectors: ReadonlySet<string>, events: readonly ClusterEvent[]) => boolean;

interface PluginHint {
  readonly plugin: string;
  readonly hint: Pick<QueueingHint, "isSchedulableAfter">;
}
const idOf = (resource: string, action: string): string => `${resource}/${action}`;

/** The hints of a profile, by event. A plugin that declares no events waits for any; no rejector at all, likewise. */
export function queueingHints(plugins: readonly SchedulerPlugin[]): QueueingHints {
  const byEvent = new Map<string, PluginHint[]>();
  const undeclared = new Set(plugins.filter(({ events }) => events === undefined).map(({ name }) => name));
  for (const { name, events = [] } of plugins)
    for (const hint of events)
      for (const action of hint.actions) {
        const id = idOf(hint.resource, action);
        const known = byEvent.get(id);
        if (known) known.push({ plugin: name, hint });
        else byEvent.set(id, [{ plugin: name, hint }]);
      }
  return (pod, rejectors, events) => {
    if (events.length === 0) return false;
    if (rejectors.size === 0 || !rejectors.isDisjointFrom(undeclared)) return true;
    return events.some((event) =>
      byEvent
        .get(idOf(event.resource, event.action))
        ?.some(({ plugin, hint }) => rejectors.has(plugin) && (hint.isSchedulableAfter?.(pod, event) ?? true)),
    );
  };
}
