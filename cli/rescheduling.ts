// The rules of the scheduler as a simulation for the descheduler: where it would place pods again, and which of its
// rules about other pods do not hold.
import type { Pod } from "../api/generated/types.ts";
import { keyOf } from "../api/meta.ts";
import type { Placement, PodRule, Simulation, Trial } from "../controllers/descheduler/ports.ts";
import { schedulerCache, type SchedulerCache } from "../scheduler/cache.ts";
import { type SchedulerPlugin, skip } from "../scheduler/framework.ts";
import { listerOver } from "../scheduler/listers.ts";
import { podInfoOf } from "../scheduler/node-info.ts";
import { place } from "../scheduler/place.ts";
import { defaultPlugins } from "../scheduler/plugins/default.ts";
import type { Packing } from "../scheduler/plugins/resource-scores.ts";

/** Why a plugin would keep a pod from its node, if the pod were not there yet. */
function rejectionOf({ preFilter, filter }: SchedulerPlugin, pod: Pod, cache: SchedulerCache): string | undefined {
  const snapshot = cache.snapshot();
  const node = snapshot.byName.get(pod.spec.nodeName ?? "");
  const info = podInfoOf(pod);
  const prepared = preFilter?.(info, snapshot);
  if (node === undefined || prepared === skip) return undefined;
  const rejection = prepared && "code" in prepared ? prepared : filter?.(prepared?.state, node, info);
  return rejection?.reasons.join(", ");
}

function trialOf(cache: SchedulerCache, plugins: readonly SchedulerPlugin[]): Trial {
  const add = (pod: Pod): void => cache.podSeen(keyOf(pod), pod);
  const remove = (pod: Pod): void => cache.podSeen(keyOf(pod), undefined);
  const named = new Map(plugins.map((plugin) => [plugin.name, plugin]));
  return {
    add,
    remove,
    place(pod): Placement {
      const placement = place(pod, cache.snapshot(), plugins);
      return placement.outcome === "placed"
        ? { nodeName: placement.nodeName }
        : { obstacle: placement.diagnosis.message };
    },
    violation(pod, rule: PodRule) {
      remove(pod);
      const reason = rejectionOf(named.get(rule)!, pod, cache);
      add(pod);
      return reason;
    },
  };
}

/** The rules of a scheduler whose default profile has these plugins. It evicts nothing for the pods it tries. */
export function reschedulingSimulation(
  packing: Packing,
  profile: readonly SchedulerPlugin[] = defaultPlugins(packing),
): Simulation {
  const plugins = profile.map(({ postFilter: _, ...plugin }): SchedulerPlugin => plugin);
  return {
    reads: [...new Set(plugins.flatMap(({ reads = [] }) => reads))],
    places: ({ spec }) => (spec.schedulerName ?? "default-scheduler") === "default-scheduler",
    begin(cluster) {
      const cache = schedulerCache(listerOver(cluster.objectsOf));
      for (const node of cluster.nodes) cache.nodeSeen(node.metadata.name, node);
      return trialOf(cache, plugins);
    },
  };
}
