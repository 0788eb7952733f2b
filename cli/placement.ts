// The rules of the scheduler as a simulation for the cluster autoscaler: where pods would go, also on nodes to come.
import type { DaemonSet, Node, Pod } from "../api/generated/types.ts";
import { persistentVolumeClaims } from "../api/core/persistentvolumeclaims.ts";
import { keyOf, ownedBy } from "../api/meta.ts";
import type { Placement, Simulation } from "../controllers/clusterautoscaler/ports.ts";
import { eligibilityOf, tolerationsOf } from "../controllers/daemonset/eligibility.ts";
import { schedulerCache } from "../scheduler/cache.ts";
import type { SchedulerPlugin } from "../scheduler/framework.ts";
import { place } from "../scheduler/place.ts";
import { defaultPlugins } from "../scheduler/plugins/default.ts";
import type { Packing } from "../scheduler/plugins/resource-scores.ts";

/** Without what reads claims: their volumes are taken to be available everywhere. Other kinds have no objects. */
const simulated = (plugins: readonly SchedulerPlugin[]): readonly SchedulerPlugin[] =>
  plugins
    .filter(({ reads = [] }) => !reads.includes(persistentVolumeClaims))
    .map(({ postFilter: _, ...plugin }) => plugin);

/** The pod that a daemon set would run on a node, bound to it. */
function daemonPod(set: DaemonSet, { metadata: { name: nodeName } }: Node): Pod {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = set.metadata;
  const spec = set.spec.template.spec!;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...{ name: `${name}-${nodeName}`, namespace, uid: `${uid}/${nodeName}`, resourceVersion, creationTimestamp },
      ownerReferences: [ownedBy(set)],
    },
    spec: { ...spec, nodeName, tolerations: [...tolerationsOf(spec)] },
  };
}

/** The placements of a scheduler that scores nodes by this load. */
export function schedulingSimulation(packing: Packing): Simulation {
  const plugins = simulated(defaultPlugins(packing));
  return {
    place({ nodes, pods }, waiting) {
      const cache = schedulerCache();
      for (const node of nodes) cache.nodeSeen(node.metadata.name, node);
      for (const pod of pods) cache.podSeen(keyOf(pod), pod);
      return waiting.map((pod): Placement => {
        const placement = place(pod, cache.snapshot(), plugins);
        if (placement.outcome === "unschedulable") {
          const { rejections, message } = placement.diagnosis;
          const reasons = new Set([...rejections.counts.keys()].flatMap(({ status }) => status.reasons));
          return { pod, reasons: reasons.size > 0 ? [...reasons] : [message] };
        }
        const { nodeName } = placement;
        cache.assume(pod, nodeName);
        return { pod, nodeName, reasons: [] };
      });
    },
    daemonPods: (sets, node) => sets.filter((set) => eligibilityOf(set)(node).runs).map((set) => daemonPod(set, node)),
  };
}
